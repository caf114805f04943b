#include "cli/operator.h"

#include "base/log.h"
#include "base/nearest.h"
#include "base/str.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { USER_SIZE = 64 };

void operator_needs(int operands, const char *problem, const char *usage)
{
	if (operands > 0)
		return;
	log_error("%s", problem);
	(void)fputs(usage, stderr);
	exit(EXIT_PERMANENT);
}

/* A user's login name, or the number of one who has none. */
static void user_name(uid_t uid, char *out, size_t size)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		(void)snprintf(out, size, "%s", user->pw_name);
	else
		(void)snprintf(out, size, "#%lu", (unsigned long)uid); /* as sudo -u takes it */
}

/* The verb of dcmspool(8) that this program is. */
static const char *verb(void)
{
	static const char prefix[] = "dcmspool-";
	const char *program = log_program();

	return strncmp(program, prefix, sizeof(prefix) - 1) == 0 ? program + sizeof(prefix) - 1
								 : program;
}

void operator_open(struct spool *spool, const struct conf *conf)
{
	char self[USER_SIZE], owner[USER_SIZE];
	struct stat st;

	if (stat(conf->spool, &st) < 0 && errno == EACCES)
		die(EXIT_PERMANENT,
			"unable to look at the spool %s: %s; be the user who runs dcmspool",
			conf->spool, strerror(errno));
	if (stat(conf->spool, &st) == 0 && st.st_uid != geteuid()) {
		user_name(geteuid(), self, sizeof(self));
		user_name(st.st_uid, owner, sizeof(owner));
		die(EXIT_PERMANENT,
			"unable to change the spool %s as %s: it belongs to %s; be that user: "
			"sudo -u '%s' dcmspool %s ...",
			conf->spool, self, owner, owner, verb());
	}
	spool_open(spool, conf->spool); /* tells what else is wrong with it */
}

void operator_name(char *out, size_t size)
{
	const char *called = getenv("SUDO_USER");

	if (called && *called)
		(void)snprintf(out, size, "%s", called);
	else
		user_name(getuid(), out, size);
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?'; /* it comes from the environment, and goes into lines */
}

int operator_no_target(const struct conf *conf, const char *name)
{
	struct nearest nearest = { .word = name };
	struct buf names = { 0 };
	char hint[NEAREST_HINT];

	for (size_t i = 0; i < conf->target_count; i++) {
		nearest_try(&nearest, conf->target[i].name);
		buf_printf(&names, "%s%s", i ? ", " : "", conf->target[i].name);
	}
	if (names.failed)
		die(EXIT_TEMPORARY, "out of memory");
	log_error("there is no target %s in %s%s; the targets are: %s", name, conf->file,
		nearest_hint(&nearest, hint, sizeof(hint)), names.data ? names.data : "none");
	buf_free(&names);
	return EXIT_PERMANENT;
}

int operator_close(int code)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
	return code;
}
