/*
 * conf_main: the beginning of every program's main(): options and configuration.
 */
#define _GNU_SOURCE
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define DEFAULT_FILE SYSCONFDIR "/dcmspool/dcmspool.conf"

/* usage may begin with "usage: " or be the synopsis alone. */
static void print_usage(FILE *out, const char *usage)
{
	size_t n = strlen(usage);

	(void)fprintf(out, "%s%s%s", strncmp(usage, "usage:", 6) == 0 ? "" : "usage: ", usage,
		n && usage[n - 1] == '\n' ? "" : "\n"); /* flushed and checked by the caller */
}

static _Noreturn void finish(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
	exit(0);
}

struct conf *conf_main(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage)
{
	const char *file = DEFAULT_FILE;
	struct conf *conf;
	char all[64];
	bool check = false;
	int c;

	/* "+": what follows the first operand belongs to it; ":": the texts below, not getopt's */
	if (snprintf(all, sizeof(all), "+:c:nh%s", letters ? letters : "") >= (int)sizeof(all))
		die(EXIT_BUG, "unable to read options: too many letters");
	while ((c = getopt(argc, argv, all)) != -1) {
		if (c == 'c') {
			file = optarg;
		} else if (c == 'n') {
			check = true;
		} else if (c == 'h') {
			print_usage(stdout, usage);
			finish();
		} else if (c == '?' || c == ':') {
			log_error(c == '?' ? "unknown option -%c" : "option -%c needs an argument",
				optopt);
			print_usage(stderr, usage);
			exit(EXIT_PERMANENT);
		} else {
			option(c, optarg);
		}
	}
	conf = conf_load(file);
	if (!conf)
		die(EXIT_PERMANENT, "unable to use configuration %s: mistakes above; correct them",
			file);
	if (check) {
		(void)printf("%s: ok\n", file); /* checked by finish() */
		conf_free(conf);
		finish();
	}
	return conf;
}
