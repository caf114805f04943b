/* test_rule: the rule language as a rule sees it; rule_compare.c compares it with Python. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "rule/rule.h"
#include "rule_test.h"
#include "tap.h"

static char why[256];

static enum rule_result result_of(const char *text)
{
	struct rule_error error;
	struct rule *rule = rule_compile(text, known, &error);
	enum rule_result result;

	if (!rule) {
		printf("# %d:%d: %s\n", error.line, error.column, error.message);
		return (enum rule_result) - 1;
	}
	*why = '\0';
	result = rule_evaluate(rule, tag_value, ct, why, sizeof(why));
	rule_free(rule);
	return result;
}

static void test_values(void)
{
	static const char *const hold[] = {
		"'CINE' in tags.SeriesDescription",
		"tags.Modality == 'CT' and float(tags.SliceThickness) < 2",
		"@Modality@ == tags['MODALITY'] == tags.modality",
		"tags.Modality in ('CT', 'MR') and not tags.StationName",
		"tags.Modality not in [\"MR\", 'US']",
		"len(tags.PatientName) == 11 and tags.PatientName[1] == '\\xfc'",
		"tags.PatientName.upper() == 'M\xc3\x9cLLER^J\xc3\x96RG'",
		"tags.ImageType.split('\\\\')[-1] == 'AXIAL'",
		"tags.SeriesDescription.lower().startswith(('ct', 'thorax'))",
		"(tags.StationName or 'none') == 'none'",
		"-7 // 2 == -4 and -7 % 3 == 2 and 7 / 2 == 3.5",
		"1 < 2 <= 2 != 3",
		"'a' if tags.StationName else True",
		"not not 'x' and -(-1) == +1",
		"str(0.1 + 0.2) == '0.30000000000000004' and str((1,)) == '(1,)'",
		"str(-4.0 % 2) == '0.0' and str(4.0 % -2) == '-0.0' and -7.5 // 2 == -4",
		"'abc'[:-9:-1] == 'cba' and 'abc'[-9::-1] == '' and 'abc'[9::-2] == 'ca'",
		"'\\u039f\\u03a3^\\u0392'.lower() == '\\u03bf\\u03c3^\\u03b2'",
		"'A^\\u03a3'.lower() == 'a^\\u03c2'",
		"'abc'[::-1] == 'cba' and 'abc'[-2:] == 'bc'",
		"9007199254740993 != 9007199254740992.0",
		"str(2 ** -24) == '5.960464477539063e-08' and str(2 ** -23)[-6:] == '25e-07'",
		"-2 ** 2 == -4 and 2 ** 3 ** 2 == 512 and 2 ** -1 == 0.5 and (-2) ** 63 < 0",
		"1 | 2 ^ 3 & 5 + 1 == 1 and ~5 == -6 and str(True & True) == 'True'",
		"round(2.5) == 2 and round(1250, -2) == 1200 and str(round(15.0, -1)) == '20.0'",
		"min(3, 1, 2) == 1 and max('ab') == 'b' and sorted('cab') == ['a', 'b', 'c']",
		"sum([1, 2.5]) == 3.5 and any([0, '']) == False and all([]) and abs(-2) == 2",
		"ord(chr(0x4e00)) == 19968 and '-7'.zfill(4) == '-007'",
		"'abc'.find('c', 1, 2) == -1 and 'abc'.find('', 4) == -1 and [1, 2].index(2) == 1",
		"'\\xdfa b'.title() == 'Ssa B' and 'STRA\\xdfE'.casefold() == 'strasse'",
		"search(r'(?i)cine$', tags.SeriesDescription) and not match('CINE', 'x CINE')",
		"search('m\\xdcLLER|x' '|(?i)^M\\xdcl', tags.PatientName)",
		"date('20260301') - date('2026.02.01') == 28 and date('2026-11-22') % 7 == 0",
		"time('1030') == 37800 and time('10:30:15.5') == 37815.5 and time('235960')",
		"age('054Y') == 54 and age('006M') == 0.5 and age('20080229', '20260301') == 18.0",
		"17.99 < age('20080229', '20260228') < 18 and age('20260101', '20260101') == 0",
		"'modality' in tags and 'Modalty' not in tags and not 'Modality' not in tags",
		"{1, 2} < {3, 1, 2} and {1} | {2} == {2, 1} and str({1, True}) == '{1}'",
		"{'CT': 1, 'MR': 2}[tags.Modality] == 1 and {}.get('x', 3) == 3 and not {}",
		"{'a': 1, 'b': 2} == {'b': 2, 'a': 1} and list({'a': 1}) == {'a': 2}.keys()",
		"'%5.1f|%-4d|%04d|%s' % (1.25, 3, -7, ['x']) == '  1.2|3   |-007|[\\'x\\']'",
		"'{:>4}{1}'.format(1) if False else '{:>4}|{:,}|{!r}'.format('a', 1234, 'b') == "
		"'   a|1,234|\\'b\\''",
		"format(12345, '010,') == '00,012,345' and '%(a)s' % {'a': 1} == '1'",
		"floor(-1.5) == -2 and ceil(1.2) == 2 and trunc(-1.5) == -1",
		"divmod(-7, 2) == (-4, 1) and pow(2, 5) == 32 and sqrt(4) == log10(100) == 2",
		"'a-b-c'.rsplit('-', 1) == ['a-b', 'c'] and '-'.join(['a', 'b']) == 'a-b'",
		"'a=b'.partition('=') == ('a', '=', 'b') and 'a\\r\\nb'.splitlines() == ['a', 'b']",
		"'abc'.removeprefix('a').removesuffix('c') == 'b' and 'abab'.rfind('a') == 2",
		"'7'.rjust(3, '0') == '007' and '7'.ljust(3) + '|' == '7  |'",
		"any_of(['Kopf', 'SCH\\xc4DEL'], 'ct sch\\xe4del') and not any_of([], 'x')",
	};
	static const char *const not [] = { "tags.Modality == 'MR'", "tags.StationName", "0.0",
		"()", "None", "'x' and ''", "1 == '1'", "False and 1 / 0" };

	for (size_t i = 0; i < sizeof(hold) / sizeof(*hold); i++)
		ok(result_of(hold[i]) == RULE_TRUE, hold[i]);
	for (size_t i = 0; i < sizeof(not ) / sizeof(*not ); i++)
		ok(result_of(not [i]) == RULE_FALSE, not [i]);
}

static void test_failures(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "float(tags.StationName)", "ValueError: could not convert string to float: ''" },
		{ "int('1.5')", "ValueError: invalid literal for int() with base 10: '1.5'" },
		{ "1 / 0", "ZeroDivisionError: division by zero" },
		{ "1 < 'a'", "TypeError: '<' not supported between instances of 'int' and 'str'" },
		{ "'a'[3]", "IndexError: string index out of range" },
		{ "len(1)", "TypeError: object of type 'int' has no len()" },
		{ "(1).lower()", "AttributeError: 'int' object has no attribute 'lower'" },
		{ "9223372036854775807 + 1",
			"OverflowError: the result is too large; ints have 64 bits" },
		{ "-9223372036854775807 - 2",
			"OverflowError: the result is too large; ints have 64 bits" },
		{ "(-9223372036854775807 - 1) // -1",
			"OverflowError: the result is too large; ints have 64 bits" },
		{ "0 ** -1", "ZeroDivisionError: 0.0 cannot be raised to a negative power" },
		{ "(-8) ** 0.5", "ValueError: the root of a negative number is complex" },
		{ "3 ** 64", "OverflowError: the result is too large; ints have 64 bits" },
		{ "max([])", "ValueError: max() arg is an empty sequence" },
		{ "sorted([1, 'a'])",
			"TypeError: '<' not supported between instances of 'str' and 'int'" },
		{ "date(tags.StationName)", "ValueError: not a date YYYYMMDD: ''" },
		{ "date('20260229')", "ValueError: not a date YYYYMMDD: '20260229'" },
		{ "time('2400')", "ValueError: not a time HHMMSS: '2400'" },
		{ "age('54')", "ValueError: not an age such as 045Y: '54'" },
		{ "{[1]}", "TypeError: unhashable type: 'list'" },
		{ "{'a': 1}['b']", "KeyError: 'b'" },
		{ "{1} < [1]",
			"TypeError: '<' not supported between instances of 'set' and 'list'" },
		{ "'%d' % 'x'", "TypeError: %d format: a real number is required, not str" },
		{ "'%s' % (1, 2)",
			"TypeError: not all arguments converted during string formatting" },
		{ "'{} {}'.format(1)", "IndexError: Replacement index 1 out of range for "
				       "positional args tuple" },
		{ "'x'.ljust(10 ** 12)", "MemoryError: the rule needs more than 1024 KiB" },
		{ "'%*d' % (10 ** 9, 1)", "MemoryError: the rule needs more than 1024 KiB" },
		{ "'{:2000000000}'.format(1)", "MemoryError: the rule needs more than 1024 KiB" },
		{ "'%.2000000f' % 1", "ValueError: precision too big" },
		{ "'%.2000000d' % 1", "MemoryError: the number is too wide" },
		{ "format(1, '02000000,')", "MemoryError: the number is too wide" },
		{ "'%s' * 30000 % tuple(['x' * 900] * 30000)",
			"MemoryError: the rule needs more than 1024 KiB" },
		{ "len(set(('%d ' * 3000 % tuple(sorted([1] * 3000))).split())) == 0 or sqrt(-1)",
			"ValueError: math domain error" },
		{ "'x'.join(['y' * 900000] * 30000)",
			"MemoryError: the rule needs more than 1024 KiB" },
		{ "('a' * 100000).rfind('a' * 50000 + 'b')",
			"RuntimeError: the rule takes more than 1000000 steps" },
		{ "search('(a+)+$', 'a' * 50 + 'b')",
			"RuntimeError: the pattern takes too many steps" },
		{ "search('x', 'a' * 999000)",
			"RuntimeError: the rule takes more than 1000000 steps" },
		{ "'x' * 2000000", "MemoryError: the rule needs more than 1024 KiB" },
		{ "[[[1] * 20000] * 20000] * 20000 == 0",
			"MemoryError: the rule needs more than 1024 KiB" },
		{ "[[[1] * 9000] * 9000] * 900 == [[[1] * 9000] * 9000] * 900",
			"RuntimeError: the rule takes more than 1000000 steps" },
		{ "str([[['x'] * 9000] * 9000] * 900)",
			"MemoryError: str() of a value that is too large" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!ok(result_of(cases[i].text) == RULE_FAILED && strcmp(why, cases[i].why) == 0,
			    cases[i].text))
			printf("# %s\n", why);
}

static void test_mistakes(void)
{
	static const struct {
		const char *text;
		int line, column;
		const char *message;
	} cases[] = {
		{ "", 1, 1, "found the end of the rule, expected a value" },
		{ "tags.Modality = 'CT'", 1, 15, "found '=', which assigns" },
		{ "tags.Modalty == 'CT'", 1, 6, "no such tag 'Modalty'" },
		{ "True and\n @Modalty@", 2, 2, "no such tag 'Modalty'" },
		{ "tags['Modalty']", 1, 6, "no such tag 'Modalty'" },
		{ "tags", 1, 5, "found the end of the rule, expected '.NAME'" },
		{ "Modality == 'CT'", 1, 1, "unknown name 'Modality', expected tags.Modality" },
		{ "import os", 1, 1, "unknown name 'import', expected a value" },
		{ "eval('1')", 1, 1, "unknown function 'eval'" },
		{ "tags.Modality.__class__", 1, 15, "unknown method '__class__'" },
		{ "tags.Modality.lower == 'ct'", 1, 21, "found ==, expected '(' behind 'lower'" },
		{ "len('a', 'b')", 1, 1, "len() has 2 arguments, expected 1" },
		{ "'\xc3\xa4' == 'b' 1", 1, 12, "found 1, expected an operator or the end" },
		{ "1 +", 1, 4, "found the end of the rule, expected a value" },
		{ "(1, 2", 1, 6, "found the end of the rule, expected ',' or ')'" },
		{ "x; y", 1, 1, "unknown name 'x'" },
		{ "1; 2", 1, 2, "found ;, expected an operator or the end" },
		{ "'abc", 1, 1, "this string does not end; expected '" },
		{ "'\\x1'", 1, 2, "'\\x' needs 2 hexadecimal digits" },
		{ "f'{1}'", 1, 1,
			"an f-string is not part of the rule language; write '{}'.format" },
		{ "b'1'", 1, 1, "a string with the prefix 'b' is not supported" },
		{ "010 == 8", 1, 1, "a number cannot begin with 0" },
		{ "9223372036854775808", 1, 1, "this number is too large; ints have 64 bits" },
		{ "1j", 1, 1, "this is no number" },
		{ "1 not 2", 1, 7, "found 2, expected 'in' behind 'not'" },
		{ "1 is 1", 1, 6, "expected None behind 'is'" },
		{ "\xe2\x80\x98"
		  "CT",
			1, 1, "unexpected character U+2018 outside a string" },
		{ "@Modality", 1, 1, "'@' begins no tag" },
		{ "search('(', 'a')", 1, 10, "the pattern is wrong: missing closing parenthesis" },
		{ "match(r'''ab[z-a]''', 'a')", 1, 16, "the pattern is wrong: range out of order" },
		{ "search(tags.Modality, 'a')", 1, 8, "the pattern of search() must be a string" },
		{ "search('a' + 'b', 'a')", 1, 8, "the pattern of search() must be a string" },
		{ "1 << 2", 1, 3, "found <<, expected an operator or the end" },
		{ "'a'('b')", 1, 4, "found (, expected an operator or the end" },
		{ "[x for x in 'a']", 1, 2, "a comprehension is not part of the rule language" },
		{ "lambda: 1", 1, 1, "lambda is not part of the rule language" },
		{ "any(x in 'a' for x in 'b')", 1, 5, "a comprehension is not part of the rule" },
		{ "[1 for x in 'a']", 1, 4, "a comprehension is not part of the rule" },
		{ "range(3)", 1, 1, "range is not part of the rule language; compare, as in" },
		{ "sin(1)", 1, 1,
			"sin is not part of the rule language; there is no trigonometry" },
		{ "math.floor(1)", 1, 1, "math is not part of the rule language; its functions" },
		{ "{1: 2, 3}", 1, 9, "found }, expected ':' and a value behind a key" },
		{ "{1, 2: 3}", 1, 6, "found :, expected ',' or '}'" },
		{ "{1: 2 3}", 1, 7, "found 3, expected ',' or '}'" },
		{ "tags.Modality in tags", 1, 1, "expected the name of a tag in quotes before" },
		{ "'Modality' in tags == True", 1, 20, "found ==, expected an operator or" },
	};
	struct rule_error error;
	struct rule *rule;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		error = (struct rule_error){ 0 };
		rule = rule_compile(cases[i].text, known, &error);
		if (!ok(!rule && error.line == cases[i].line && error.column == cases[i].column &&
				    strncmp(error.message, cases[i].message,
					    strlen(cases[i].message)) == 0,
			    cases[i].message))
			printf("# %d:%d: %s\n", error.line, error.column, error.message);
		rule_free(rule);
	}
}

/* count times part, middle, count times tail: compiles, or fails with what begins like message. */
static bool repeated(
	const char *part, size_t count, const char *middle, const char *tail, const char *message)
{
	size_t size = count * (strlen(part) + strlen(tail)) + strlen(middle) + 1;
	char *text = malloc(size), *at = text;
	struct rule_error error = { 0 };
	struct rule *rule;

	if (!text)
		return false;
	for (size_t i = 0; i < count; i++, at += strlen(part))
		memcpy(at, part, strlen(part));
	memcpy(at, middle, strlen(middle) + 1);
	at += strlen(middle);
	for (size_t i = 0; i < count; i++, at += strlen(tail))
		memcpy(at, tail, strlen(tail) + 1);
	rule = rule_compile(text, known, &error);
	if (rule)
		(void)rule_evaluate(rule, tag_value, ct, why, sizeof(why));
	free(text);
	rule_free(rule);
	return message ? !rule && strncmp(error.message, message, strlen(message)) == 0
		       : rule != NULL;
}

static void test_bounds(void)
{
	const char *deep = "this is nested more than 200 deep";

	ok(repeated("(", 150, "1", ")", NULL), "150 parentheses");
	ok(repeated("(", 20000, "1", ")", deep), "20,000 parentheses");
	ok(repeated("[", 20000, "1", "]", deep), "20,000 brackets");
	ok(repeated("not ", 10000, "1", "", deep), "10,000 times not");
	ok(repeated("-", 60000, "1", "", deep), "60,000 minus signs");
	ok(repeated("2**", 20000, "1", "", deep), "20,000 powers");
	ok(repeated("~", 60000, "1", "", deep), "60,000 times ~");
	ok(repeated("1 if 1 else ", 4000, "1", "", deep), "4,000 conditionals");
	ok(repeated("1+", 30000, "1", "", deep), "30,000 additions");
	ok(repeated("", 30000, "'a'", "[0]", "the rule has 90003 bytes"), "90,003 bytes");
	ok(repeated("", 10000, "'a'", "[0]", deep), "10,000 subscripts");
	ok(repeated("1 or ", 10000, "1", "", NULL), "10,000 alternatives");
	ok(repeated("1<", 30000, "2", "", NULL), "a chain of 30,000 comparisons");
	ok(repeated("'',", 10000, "''", "", "found ,"), "a tuple without parentheses");
	ok(repeated("'a'", 20000, "", "", NULL), "20,000 strings in a row");
}

/* The values of two evaluations of one rule do not mix. */
static const char *inner_tag(const void *context, const char *name)
{
	static const struct tag mr[] = { { "Modality", "MR" }, { NULL, NULL } };
	const struct rule *rule = context;
	char reason[64];

	(void)name; /* the rule asks for one tag only */
	return rule_evaluate(rule, tag_value, mr, reason, sizeof(reason)) == RULE_FALSE ? "CT" : "";
}

static void test_reentrant(void)
{
	struct rule_error error;
	struct rule *rule = rule_compile("('x' + tags.Modality).lower() == 'xct'", known, &error);

	ok(rule && rule_evaluate(rule, inner_tag, rule, why, sizeof(why)) == RULE_TRUE,
		"an evaluation inside another of the same rule");
	rule_free(rule);
	rule_free(NULL);
	rule = rule_compile("1 / 0", known, &error);
	ok(rule && rule_evaluate(rule, tag_value, ct, why, 5) == RULE_FAILED &&
			strcmp(why, "Z...") == 0,
		"a short buffer for the reason");
	rule_free(rule);
}

/* What may pass is told apart from a mistake: programs exit 111 then, not 100. */
static void test_memory(void)
{
#ifndef __SANITIZE_ADDRESS__ /* which has taken all addresses */
	enum { TERMS = 8000 };
	char *text = malloc(TERMS * sizeof(" 'a' or") + 1), *p = text;
	struct rlimit all, none;
	struct rule_error error;
	struct rule *rule;

	for (int i = 0; i < TERMS; i++, p += strlen(p))
		strcpy(p, i < TERMS - 1 ? " 'a' or" : " 'a'");
	(void)getrlimit(RLIMIT_AS, &all);
	none = (struct rlimit){ .rlim_cur = 1, .rlim_max = all.rlim_max };
	(void)setrlimit(RLIMIT_AS, &none);
	rule = rule_compile(text, known, &error);
	(void)setrlimit(RLIMIT_AS, &all);
	ok(!rule && error.no_memory && strcmp(error.message, "out of memory") == 0,
		"what cannot be compiled for want of memory is no mistake");
	rule_free(rule);
	rule = rule_compile("'a' or", known, &error);
	ok(!rule && !error.no_memory, "a mistake is no want of memory");
	rule_free(rule);
	free(text);
#endif
}

int main(void)
{
	test_memory();
	test_values();
	test_failures();
	test_mistakes();
	test_bounds();
	test_reentrant();
	return tap_done();
}
