/*
 * dcmspool-echo: asks targets whether they can be used, as a dispatcher does before it sends to one
 * that had failed: by the sender of the target's type with -p, dcmspool-sender(7).
 * dcmspool-echo(8).
 *
 * All senders run at once and each answer is printed when it comes, so that a target that does not
 * answer delays no other; what each of them says goes to a file without a name. A target that keeps
 * its sender busy for ever, by a byte from time to time, has a deadline.
 */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/options.h"
#include "conf/conf.h"
#include "base/log.h"
#include "base/run.h"
#include "base/str.h"
#include "conf/target.h"

static const char usage[] = "usage: dcmspool-echo [-n] [-c FILE] TARGET|all\n";

enum { DEFAULT_TIMEOUT_S = 30, MAX_TIMEOUT_S = 24 * 3600, GRACE_S = 5 };

struct probe {
	const struct conf_target *target;
	pid_t pid; /* -1: it could not be started */
	int out;   /* what the sender writes */
	long patience_s;
	long long deadline_ms;
	bool late; /* and was ended */
};

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A connection and an answer may each take the time-out. */
static long patience(const struct conf_target *target)
{
	long timeout_s = target_silence_s(target);

	if (timeout_s < 1 || timeout_s > MAX_TIMEOUT_S)
		timeout_s = DEFAULT_TIMEOUT_S;
	return 2 * timeout_s + GRACE_S;
}

static void start(struct probe *probe, const struct conf_target *target)
{
	char **environment = target_environment(target, NULL);
	char *path = target_program(target);
	const char *argv[] = { path, "-p", NULL };
	struct run run = RUN_DEFAULT;

	probe->target = target;
	probe->patience_s = patience(target);
	probe->deadline_ms = now_ms() + probe->patience_s * 1000LL;
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
	else if (probe->late)
		(void)printf("%s: no answer within %ld s; send-%s was ended\n", probe->target->name,
			probe->patience_s, probe->target->type);
	else if (probe->pid < 0)
		(void)printf("%s: there is no send-%s that can be started\n", probe->target->name,
			probe->target->type);
	else
		(void)printf("%s: send-%s ended with status %d and told no reason\n",
			probe->target->name, probe->target->type, code);
	return code == EXIT_PERMANENT ? EXIT_PERMANENT : EXIT_TEMPORARY;
}

static int worse(int code, int answer)
{
	return answer > 0 && code != EXIT_PERMANENT ? answer : code;
}

static void flush(void)
{
	if (fflush(stdout) == EOF)
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
}

/* Has the sender ended, or is its time over? */
static bool is_due(struct probe *probe, const struct pollfd *ended)
{
	if (ended->fd < 0)
		return false;
	if (!ended->revents && now_ms() >= probe->deadline_ms) {
		(void)kill(probe->pid, SIGKILL); /* it may have ended just now */
		probe->late = true;
	}
	return ended->revents || probe->late;
}

/* The next deadline in milliseconds from now, for poll(2). */
static int next_ms(const struct probe *probe, const struct pollfd *ended, size_t count)
{
	long long first = (long long)MAX_TIMEOUT_S * 1000, now = now_ms();

	for (size_t i = 0; i < count; i++)
		if (ended[i].fd >= 0 && probe[i].deadline_ms - now < first)
			first = probe[i].deadline_ms - now;
	return first > 0 ? (int)first : 0;
}

/* Prints each answer as it comes. Returns the exit status. */
static int finish_all(struct probe *probe, size_t count)
{
	struct pollfd *ended = calloc(count + 1, sizeof(*ended)); /* pidfds; -1: printed */
	size_t left = count;
	int code = 0;

	if (!ended)
		die(EXIT_TEMPORARY, "unable to ask: out of memory");
	for (size_t i = 0; i < count; i++) {
		ended[i].events = POLLIN;
		ended[i].fd = probe[i].pid < 0 ? -1 : pidfd_open(probe[i].pid, 0);
		if (probe[i].pid >= 0 && ended[i].fd < 0)
			die(EXIT_TEMPORARY, "unable to wait for target %s: %s",
				probe[i].target->name, strerror(errno));
		if (probe[i].pid < 0) {
			code = worse(code, finish(&probe[i]));
			left--;
		}
	}
	while (left > 0) {
		flush();
		if (poll(ended, count, next_ms(probe, ended, count)) < 0 && errno != EINTR)
			die(EXIT_BUG, "unable to poll: %s", strerror(errno));
		for (size_t i = 0; i < count; i++) {
			if (!is_due(&probe[i], &ended[i]))
				continue;
			code = worse(code, finish(&probe[i]));
			(void)close(ended[i].fd); /* nothing is written to it */
			ended[i].fd = -1;
			left--;
		}
	}
	free(ended);
	flush();
	return code;
}

int main(int argc, char *argv[])
{
	struct conf *conf;
	struct probe *probe;
	const struct conf_target *one = NULL;
	size_t count;
	int code;

	log_open(argv[0]);
	(void)unsetenv(
		"DCMSPOOL_JOB"); /* with it, it would be a dispatcher's question; cannot fail */
	conf = cli_options(argc, argv, NULL, NULL, usage);
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
	code = finish_all(probe, count);
	free(probe);
	conf_free(conf);
	return code;
}
