/*
 * doctor: what the checks share: what they know, and how they say what they have seen.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"
#include "cli/findings.h"
#include "conf/conf.h"

struct doctor {
	const char *file;        /* of the configuration */
	const struct conf *conf; /* NULL: it has mistakes, and nothing runs with another one */
	uid_t owner;             /* of the spool: whom everything runs as */
	bool running;            /* a router, on this spool */
	pid_t receiver;          /* when it is up; else 0 */
	bool offline, json;
	struct findings found;
	json_t *good; /* what is well: { place, what } */
	bool failed;  /* something could not be looked at, which was said */
};

/* Something is well: "ext4, local". */
void doctor_good(struct doctor *doctor, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A finding; text: "what it means; what is to be done". */
void doctor_bad(struct doctor *doctor, const char *text, const char *place, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* It could not be looked at. */
void doctor_unknown(struct doctor *doctor, const char *place, const char *reason);
/* Prints the end. Returns an exit code. */
int doctor_end(struct doctor *doctor);

/* Runs one of our programs, or another, with these arguments (NULL behind the last); what it says
 * on both outputs goes to out, which the caller frees. As capture(), but 127 when there is none. */
int doctor_run(const char *const argv[], int in, struct buf *out);
int doctor_run_ours(const char *program, const char *const arguments[], struct buf *out);
/* Is there a program of this name in PATH? */
bool doctor_has(const char *program);

/* A whole file, links followed; -1 with errno. The number in one of the kernel's, or -1. */
int doctor_read(const char *path, struct buf *out);
long doctor_number(const char *path);
/* "alice" */
const char *doctor_user(uid_t uid);

/* configuration.c: as `dcmspool check`: can a router work with it? Supervision. */
bool check_configuration(struct doctor *doctor);
void check_running(struct doctor *doctor);
/* place.c: where the spool is, and how much room it has. */
void check_place(struct doctor *doctor);
/* host.c: limits, clock, other programs. */
void check_host(struct doctor *doctor);
/* keys.c: the files that the configuration names, and until when certificates hold. */
void check_keys(struct doctor *doctor);
/* ports.c: who listens there. */
void check_ports(struct doctor *doctor);
/* targets.c: what echo and fsck say. */
void check_targets(struct doctor *doctor);
void check_tree(struct doctor *doctor);

#endif
