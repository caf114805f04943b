/*
 * rulebench: how many evaluations a second. Reads rules from the file named, one a line; evaluates
 * all of them again and again with the tags of one series, for the milliseconds given; prints
 * evaluations per second, and how many of the rules were true and failed.
 *
 * usage: rulebench FILE MILLISECONDS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "rule/rule.h"
#include "base/str.h"

enum { RULES_MAX = 1000 };

/* As many as a series.json has, so that looking one up costs what it does there. */
static const char *const tags[][2] = {
	{ "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2" },
	{ "ImageType", "ORIGINAL\\PRIMARY\\AXIAL" },
	{ "SeriesDate", "20261122" },
	{ "SeriesTime", "140301.123" },
	{ "Manufacturer", "SIEMENS" },
	{ "InstitutionName", "Klinik" },
	{ "StationName", "CT1" },
	{ "StudyDescription", "Thorax" },
	{ "BodyPartExamined", "CHEST" },
	{ "PatientName", "M\xc3\xbcller^J\xc3\xb6rg" },
	{ "PatientID", "STUDY-123-A" },
	{ "PatientBirthDate", "19620304" },
	{ "PatientSex", "M" },
	{ "SenderAET", "CT1" },
	{ "MagneticFieldStrength", "" },
	{ "ContrastBolusAgent", "Imeron" },
	{ "SliceThickness", "1.5" },
	{ "SeriesDescription", "Thorax 1.0 CINE" },
	{ "Modality", "CT" },
};

static const char *tag(const void *context, const char *name)
{
	(void)context; /* there is one series */
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		if (strcasecmp(tags[i][0], name) == 0)
			return tags[i][1];
	return "";
}

static bool known(const char *name)
{
	(void)name; /* an absent one is "" */
	return true;
}

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail on Linux */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t read_rules(FILE *in, struct rule *rules[])
{
	struct rule_error error;
	char *line = NULL;
	size_t size = 0, n = 0;

	while (n < RULES_MAX && getline(&line, &size, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		rules[n] = rule_compile(line, known, &error);
		if (!rules[n++]) {
			(void)fprintf(
				stderr, "%s: column %d: %s\n", line, error.column, error.message);
			exit(100);
		}
	}
	free(line);
	return n;
}

int main(int argc, char *argv[])
{
	static struct rule *rules[RULES_MAX];
	FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL;
	size_t count, results[3] = { 0 }, rounds = 0;
	char why[256];
	double start, took;
	long ms;

	if (!in || parse_long(argv[2], 1, 3600000, &ms) < 0) {
		(void)fputs("usage: rulebench FILE MILLISECONDS\n", stderr);
		return 100;
	}
	count = read_rules(in, rules);
	(void)fclose(in); /* only read */
	start = now_s();
	do {
		for (size_t i = 0; i < count; i++)
			results[rule_evaluate(rules[i], tag, NULL, why, sizeof(why))]++;
		rounds++;
		took = now_s() - start;
	} while (took * 1000 < (double)ms);
	printf("%.0f %zu true, %zu failed of %zu\n", (double)(rounds * count) / took,
		results[RULE_TRUE] / rounds, results[RULE_FAILED] / rounds, count);
	for (size_t i = 0; i < count; i++)
		rule_free(rules[i]);
	return count ? 0 : 100;
}
