#include "decide/names.h"

#include "base/nearest.h"
#include "conf/work.h"
#include "dicom/dicom.h"
#include "dicom/dictionary.h"
#include "rule/rule.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What a rule may use besides the image's own tags: who sent it, to whom. */
static const char *const own_tags[] = { "SenderAddress", "SenderAET", "ReceiverAET",
	"SenderCertificate" };
enum { OWN_TAGS = sizeof(own_tags) / sizeof(own_tags[0]) };

bool names_known(const char *name)
{
	for (size_t i = 0; i < OWN_TAGS; i++)
		if (strcasecmp(own_tags[i], name) == 0)
			return true;
	return dicom_tag_index(name) >= 0;
}

void names_nearest(struct nearest *nearest)
{
	for (size_t i = 0; i < dicom_tag_count; i++)
		nearest_try(nearest, dicom_tags[i].keyword);
	for (size_t i = 0; i < OWN_TAGS; i++)
		nearest_try(nearest, own_tags[i]);
}

void names_nearest_keyword(struct nearest *nearest)
{
	const struct dicom_entry *entry;

	for (size_t i = 0; (entry = dicom_dictionary_entry(i)); i++)
		nearest_try(nearest, entry->keyword);
}

const char *names_hint(const struct rule_error *error, char *out, size_t size)
{
	struct nearest nearest = { .word = error->name };

	*out = '\0';
	if (!*error->name)
		return out;
	if (dicom_dictionary_keyword(error->name)) {
		(void)snprintf(out, size, "; add it to extra_tags"); /* fits */
		return out;
	}
	names_nearest(&nearest); /* of names that are equally near, those that are read */
	names_nearest_keyword(&nearest);
	nearest_hint(&nearest, out, size);
	if (*out && !names_known(nearest.best[0]))
		(void)snprintf(out + strlen(out), size - strlen(out), " Add it to extra_tags");
	return out;
}

static void explain(const struct dicom_want_error *error, char *why, size_t size)
{
	struct nearest nearest = { .word = error->keyword };
	char hint[NEAREST_HINT];

	if (*error->keyword)
		names_nearest_keyword(&nearest);
	nearest_hint(&nearest, hint, sizeof(hint));
	(void)snprintf(why, size, "%s%s", error->text, hint); /* may be cut */
}

int names_want(const char *name, char *why, size_t size)
{
	struct dicom_want_error error;

	if (dicom_want(name, &error) == 0)
		return 0;
	explain(&error, why, size);
	return -1;
}

int names_want_list(const char *names, char *why, size_t size)
{
	struct dicom_want_error error;

	if (dicom_want_list(names, &error) == 0)
		return 0;
	explain(&error, why, size);
	return -1;
}

void names_check(struct conf_work *work)
{
	const struct conf_strings *names = &work->conf->extra_tags;
	const struct conf_statement *s = conf_find(work, CONF_TOP, 0, "extra_tags");
	char why[NAMES_WHY];

	dicom_want_none(); /* of a configuration read before */
	for (size_t i = 0; i < names->count; i++)
		if (names->item[i] && names_want(names->item[i], why, sizeof(why)) < 0)
			conf_report(work, s ? s->place : (struct conf_place){ 0, 0 }, "extra_tags",
				"\"%s\": %s", names->item[i], why);
}
