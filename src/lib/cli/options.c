/*
 * options: the beginning of every program's main(): options and configuration.
 */
#define _GNU_SOURCE
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/find.h"

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

/* word: the last that getopt has looked at. Its letter stands in optopt, which is 0 for an unknown
 * word. */
static _Noreturn void complain(bool unknown, const char *word, const char *usage)
{
	const char *problem = unknown ? "unknown option" : "option";
	const char *more = unknown ? "" : " needs an argument";

	if (unknown ? optopt == 0 : strncmp(word, "--", 2) == 0)
		log_error("%s %s%s", problem, word, more);
	else
		log_error("%s -%c%s", problem, optopt, more);
	print_usage(stderr, usage);
	exit(EXIT_PERMANENT);
}

struct conf *cli_options_checked(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage, conf_check_fn *further)
{
	static const struct option words[] = { { "config", required_argument, NULL, 'c' }, { 0 } };
	const char *named = NULL;
	struct conf *conf;
	char all[64], *file;
	bool check = false;
	int c;

	/* "+": what follows the first operand belongs to it; ":": the texts below, not getopt's */
	if (snprintf(all, sizeof(all), "+:c:nh%s", letters ? letters : "") >= (int)sizeof(all))
		die(EXIT_BUG, "unable to read options: too many letters");
	while ((c = getopt_long(argc, argv, all, words, NULL)) != -1) {
		if (c == 'c') {
			named = optarg;
		} else if (c == 'n') {
			check = true;
		} else if (c == 'h') {
			print_usage(stdout, usage);
			finish();
		} else if (c == '?' || c == ':') {
			complain(c == '?', argv[optind - 1], usage);
		} else {
			option(c, optarg);
		}
	}
	file = find_conf(named);
	conf = conf_load(file, further);
	if (!conf && errno == EINVAL)
		die(EXIT_PERMANENT, "unable to use configuration %s: mistakes above; correct them",
			file);
	if (!conf)
		die(EXIT_TEMPORARY, "unable to read configuration %s: %s; try again", file,
			strerror(errno));
	if (check) {
		(void)printf("%s: ok\n", file); /* checked by finish() */
		conf_free(conf);
		finish();
	}
	free(file);
	return conf;
}

struct conf *cli_options(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage)
{
	return cli_options_checked(argc, argv, letters, option, usage, NULL);
}
