/*
 * rule_compare FILE: compares the rule language with Python's answers, line by line as
 * rule_oracle.py writes them:
 *
 *   EXPRESSION \t EXPECTED \t NAME=VALUE...   EXPECTED is true, false or fail
 *
 * In expression and values \t, \n, \r and \ are written as \t, \n, \r and \\.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/never.h"
#include "rule_test.h"

static bool any_name(const char *name)
{
	return *name != 'x'; /* the oracle uses names that it makes up */
}

/* Undoes the escapes, in place. */
static void unescape(char *text)
{
	static const char letters[] = "tnr\\", values[] = "\t\n\r\\";
	char *out = text;

	for (; *text; text++) {
		if (*text == '\\' && text[1] && strchr(letters, text[1]))
			*out++ = values[strchr(letters, *++text) - letters];
		else
			*out++ = *text;
	}
	*out = '\0';
}

static char *cut(char **line)
{
	char *field = *line, *tab = strchr(field, '\t');

	*line = tab ? tab + 1 : field + strlen(field);
	if (tab)
		*tab = '\0';
	unescape(field);
	return field;
}

/* Returns whether our answer is Python's. */
static bool agree(char *line, long number)
{
	static const char *const words[] = { "false", "true", "fail" };
	struct tag tags[32] = { { NULL, NULL } };
	struct rule_error error;
	char reason[RULE_WHY] = "", *text = cut(&line), *expected = cut(&line), *equals;
	struct rule *rule = rule_compile(text, any_name, &error);
	enum rule_result result;
	bool never;

	for (size_t i = 0; *line && i < sizeof(tags) / sizeof(*tags) - 1; i++) {
		tags[i].name = cut(&line);
		equals = strchr(tags[i].name, '=');
		if (!equals)
			continue;
		*equals = '\0';
		tags[i].value = equals + 1;
	}
	if (!rule) {
		printf("# line %ld: %s: column %d: %s\n", number, text, error.column,
			error.message);
		return false;
	}
	never = rule_never(rule, reason, sizeof(reason));
	result = rule_evaluate(rule, tag_value, tags, reason, sizeof(reason));
	rule_free(rule);
	if (never && result == RULE_TRUE) {
		printf("# line %ld: %s: it can be true\n", number, text);
		return false;
	}
	if (strcmp(words[result], expected) == 0)
		return true;
	printf("# line %ld: %s: Python %s, we %s %s\n", number, text, expected, words[result],
		reason);
	return false;
}

int main(int argc, char *argv[])
{
	FILE *in;
	char *line = NULL;
	size_t size = 0;
	long count = 0, wrong = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: rule_compare FILE\n");
		return 100;
	}
	in = fopen(argv[1], "r");
	if (!in) {
		perror(argv[1]);
		return 111;
	}
	while (getline(&line, &size, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		wrong += !agree(line, ++count);
	}
	free(line);
	(void)fclose(in); /* only read */
	printf("%ld expressions, %ld differ\n", count, wrong);
	return count == 0 || wrong != 0;
}
