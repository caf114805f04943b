#include "router.h"

#include "dicom.h"
#include "job.h"
#include "journal.h"
#include "jsonfile.h"
#include "log.h"
#include "rule.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Tags read from an image, for a batch whose series.json did not survive a power failure. */
static json_t *tags_of_image(int dir, const char *image)
{
	struct dicom_header header = { 0 };
	struct dicom_error error;
	json_t *tags = json_object();
	int fd = openat(dir, image, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || dicom_read_header(fd, &header, &error) < 0)
		log_warning("unable to read the tags of %s: %s", image,
			fd < 0 ? strerror(errno) : error.text);
	for (size_t i = 0; i < dicom_tag_count; i++)
		(void)json_object_set_new(tags, dicom_tags[i].keyword,
			json_string(dicom_get(&header, dicom_tags[i].keyword)));
	dicom_header_free(&header);
	if (fd >= 0)
		(void)close(fd); /* only read */
	return tags;
}

/* The tags that the rules see; rewrites a series.json that is missing or damaged. */
static json_t *load_tags(const struct claim *claim, const struct disk_names *images)
{
	json_t *series = jsonfile_load(claim->dir, "series.json"), *tags;
	char stamp[SPOOL_STAMP_SIZE];

	tags = json_incref(json_object_get(series, "tags"));
	if (!json_is_object(tags) && images->count > 0) {
		json_decref(tags);
		tags = tags_of_image(claim->dir, images->name[0]);
		spool_stamp(spool_now_us(), stamp, sizeof(stamp));
		json_decref(series);
		series = json_pack(
			"{s:s, s:{}, s:O}", "received", stamp, "association", "tags", tags);
		log_warning("series.json was missing or damaged, read anew from %s job=%s",
			images->name[0], claim->job);
		if (jsonfile_store(claim->dir, "series.json", series) < 0)
			log_error("unable to write series.json: %s job=%s", strerror(errno),
				claim->job);
	}
	json_decref(series);
	return tags;
}

/* rule_tag_fn: names of tags are case-insensitive. */
static const char *tag_value(const void *context, const char *name)
{
	json_t *tags = (json_t *)context, *value; /* jansson iterates only over what is not const */
	const char *key, *text = json_string_value(json_object_get(tags, name));

	if (text)
		return text;
	json_object_foreach(
		tags, key, value) if (strcasecmp(key, name) == 0 &&
				      json_is_string(value)) return json_string_value(value);
	return "";
}

static bool applies(struct router *router, const struct claim *claim, const struct conf_rule *rule,
	const json_t *tags)
{
	char why[256];

	switch (rule_evaluate(rule->compiled, tag_value, tags, why, sizeof(why))) {
	case RULE_TRUE:
		return true;
	case RULE_FALSE:
		return false;
	case RULE_FAILED:
		break;
	}
	log_warning("rule could not be evaluated and does not apply, the journal says why "
		    "rule=%s job=%s",
		rule->name, claim->job); /* the reason may quote a patient's data */
	journal_write(&router->spool, "rule-failed", "job", claim->job, "rule", rule->name,
		"expression", rule->match, "reason", why, NULL);
	return false;
}

static bool contains(const json_t *array, const char *text)
{
	size_t i;
	json_t *value;

	json_array_foreach(
		array, i, value) if (strcmp(json_string_value(value), text) == 0) return true;
	return false;
}

/* Evaluates all rules, or all fallback rules; a discard rule that applies ends it. Returns whether any
 * applied. */
static bool decide(
	struct router *router, const struct claim *claim, bool fallback, json_t *tags, json_t *plan)
{
	json_t *rules = json_object_get(plan, "rules"), *targets = json_object_get(plan, "targets");

	for (size_t i = 0; i < router->conf->rule_count; i++) {
		const struct conf_rule *rule = &router->conf->rule[i];

		if (rule->disabled || rule->fallback != fallback ||
			!applies(router, claim, rule, tags))
			continue;
		(void)json_array_append_new(rules, json_string(rule->name));
		if (rule->action == CONF_DISCARD) {
			(void)json_array_clear(targets);
			return true;
		}
		for (size_t t = 0; t < rule->targets.count; t++)
			if (!contains(targets, rule->targets.item[t]))
				(void)json_array_append_new(
					targets, json_string(rule->targets.item[t]));
	}
	return json_array_size(rules) > 0;
}

json_t *plan_make(struct router *router, const struct claim *claim)
{
	struct disk_names images;
	json_t *plan = NULL, *tags = NULL;
	char stamp[SPOOL_STAMP_SIZE];

	if (job_images(claim->dir, &images) < 0) {
		log_error("unable to list routing/%s: %s", claim->job, strerror(errno));
		return NULL;
	}
	tags = load_tags(claim, &images);
	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	plan = json_pack("{s:s, s:s, s:I, s:[], s:[]}", "job", claim->job, "time", stamp, "images",
		(json_int_t)images.count, "rules", "targets");
	disk_names_free(&images);
	if (plan && !decide(router, claim, false, tags, plan))
		(void)decide(router, claim, true, tags, plan);
	json_decref(tags);
	if (jsonfile_store(claim->dir, "plan.json", plan) == 0)
		return plan;
	log_error("unable to write plan.json: %s job=%s", strerror(errno), claim->job);
	json_decref(plan);
	return NULL;
}
