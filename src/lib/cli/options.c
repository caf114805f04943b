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
#include "base/nearest.h"
#include "cli/running.h"
#include "cli/find.h"

/* What letters are called in full, in every verb that has them. */
static const struct option words[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "day", required_argument, NULL, 'd' },
	{ "follow", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "html", no_argument, NULL, 'H' },
	{ "images", no_argument, NULL, 'i' },
	{ "json", no_argument, NULL, 'j' },
	{ "month", no_argument, NULL, 'M' },
	{ "offline", no_argument, NULL, 'o' },
	{ "receiver", no_argument, NULL, 'R' },
	{ "repair", no_argument, NULL, 'r' },
	{ "sender", required_argument, NULL, 's' },
	{ "target", required_argument, NULL, 'T' },
	{ "to", required_argument, NULL, 't' },
	{ "watch", no_argument, NULL, 'f' },
	{ "wait", no_argument, NULL, 'w' },
	{ "week", no_argument, NULL, 'W' },
	{ "yes", no_argument, NULL, 'y' },
	{ 0 },
};
enum { WORDS = sizeof(words) / sizeof(*words), LETTERS = 64 };

/* Those whose letters the program takes. Letters of programs that watch mean other things. */
static void known_words(const char *letters, bool verb, struct option out[WORDS])
{
	size_t count = 0;

	for (size_t i = 0; words[i].name; i++)
		if (strchr(letters, words[i].val) && (verb || strchr("chR", words[i].val)))
			out[count++] = words[i];
	out[count] = (struct option){ 0 };
}

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

/* The long word that was meant by an unknown one: "--jsno". */
static const char *nearest_word(
	const char *word, const struct option *known, char *out, size_t size)
{
	struct nearest nearest = { .word = word + strspn(word, "-") };
	size_t length = 0;

	for (; known->name; known++)
		nearest_try(&nearest, known->name);
	if (nearest.count > 0)
		length = (size_t)snprintf(out, size, "; did you mean --%s?", nearest.best[0]);
	return length > 0 ? out : "";
}

/* word: the last that getopt has looked at. Its letter stands in optopt, which is 0 for an unknown
 * word. */
static _Noreturn void complain(
	bool unknown, const char *word, const char *usage, const struct option *known)
{
	const char *problem = unknown ? "unknown option" : "option";
	const char *more = unknown ? "" : " needs an argument";
	char hint[NEAREST_HINT];

	if (unknown && optopt == 0)
		more = nearest_word(word, known, hint, sizeof(hint));

	if (unknown ? optopt == 0 : strncmp(word, "--", 2) == 0)
		log_error("%s %s%s", problem, word, more);
	else
		log_error("%s -%c%s", problem, optopt, more);
	print_usage(stderr, usage);
	exit(EXIT_PERMANENT);
}

_Noreturn void cli_no_conf(const char *file, int error)
{
	if (error == EINVAL)
		die(EXIT_PERMANENT, "unable to use configuration %s: mistakes above; correct them",
			file);
	die(EXIT_TEMPORARY, "unable to read configuration %s: %s; try again", file,
		strerror(error));
}

/* order: "+": what follows the first operand belongs to it; "": operands may stand before options.
 * The file that is meant, which the caller frees; check: -n was given. */
static char *read_options(int argc, char *argv[], const char *order, const char *letters,
	void (*option)(int letter, const char *argument), const char *usage, bool *check)
{
	struct option known[WORDS];
	const char *named = NULL;
	char all[LETTERS];
	int c;

	*check = false;
	/* ":": the texts here, not getopt's */
	if (snprintf(all, sizeof(all), "%s:c:nh%s", order, letters ? letters : "") >= LETTERS)
		die(EXIT_BUG, "unable to read options: too many letters");
	known_words(all, !*order, known);
	*check = false;
	while ((c = getopt_long(argc, argv, all, known, NULL)) != -1) {
		if (c == 'c') {
			named = optarg;
		} else if (c == 'n') {
			*check = true;
		} else if (c == 'h') {
			print_usage(stdout, usage);
			finish();
		} else if (c == '?' || c == ':') {
			complain(c == '?', argv[optind - 1], usage, known);
		} else {
			option(c, optarg);
		}
	}
	return find_conf(named);
}

/* Frees file. acts: by what runs. */
static struct conf *load(char *file, bool check, conf_check_fn *further, bool acts)
{
	struct conf *conf = conf_load(file, further);

	if (acts && !check && (conf || errno == EINVAL))
		conf = running_conf(file, conf);
	if (!conf)
		cli_no_conf(file, errno);
	if (check) {
		(void)printf("%s: ok\n", file); /* checked by finish() */
		conf_free(conf);
		finish();
	}
	free(file);
	return conf;
}

struct conf *cli_options_checked(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage, conf_check_fn *further)
{
	bool check;
	char *file = read_options(argc, argv, "+", letters, option, usage, &check);

	return load(file, check, further, false);
}

struct conf *cli_options_acting(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage)
{
	bool check;
	char *file = read_options(argc, argv, "+", letters, option, usage, &check);

	return load(file, check, NULL, true);
}

struct conf *cli_options(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage)
{
	return cli_options_checked(argc, argv, letters, option, usage, NULL);
}

struct conf *cli_options_anywhere(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage)
{
	bool check;
	char *file = read_options(argc, argv, "", letters, option, usage, &check);

	return load(file, check, NULL, false);
}

struct conf *cli_options_acting_anywhere(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage)
{
	bool check;
	char *file = read_options(argc, argv, "", letters, option, usage, &check);

	return load(file, check, NULL, true);
}

char *cli_options_file(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage)
{
	bool check;
	char *file = read_options(argc, argv, "", letters, option, usage, &check);

	if (check)
		(void)load(file, check, NULL, false); /* exits */
	return file;
}
