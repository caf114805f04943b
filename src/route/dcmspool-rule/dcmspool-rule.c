/*
 * dcmspool-rule: evaluates expressions of dcmspool-rules(5): one, printing its value, or a file of
 * them, printing whether each is true. Nothing is changed. dcmspool-rule(8).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "base/log.h"
#include "rule/rule.h"
#include "base/str.h"
#include "tags.h"

static const char usage[] = "usage: dcmspool-rule [-h] [--] EXPRESSION [FILE]\n"
			    "       dcmspool-rule -b RULES TAGS.json\n";

/* A mistake in an expression, also one that only its evaluation shows, has the code of every other
 * mistake: EXIT_PERMANENT. */
enum { EXIT_FALSE = 1 };

static void show(const char *text, const struct rule_error *error)
{
	struct buf lines = { 0 };

	rule_show(&lines, text, error, "  ");
	if (lines.failed)
		die(EXIT_TEMPORARY, "unable to show the mistake: out of memory; try again");
	(void)fprintf(stderr, "%s\n", lines.data);
	buf_free(&lines);
}

/* What may have been meant by a tag that there is not; "" for other mistakes. */
static const char *suggest(const struct rule_error *error, char *out, size_t size)
{
	struct nearest nearest = { .word = error->name };

	if (*error->name)
		tags_nearest(&nearest);
	return nearest_hint(&nearest, out, size);
}

static void finish_output(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
}

static struct rule *compile(const char *expression, struct rule_error *error)
{
	struct rule *rule = rule_compile(expression, tags_known, error);

	if (!rule && error->no_memory)
		die(EXIT_TEMPORARY, "unable to compile the expression: out of memory");
	return rule;
}

static int evaluate(const char *expression, const char *file)
{
	struct rule_error error;
	struct rule *rule;
	enum rule_result result;
	char why[RULE_WHY] = "", hint[NEAREST_HINT], *text = NULL;

	tags_open(file);
	rule = compile(expression, &error);
	if (!rule) {
		log_error("unable to compile the expression: line %d, column %d: %s%s", error.line,
			error.column, error.message, suggest(&error, hint, sizeof(hint)));
		show(expression, &error);
		return EXIT_PERMANENT;
	}
	tags_read();
	result = rule_evaluate_text(rule, tags_get, NULL, &text, why, sizeof(why));
	rule_free(rule);
	if (result == RULE_FAILED) {
		log_error("unable to evaluate the expression: %s%s", why,
			strstr(why, "not supported between") && strstr(why, "'str'")
				? "; tags are texts: put them into float()"
				: "");
		return EXIT_PERMANENT;
	}
	(void)puts(text); /* finish_output() sees a failure */
	free(text);
	finish_output();
	return result == RULE_TRUE ? 0 : EXIT_FALSE;
}

static void print_answer(const char *expression)
{
	struct rule_error error;
	struct rule *rule = compile(expression, &error);
	enum rule_result result;
	char why[RULE_WHY] = "", hint[NEAREST_HINT];

	/* finish_output() sees a failure to write. */
	if (!rule) {
		(void)printf("error: column %d: %s%s\n", error.column, error.message,
			suggest(&error, hint, sizeof(hint)));
		return;
	}
	result = rule_evaluate(rule, tags_get, NULL, why, sizeof(why));
	if (result == RULE_FAILED)
		(void)printf("error: %s\n", why);
	else
		(void)puts(result == RULE_TRUE ? "true" : "false");
	rule_free(rule);
}

static int evaluate_lines(const char *file, const char *tags)
{
	const bool standard = strcmp(file, "-") == 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	FILE *in;

	if (standard && strcmp(tags, "-") == 0)
		die(EXIT_PERMANENT, "unable to read rules and tags from standard input both; "
				    "give one of them as a file");
	in = standard ? stdin : fopen(file, "re");
	if (!in)
		die(failure_code(errno), "unable to open %s: %s", file, strerror(errno));
	tags_open(tags);
	if (!tags_are_json())
		die(EXIT_PERMANENT,
			"unable to read tags from %s: it is no JSON; getdcmtags -p makes some",
			tags);
	while ((length = getline(&line, &size, in)) > 0) {
		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if (length > 0 && line[length - 1] == '\r')
			line[length - 1] = '\0';
		print_answer(line);
	}
	if (ferror(in))
		die(EXIT_TEMPORARY, "unable to read %s: %s", file, strerror(errno));
	free(line);
	if (!standard)
		(void)fclose(in); /* only read */
	finish_output();
	return 0;
}

int main(int argc, char *argv[])
{
	bool lines = false;
	int letter, count, code;

	log_open(argv[0]);
	opterr = 0;
	while ((letter = getopt(argc, argv, "+bh")) != -1) {
		if (letter == 'b') {
			lines = true;
			continue;
		}
		if (letter == '?')
			log_error("unknown option -%c; -- goes before an expression like that",
				optopt);
		(void)fputs(usage, letter == 'h' ? stdout : stderr);
		return letter == 'h' ? 0 : EXIT_PERMANENT;
	}
	count = argc - optind;
	argv += optind;
	if (lines ? count != 2 : count < 1 || count > 2) {
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	code = lines ? evaluate_lines(argv[0], argv[1]) : evaluate(argv[0], argv[1]);
	tags_close();
	return code;
}
