/* test_rule_text: what is said about rules: reasons, mistakes, values; and what is found without
 * evaluating. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/explain.h"
#include "rule/never.h"
#include "base/str.h"
#include "tap.h"

static const char *tag_value(const void *context, const char *name)
{
	(void)name; /* all are the same */
	return context;
}

static bool known(const char *name)
{
	return strcmp(name, "Nil") != 0;
}

/* The reason for which text fails when every tag is value, in a buffer of size bytes. */
static const char *reason(const char *text, const char *value, size_t size)
{
	static char why[2 * RULE_WHY];
	struct rule_error error;
	struct rule *rule = rule_compile(text, known, &error);

	memset(why, 'x', sizeof(why));
	if (!rule || rule_evaluate(rule, tag_value, value, why, size) != RULE_FAILED)
		snprintf(why, sizeof(why), "(it did not fail)");
	rule_free(rule);
	return why;
}

static bool is_utf8(const char *text)
{
	json_t *string = json_string(text);
	bool is = string && !rule_not_utf8(text, strlen(text));

	json_decref(string);
	return is;
}

/* Wherever a reason is cut, no half of a character is left. */
static void test_cut(void)
{
	struct buf b = { 0 };
	bool whole = true, fits = true, marked = true;

	for (size_t before = 0; before < 8; before++) {
		b.length = 0;
		buf_puts(&b, &"aaaaaaaa"[before]);
		for (int i = 0; i < 300; i++)
			buf_puts(&b, i % 3 ? "\xe6\x97\xa5" : "\xf0\x9f\x98\x80");
		for (size_t size = 1; size < RULE_WHY + 40; size++) {
			const char *why = reason("float(tags.X)", b.data, size);
			size_t length = strlen(why);

			whole &= is_utf8(why);
			fits &= length < size && length < RULE_WHY;
			marked &= size < 4 || strcmp(why + length - 3, "...") == 0;
		}
	}
	ok(whole, "a reason is UTF-8, wherever it is cut");
	ok(fits, "it has room");
	ok(marked, "it says that it was cut");
	buf_free(&b);
	ok(strcmp(reason("float('x')", "", 60),
		   "ValueError: could not convert string to float: 'x'") == 0,
		"one that fits is whole");
	ok(strcmp(reason("float('x')", "", 51),
		   "ValueError: could not convert string to float: 'x'") == 0,
		"one that fits exactly is whole");
	ok(strcmp(reason("float('x')", "", 50),
		   "ValueError: could not convert string to float:...") == 0,
		"one that does not is not");
}

static void test_strange(void)
{
	static const struct {
		const char *text, *value, *end;
	} cases[] = {
		{ "float('\\ud800' + tags.X)", "\xe3\x81\x82", "float: '\\ud800\xe3\x81\x82'" },
		{ "float(tags.X)", "M\xfcller", "float: 'M\\xfcller'" },
		{ "float(tags.X)", "\xed\xa0\x80\xc0\x80\xf4\x90\x80\x80", NULL },
		{ "float(tags.X)", "a\nb\x1b[2J\xe2\x80\xae\xe2\x80\x8b",
			"'a\\nb\\x1b[2J\\u202e\\u200b'" },
		{ "int(chr(0xe0001))", "", "10: '\\U000e0001'" },
	};
	struct rule_error error;
	char *text = NULL, why[RULE_WHY];
	struct rule *rule;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *got = reason(cases[i].text, cases[i].value, RULE_WHY);
		const char *end = cases[i].end ? cases[i].end : "'";
		size_t n = strlen(got), m = strlen(end);

		if (!ok(is_utf8(got) && n > m && strcmp(got + n - m, end) == 0, cases[i].text))
			printf("# %s\n", got);
	}
	rule = rule_compile("[tags.X, '\xc3\xa4', '\\xad\\u3000']", known, &error);
	ok(rule &&
			rule_evaluate_text(rule, tag_value, "\xe2\x80\xae\xf0\x9f\x98\x80", &text,
				why, sizeof(why)) == RULE_TRUE &&
			strcmp(text, "['\\u202e\xf0\x9f\x98\x80', '\xc3\xa4', '\\xad\\u3000']") ==
				0,
		"what is not printable is escaped in a value, as Python does it");
	free(text);
	rule_free(rule);
}

/* rule_compile() fails at line and column, and is shown like this. */
static void fails(const char *text, int line, int column, const char *message, const char *shown)
{
	struct rule_error error;
	struct rule *rule = rule_compile(text, known, &error);
	struct buf b = { 0 };

	if (!ok(!rule && error.line == line && error.column == column &&
			    strstr(error.message, message) && is_utf8(error.message),
		    message))
		printf("# %d:%d: %s\n", error.line, error.column, error.message);
	rule_show(&b, text, &error, "  ");
	if (!ok(b.data && strcmp(b.data, shown) == 0, "shown with a caret"))
		printf("%s\ninstead of\n%s\n", b.data, shown);
	buf_free(&b);
	rule_free(rule);
}

static void test_mistakes(void)
{
	struct rule_error error;
	char text[400] = "1 ";

	fails("True and\n 'M\xfcller'", 2, 4, "not UTF-8", "   'M?ller'\n     ^");
	fails("# \xe4\nTrue", 1, 3, "not UTF-8", "  # ?\n    ^");
	fails("'\xed\xa0\x80'", 1, 2, "not UTF-8", "  '?'\n   ^");
	fails("\t'\xc3\xa4' 1", 1, 6, "found 1", "   '\xc3\xa4' 1\n       ^");
	fails("'\x1b[2J\xe2\x80\xae' 1", 1, 9, "found 1", "  ' [2J?' 1\n          ^");
	fails("tags.Nil", 1, 6, "no such tag 'Nil'", "  tags.Nil\n       ^");
	ok(!rule_compile("tags.Nil", known, &error) && strcmp(error.name, "Nil") == 0,
		"the name of a tag that is not known");
	ok(!rule_compile("tags.Modality 1", known, &error) && !*error.name, "and no other");
	for (size_t n = 2; n < 300; n += 3) {
		memcpy(text + n, "\xe6\x97\xa5", 4);
		text[0] = '\'';
		text[1] = 'a';
		if (rule_compile(text, known, &error) || !is_utf8(error.message))
			break;
	}
	ok(is_utf8(error.message), "a message is UTF-8, whatever it quotes");
}

/* ---- rules that can never apply ---- */

static void test_never(void)
{
	static const struct {
		const char *text, *why;
	} never[] = {
		{ "tags.A == 2", "a text never equals a number" },
		{ "2.5 == tags.A", "a text never equals a number" },
		{ "tags.A == -1", "a text never equals a number" },
		{ "tags.A == True", "a text never equals a number" },
		{ "float(tags.A) == '2'", "a text never equals a number" },
		{ "tags.A == None", "never equal" },
		{ "tags.A < 2", "a text has no order with a number" },
		{ "1 < tags.A < 3", "a text has no order with a number" },
		{ "len(tags.A) > '2'", "a text has no order with a number" },
		{ "tags.A > None", "no order" },
		{ "tags.A is None", "it is never that" },
		{ "tags.A is True", "it is never that" },
		{ "tags.A and False", "False: it is always false" },
		{ "tags.A and 1 / 0", "1 / 0: it always fails" },
		{ "tags.A and 'x' == 'y' and tags.B", "'x' == 'y': it is always false" },
		{ "tags.A in []", "nothing is in an empty list" },
		{ "tags.A in ()", "nothing is in an empty list" },
		{ "tags.A in [1, 2]", "no item of the list has its type" },
		{ "int(tags.A) in ('1', '2')", "no item of the list has its type" },
		{ "2 in tags.A", "only a text can be in a text" },
		{ "tags.A in 2", "nothing can be in a number" },
		{ "tags.A.lower() == 'CINE'", "no capital letter" },
		{ "'Cine' == tags.A.strip().casefold()[:4]", "no capital letter" },
		{ "tags.A.upper() in ['cine', 'Loc']", "no small letter" },
		{ "'CINE' in tags.A.lower()", "no capital letter" },
		{ "tags.A.lower().startswith(('CINE', 'Loc'))", "no capital letter" },
		{ "tags.A == 2 or tags.B.lower() == 'X'", "tags.A == 2: a text never" },
		{ "not (tags.A != 2)", "a text never equals a number" },
		{ "not (tags.A or True)", "True: it is always true" },
		{ "tags.A if False else tags.B == 1", "tags.B == 1: a text never" },
		{ "float(tags.A).strip()", "only texts have this method" },
		{ "[tags.A < 2, 1]", "tags.A < 2: it always fails" },
	};
	static const char *const may[] = {
		"tags.A == '2'",
		"float(tags.A) == 2",
		"float(tags.A) == True",
		"tags.A != 2",
		"tags.A not in [1]",
		"tags.A == 2 or tags.B",
		"tags.A or 1 / 0",
		"tags.A and (False or tags.B)",
		"(tags.A or None) is None",
		"(tags.A or 2) == 2",
		"tags.A is not None",
		"tags.A in ''",
		"tags.A in [1, '2']",
		"tags.A in [1, tags.B]",
		"tags.A in tags.B.split()",
		"2 in [len(tags.A)]",
		"2 in (tags.A or [2])",
		"tags.A.lower() != 'CINE'",
		"tags.A.lower() == 'cine 2'",
		"tags.A.upper() in ['cine', 'LOC']",
		"tags.A.upper() == '\xc3\xa4'",
		"tags.A.lower().upper() == 'CINE'",
		"tags.A.lower().replace('x', 'X') == 'X'",
		"tags.A.lower().startswith(('cine', 'Loc'))",
		"tags.A.lower().find('CINE') < 0",
		"tags.A.split().index('x') == 1",
		"max(tags.A, 'x') > 'a'",
		"tags.A * 2 == 'aa'",
		"not tags.A.startswith('x') == True",
		"tags.A.startswith('x') == 1",
		"1 in [True if tags.A else False]",
		"[tags.A, 1][0] == tags.B",
		"search('x', tags.A) is True",
		"sorted(tags.A)[0] == 'a'",
		"min([float(tags.A), 2]) < 2",
		"tags.A",
	};
	char why[RULE_WHY];
	struct rule_error error;
	struct rule *rule;

	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		*why = '\0';
		rule = rule_compile(never[i].text, known, &error);
		if (!ok(rule && rule_never(rule, why, sizeof(why)) && strstr(why, never[i].why),
			    never[i].text))
			printf("# %s\n", why);
		rule_free(rule);
	}
	for (size_t i = 0; i < sizeof(may) / sizeof(*may); i++) {
		rule = rule_compile(may[i], known, &error);
		if (!ok(rule && !rule_never(rule, why, sizeof(why)), may[i]))
			printf("# %s\n", rule ? why : error.message);
		rule_free(rule);
	}
}

/* It would take for ever if a part were looked at twice at each level. */
static void test_never_deep(void)
{
	struct buf b = { 0 };
	char why[RULE_WHY];
	struct rule_error error;
	struct rule *rule;

	for (int i = 0; i < 95; i++)
		buf_puts(&b, "tags.A in [");
	buf_puts(&b, "tags.B");
	for (int i = 0; i < 95; i++)
		buf_puts(&b, "]");
	rule = rule_compile(b.data, known, &error);
	ok(rule && rule_never(rule, why, sizeof(why)), "a deep rule");
	rule_free(rule);
	buf_free(&b);
}

/* ---- rules that are the same ---- */

static bool same(const char *a, const char *b)
{
	char *left = rule_normal(a), *right = rule_normal(b);
	bool are = left && right && strcmp(left, right) == 0;

	free(left);
	free(right);
	return are;
}

static void test_normal(void)
{
	ok(same("tags.Modality == 'CT'", " tags . modality==\"CT\" # x"), "quotes, case, blanks");
	ok(same("tags['Modality'] == '''CT'''", "@MODALITY@ == r'CT'"), "ways to write a tag");
	ok(same("'a b' in tags.X", "'a\\x20b' in tags.X"), "escapes");
	ok(same("1.0 < 0x10", "1e0 < 16"), "numbers");
	ok(!same("'a b' in tags.X", "'ab' in tags.X"), "blanks in a text count");
	ok(!same("'''a'b''' in tags.X", "'''a'B''' in tags.X"), "case in a text counts");
	ok(!same("tags.X == 'a'", "tags.X == 'A'"), "here too");
	ok(!same("not tags.X", "tags.nott"), "words stay apart");
	ok(!same("'tags' in [tags.X]", "'tags' in tags.X"), "brackets that mean something stay");
	ok(!same("'1' in tags.X", "1 in tags.X"), "a number is no text");
}

int main(void)
{
	test_cut();
	test_strange();
	test_mistakes();
	test_never();
	test_never_deep();
	test_normal();
	return tap_done();
}
