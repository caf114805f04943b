/* rule_test: a series for the tests of the rule language. */
#ifndef RULE_TEST_H
#define RULE_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

/* A table of them ends with a NULL. */
struct tag {
	const char *name, *value;
};

static inline const char *tag_value(const void *context, const char *name)
{
	for (const struct tag *tag = context; tag->name; tag++)
		if (strcasecmp(tag->name, name) == 0)
			return tag->value;
	return "";
}

static const struct tag ct[] = {
	{ "Modality", "CT" },
	{ "SeriesDescription", "Thorax 1.0 CINE" },
	{ "SliceThickness", "1.5" },
	{ "PatientName", "M\xc3\xbcller^J\xc3\xb6rg" },
	{ "ImageType", "ORIGINAL\\PRIMARY\\AXIAL" },
	{ "StationName", "" },
	{ NULL, NULL },
};

static inline bool known(const char *name)
{
	for (const struct tag *tag = ct; tag->name; tag++)
		if (strcasecmp(tag->name, name) == 0)
			return true;
	return false;
}

#endif
