/*
 * dcmspool-echo: asks targets whether they can be used, as a dispatcher does before it sends to one that had
 * failed: by the sender of the target's type with -p, dcmspool-sender(7). dcmspool-echo(8).
 *
 * All senders run at once, so that a target that does not answer delays no other; what each of them says goes
 * to a file without a name.
 */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"
#include "run.h"
#include "target.h"

static const char usage[] = "usage: dcmspool-echo [-n] [-c FILE] TARGET|all\n";

struct probe {
	const struct conf_target *target;
	pid_t pid;
	int out; /* what the sender writes */
};

static void start(struct probe *probe, const struct conf_target *target)
{
	char **environment = target_environment(target, NULL);
	char *path = target_program(target);
	const char *argv[] = { path, "-p", NULL };
	struct run run = RUN_DEFAULT;

	probe->target = target;
	probe->out = memfd_create("answer", MFD_CLOEXEC);
	if (!environment || !path || probe->out < 0)
		die(EXIT_TEMPORARY, "unable to ask target %s: %s", target->name, strerror(errno));
	run.argv = argv;
	run.environment = (const char *const *)environment;
	run.out = probe->out;
	probe->pid = run_start(&run);
	if (probe->pid < 0)
		log_error("unable to start %s: %s; install it beside the other programs", path,
			strerror(errno));
	free(path);
	target_environment_free(environment);
}

/* The reason in the sender's line "target TAB - TAB - TAB REASON", or "". */
static void read_reason(int out, char *reason, size_t size)
{
	static const char begin[] = "target\t";
	char line[1024];
	FILE *lines;

	reason[0] = '\0';
	if (lseek(out, 0, SEEK_SET) < 0 || !(lines = fdopen(out, "r")))
		die(EXIT_TEMPORARY, "unable to read what the sender said: %s", strerror(errno));
	while (fgets(line, sizeof(line), lines)) {
		if (strncmp(line, begin, sizeof(begin) - 1) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(reason, size, "%s", strrchr(line, '\t') + 1);
	}
	for (char *c = reason; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?'; /* it comes from the network, and this may be a terminal */
	(void)fclose(lines);      /* memory */
}

/* Waits for the sender and says what it found. The lines are the evidence, as for a dispatcher. */
static int finish(struct probe *probe)
{
	int code = probe->pid < 0 ? EXIT_PERMANENT : run_wait(probe->pid);
	char reason[512];

	read_reason(probe->out, reason, sizeof(reason));
	if (code == 0 && !reason[0]) {
		(void)printf("%s: ok\n", probe->target->name); /* main() sees a failure to write */
		return 0;
	}
	if (reason[0])
		(void)printf("%s: %s\n", probe->target->name, reason);
	else if (probe->pid < 0)
		(void)printf("%s: there is no send-%s that can be started\n", probe->target->name,
			probe->target->type);
	else
		(void)printf("%s: send-%s ended with status %d and told no reason\n",
			probe->target->name, probe->target->type, code);
	return code == EXIT_PERMANENT ? EXIT_PERMANENT : EXIT_TEMPORARY;
}

int main(int argc, char *argv[])
{
	struct conf *conf;
	struct probe *probe;
	const struct conf_target *one = NULL;
	size_t count;
	int code = 0;

	log_open(argv[0]);
	conf = conf_main(argc, argv, NULL, NULL, usage);
	if (argc != optind + 1) {
		(void)fputs(usage, stderr); /* there is nobody else to tell */
		return EXIT_PERMANENT;
	}
	if (strcmp(argv[optind], "all") != 0) {
		one = conf_target(conf, argv[optind]);
		if (!one)
			die(EXIT_PERMANENT, "unable to ask %s: %s has no such target", argv[optind],
				conf->file);
	}
	count = one ? 1 : conf->target_count;
	probe = calloc(count + 1, sizeof(*probe));
	if (!probe)
		die(EXIT_TEMPORARY, "unable to ask: out of memory");
	for (size_t i = 0; i < count; i++)
		start(&probe[i], one ? one : &conf->target[i]);
	for (size_t i = 0; i < count; i++) {
		int answer = finish(&probe[i]);

		code = answer > 0 && code != EXIT_PERMANENT ? answer : code;
	}
	free(probe);
	conf_free(conf);
	if (fflush(stdout) == EOF)
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
	return code;
}
