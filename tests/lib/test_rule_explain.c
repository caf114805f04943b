/* test_rule_explain: what is said of a rule's parts, and how much of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/explain.h"
#include "base/str.h"
#include "rule_test.h"
#include "tap.h"

/* A line a part, two blanks a level: TEXT = VALUE, TEXT - (not evaluated), TEXT ! (failed), TEXT !!
 * (it was this one), ... N (left out). The caller frees. */
static char *explained(const char *text)
{
	static struct rule_explanation e;
	struct buf b = { 0 };
	struct rule_error error;
	struct rule *rule = rule_compile(text, known, &error);

	if (!rule || rule_explain(rule, tag_value, ct, &e) < 0)
		return NULL;
	for (size_t i = 0; i < e.count; i++) {
		const struct rule_part *part = &e.part[i];

		buf_printf(&b, "%s%*s", i ? "\n" : "", 2 * (int)part->depth, "");
		if (part->state == RULE_PART_MORE)
			buf_printf(&b, "... %zu%s", part->count, part->skipped ? " -" : "");
		else if (part->state == RULE_PART_VALUE)
			buf_printf(&b, "%s = %s", part->text, part->value);
		else
			buf_printf(&b, "%s %s", part->text,
				part->state == RULE_PART_SKIPPED ? "-"
				: part->raised                   ? "!!"
								 : "!");
	}
	if (e.result == RULE_FAILED)
		buf_printf(&b, "\n%s", e.why);
	rule_explanation_free(&e);
	rule_free(rule);
	return b.data;
}

static void test_explain(void)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "True", "True = True" },
		{ "tags.Modality == 'CT' and float( tags.SliceThickness )<2",
			"tags.Modality == 'CT' and float(tags.SliceThickness)<2 = True\n"
			"  tags.Modality == 'CT' = True\n"
			"    tags.Modality = 'CT'\n"
			"  float(tags.SliceThickness)<2 = True\n"
			"    float(tags.SliceThickness) = 1.5\n"
			"      tags.SliceThickness = '1.5'" },
		{ "tags.Modality == 'MR' and 1 / 0 or 'x'",
			"tags.Modality == 'MR' and 1 / 0 or 'x' = 'x'\n"
			"  tags.Modality == 'MR' and 1 / 0 = False\n"
			"    tags.Modality == 'MR' = False\n"
			"      tags.Modality = 'CT'\n"
			"    1 / 0 -\n"
			"  'x' = 'x'" },
		{ "not ((tags.Modality)) .lower() in ('mr',\n# why\n'ct')",
			"not ((tags.Modality)) .lower() in ('mr', 'ct') = False\n"
			"  ((tags.Modality)) .lower() in ('mr', 'ct') = True\n"
			"    ((tags.Modality)) .lower() = 'ct'\n"
			"      ((tags.Modality)) = 'CT'" },
		{ "(\n\ttags [ 'Modality' ]\n\t== @Modality@ # same\n)",
			"(tags ['Modality'] == @Modality@) = True\n"
			"  tags ['Modality'] = 'CT'\n"
			"  @Modality@ = 'CT'" },
		{ "tags.PatientName[:2]+'\xc3\xa4' 'b' == 'M\xc3\xbc\xc3\xa4"
		  "b'",
			"tags.PatientName[:2]+'\xc3\xa4' 'b' == 'M\xc3\xbc\xc3\xa4"
			"b' = True\n"
			"  tags.PatientName[:2]+'\xc3\xa4' 'b' = 'M\xc3\xbc\xc3\xa4"
			"b'\n"
			"    tags.PatientName[:2] = 'M\xc3\xbc'\n"
			"      tags.PatientName = 'M\xc3\xbcller^J\xc3\xb6rg'" },
		{ "1 if tags.StationName else -2 ** 2", "1 if tags.StationName else -2 ** 2 = -4\n"
							"  tags.StationName = ''\n"
							"  1 -\n"
							"  -2 ** 2 = -4\n"
							"    2 ** 2 = 4" },
		{ "0 < float(tags.StationName) < len(tags.Modality)",
			"0 < float(tags.StationName) < len(tags.Modality) !\n"
			"  float(tags.StationName) !!\n"
			"    tags.StationName = ''\n"
			"  len(tags.Modality) -\n"
			"ValueError: could not convert string to float: ''" },
		{ "search(r'^c.*', tags.Modality) or [tags.Modality, 1][0:1] == ['CT']",
			"search(r'^c.*', tags.Modality) or [tags.Modality, 1][0:1] == ['CT'] = "
			"True\n"
			"  search(r'^c.*', tags.Modality) = False\n"
			"    tags.Modality = 'CT'\n"
			"  [tags.Modality, 1][0:1] == ['CT'] = True\n"
			"    [tags.Modality, 1][0:1] = ['CT']\n"
			"      [tags.Modality, 1] = ['CT', 1]\n"
			"        tags.Modality = 'CT'" },
	};
	char *got;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		got = explained(cases[i].text);
		if (!ok(got && strcmp(got, cases[i].expected) == 0, "an explanation"))
			printf("%s\nis explained as\n%s\n", cases[i].text, got ? got : "nothing");
		free(got);
	}
}

/* What is told has a bound: of operands, of depth, of text, of values. */
static void test_explain_bounds(void)
{
	struct buf b = { 0 };
	char *got;

	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "tags.Modality == '%d' or ", i);
	buf_puts(&b, "tags.Modality == 'CT' or 1 or 2");
	got = explained(b.data);
	ok(got && strstr(got, "\n  ... 989\n  tags.Modality == 'CT' = True\n"),
		"of a long chain, the one that decided is told");
	ok(got && strstr(got, "\n  ... 2 -") && strlen(got) < 4000, "and how many are not");
	free(got);
	buf_free(&b);
	got = explained("'ab' * 5000 == tags.Modality");
	ok(got && strstr(got, "'ab' * 5000 = 'ababab") &&
			strstr(got, "abab'... (10000 characters)") && strlen(got) < 500,
		"of a long value, the beginning and its length");
	free(got);
	got = explained("[[[1] * 9000] * 9000] * 9000 != 1");
	ok(got && strstr(got, " 1, 1... (9000 items)") && strlen(got) < 3000,
		"of a list that is larger than memory as well");
	free(got);
	for (int i = 0; i < 150; i++)
		buf_puts(&b, "not ");
	buf_puts(&b, "tags.Modality");
	got = explained(b.data);
	ok(got && strstr(got, "\n                              not ") && !strstr(got, "= 'CT'"),
		"not all levels of what is nested");
	free(got);
	buf_free(&b);
	for (int i = 0; i < 30000; i++)
		buf_puts(&b, "1<");
	buf_puts(&b, "tags.Modality");
	got = explained(b.data);
	ok(got && strlen(got) < 3000 && strstr(got, "1<1<... = False"), "a text of 60,000 bytes");
	free(got);
	buf_free(&b);
}

int main(void)
{
	test_explain();
	test_explain_bounds();
	return tap_done();
}
