/*
 * conf_tags: the tags that are read besides the usual ones.
 */
#include "conf_impl.h"

#include <stdio.h>

#include "dicom.h"
#include "dicom_dictionary.h"

static void explain(const struct dicom_want_error *error, char *why, size_t size)
{
	struct conf_nearest nearest = { .word = error->keyword };
	const struct dicom_entry *entry;
	char hint[128] = "";

	for (size_t i = 0; *error->keyword && (entry = dicom_dictionary_entry(i)); i++)
		conf_nearest_try(&nearest, entry->keyword);
	conf_nearest_hint(&nearest, hint, sizeof(hint));
	(void)snprintf(why, size, "%s%s", error->text, hint); /* may be cut */
}

int conf_want(const char *name, char *why, size_t size)
{
	struct dicom_want_error error;

	if (dicom_want(name, &error) == 0)
		return 0;
	explain(&error, why, size);
	return -1;
}

int conf_want_list(const char *names, char *why, size_t size)
{
	struct dicom_want_error error;

	if (dicom_want_list(names, &error) == 0)
		return 0;
	explain(&error, why, size);
	return -1;
}

void conf_want_extra(struct conf_work *work)
{
	const struct conf_strings *names = &work->conf->extra_tags;
	const struct conf_statement *s = conf_find(work, CONF_TOP, 0, "extra_tags");
	char why[320];

	for (size_t i = 0; i < names->count; i++)
		if (names->item[i] && conf_want(names->item[i], why, sizeof(why)) < 0)
			conf_report(work, s ? s->place : (struct conf_place){ 0, 0 }, "extra_tags",
				"\"%s\": %s", names->item[i], why);
}
