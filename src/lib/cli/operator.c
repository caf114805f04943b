#include "cli/operator.h"

#include "base/log.h"
#include "base/nearest.h"
#include "base/str.h"
#include "cli/options.h"
#include "spool/held.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { USER_SIZE = 64 };

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
static const char *verb_name(void)
{
	static const char prefix[] = "dcmspool-";
	const char *program = log_program();

	return strncmp(program, prefix, sizeof(prefix) - 1) == 0 ? program + sizeof(prefix) - 1
								 : program;
}

/* Whose spool it is; dies when that may not even be asked. False: it is not there. */
static bool spool_owner(const char *path, uid_t *owner)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		*owner = st.st_uid;
		return true;
	}
	if (errno == EACCES)
		die(EXIT_PERMANENT,
			"unable to look at the spool %s: %s; be the user who runs dcmspool", path,
			strerror(errno));
	return false;
}

static _Noreturn void of_another(const char *path, const char *unable, uid_t uid)
{
	char self[USER_SIZE], owner[USER_SIZE];

	user_name(geteuid(), self, sizeof(self));
	user_name(uid, owner, sizeof(owner));
	die(EXIT_PERMANENT,
		"%s %s as %s: it belongs to %s; "
		"be that user: sudo -u '%s' dcmspool %s ...",
		unable, path, self, owner, owner, verb_name());
}

void operator_look_at(struct spool *spool, const char *path)
{
	uid_t owner;

	if (spool_owner(path, &owner) && access(path, R_OK | X_OK) < 0 && errno == EACCES)
		of_another(path, "unable to look at the spool", owner);
	spool_open_to_look(spool, path); /* tells what else is wrong with it */
}

void operator_look(struct spool *spool, const struct conf *conf)
{
	operator_look_at(spool, conf->spool);
}

void operator_open_spool(struct spool *spool, const struct conf *conf)
{
	uid_t owner;

	if (spool_owner(conf->spool, &owner) && owner != geteuid())
		of_another(conf->spool, "unable to change the spool", owner);
	spool_open(spool, conf->spool); /* tells what else is wrong with it */
}

static void name_caller(char *out, size_t size)
{
	const char *called = getenv("SUDO_USER");

	if (called && *called)
		(void)snprintf(out, size, "%s", called);
	else
		user_name(getuid(), out, size);
	text_clean(out); /* it comes from the environment, and goes into lines */
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

void operator_tell_held(
	const struct verb *verb, const char *target, const char *is, const char *remedy)
{
	const char *name = target ? target : HELD_ALL;
	int dir = held_open(&verb->spool, target);
	struct buf text = { 0 };

	if (dir < 0)
		return; /* it has no queue: nothing waits */
	if (held_is(dir)) {
		held_tell(dir, &text);
		(void)printf("%s: %s%s%s%s%s\n", held_name(target), is, text.data ? text.data : "",
			remedy ? remedy : "", remedy ? " " : "", remedy ? name : "");
	}
	buf_free(&text);
	(void)close(dir); /* only used as a base */
}

void operator_tell_all_held(const struct verb *verb, const struct disk_names *except,
	const char *is, const char *remedy)
{
	const struct conf *conf = verb->conf;

	/* reception, all, then each target */
	for (size_t i = 0; i < conf->target_count + 2; i++) {
		const char *name = i == 0   ? HELD_RECEIVER
				   : i == 1 ? HELD_ALL
					    : conf->target[i - 2].name;
		bool excepted = false;

		for (size_t k = 0; k < except->count; k++)
			excepted |= strcmp(except->name[k], name) == 0;
		if (!excepted)
			operator_tell_held(verb, i == 1 ? NULL : name, is, remedy);
	}
}

static const char *target_of(const char *operand)
{
	return strcmp(operand, HELD_ALL) == 0 ? NULL : operand;
}

static bool is_known(const struct verb *verb, const struct verb_kind *kind, const char *target)
{
	return conf_target(verb->conf, target) || (kind->knows && kind->knows(verb, target));
}

/* Exits unless all of them are targets. */
static void check_targets(const struct verb *verb, const struct verb_kind *kind, char *operand[])
{
	int code = 0;

	for (; *operand; operand++)
		if (target_of(*operand) && !is_known(verb, kind, *operand))
			code = operator_no_target(verb->conf, *operand);
	if (code)
		exit(code);
}

/* Exits unless all of them can be jobs; before the spool is opened, which changes the directory. */
static struct queued *read_jobs(const struct conf *conf, char *operand[], int count)
{
	struct queued *meant = calloc((size_t)count, sizeof(*meant));

	if (!meant)
		die(EXIT_TEMPORARY, "unable to read the operands: out of memory");
	for (int i = 0; i < count; i++)
		if (queues_operand(conf->spool, operand[i], &meant[i]) < 0)
			exit(EXIT_PERMANENT);
	return meant;
}

void operator_open(struct verb *verb, const struct conf *conf)
{
	verb->conf = conf;
	operator_open_spool(&verb->spool, conf);
	name_caller(verb->by, sizeof(verb->by));
}

/* Neither a target nor a job begins with "-": it is an option that came too late. */
static void check_order(char *operand[], const char *text)
{
	for (; *operand; operand++)
		if (**operand == '-') {
			log_error("options come before operands: %s", *operand);
			(void)fputs(text, stderr);
			exit(EXIT_PERMANENT);
		}
}

static bool receiver;

void operator_receiver(void)
{
	receiver = true;
}

static struct verb verb; /* for the life of the process, as the jobs */
static const struct verb_kind *kind_of;

static void take_option(int letter, const char *argument)
{
	if (letter == 'y' && kind_of->on_query)
		verb.yes = true;
	else
		kind_of->option(letter, argument);
}

static void read_options(int argc, char *argv[], const struct verb_kind *kind)
{
	char letters[32];

	kind_of = kind;
	(void)snprintf(letters, sizeof(letters), "%s%s", kind->letters ? kind->letters : "",
		kind->on_query ? "y" : "");
	verb.conf = (kind->on_query ? cli_options_acting_anywhere : cli_options_acting)(
		argc, argv, letters, take_option, kind->usage);
}

static int act(const struct verb_kind *kind, char *operand[], int count)
{
	struct queued *meant = kind->on_job ? read_jobs(verb.conf, operand, count) : NULL;
	int code = 0, result;

	operator_open(&verb, verb.conf);
	if (kind->on_target)
		check_targets(&verb, kind, operand);
	for (int i = 0; i < count; i++) {
		result = meant ? kind->on_job(&verb, &meant[i])
			       : kind->on_target(&verb, target_of(operand[i]));
		code = result > code ? result : code;
	}
	if (receiver)
		code = kind->on_target(&verb, HELD_RECEIVER);
	free(meant);
	return code;
}

int operator_main(int argc, char *argv[], const struct verb_kind *kind)
{
	int code = -1, count;

	log_open(argv[0]);
	read_options(argc, argv, kind);
	argv += optind;
	count = argc - optind;
	if (receiver && count > 0) {
		log_error("--receiver holds no target; leave out %s", *argv);
		exit(EXIT_PERMANENT);
	}
	if (count == 0 && !receiver) {
		log_error("%s", kind->missing);
		(void)fputs(kind->usage, stderr);
		exit(EXIT_PERMANENT);
	}
	if (!kind->on_query)
		check_order(argv, kind->usage);
	else
		code = kind->on_query(&verb, kind, argv, count);
	if (code < 0)
		code = act(kind, argv, count);
	if (kind->end)
		kind->end(&verb);
	output_flush();
	return code;
}
