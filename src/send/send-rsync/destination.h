/*
 * destination: TARGET_DESTINATION and the settings that belong to its kind, checked, as arguments
 * for rsync(1).
 */
#ifndef DESTINATION_H
#define DESTINATION_H

#include "sender/ssh.h"

#include <stdbool.h>

enum destination_kind { DESTINATION_LOCAL, DESTINATION_SSH, DESTINATION_DAEMON };

struct destination {
	enum destination_kind kind;
	char *base;            /* without a slash at its end, but for "/" */
	char *shell;           /* DESTINATION_SSH: what -e gets */
	struct sender_ssh ssh; /* its options, and the meaning of its complaints */
	const char *password_file;
	long port, timeout_s, rate_limit;
};

/* Reads the settings; dies with 100 on any that is wrong. */
void destination_open(struct destination *destination);
void destination_close(struct destination *destination);

/* base/directory, and /name when it is not NULL: in memory that the caller frees. */
char *destination_path(
	const struct destination *destination, const char *directory, const char *name);

/* rsync at the other side takes its destination for a pattern, and goes to the directory abc where
 * a[b]c is asked for and there is none (rsync 3.2.7, 3.5.0, util1.c, glob_expand()). So a name with
 * such characters is changed; like layout's it gets a hash then. In memory that the caller frees.
 */
char *destination_name(const char *name);

/* What a layout and a destination must not have in them. */
bool destination_is_pattern(const char *text);

#endif
