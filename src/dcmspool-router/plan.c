#include "router.h"

#include "dicom.h"
#include "job.h"
#include "journal.h"
#include "jsonfile.h"
#include "log.h"
#include "rule.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Tags read from an image, for a batch whose series.json did not survive a power failure. NULL when that
 * cannot be done now; an image that is damaged too has no tags. */
static json_t *tags_of_image(int dir, const char *image)
{
	struct dicom_header header = { 0 };
	struct dicom_error error = { 0 };
	int fd = openat(dir, image, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	json_t *tags = NULL;

	if (fd < 0)
		return NULL;
	if (dicom_read_header(fd, &header, &error) < 0)
		log_warning("unable to read the tags of %s: %s", image, error.text);
	if (error.number == 0)
		tags = json_object();
	for (size_t i = 0; tags && i < dicom_tag_count; i++)
		(void)json_object_set_new(tags, dicom_tags[i].keyword,
			json_string(dicom_get(&header, dicom_tags[i].keyword)));
	dicom_header_free(&header);
	(void)close(fd); /* only read */
	errno = error.number;
	return tags;
}

/* Makes series.json anew from an image. Returns the tags, or NULL with errno. */
static json_t *restore_tags(const struct claim *claim, const char *image)
{
	json_t *tags = tags_of_image(claim->dir, image), *series;
	char stamp[SPOOL_STAMP_SIZE];
	int result;

	if (!tags)
		return NULL;
	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	series = json_pack("{s:s, s:{}, s:O}", "received", stamp, "association", "tags", tags);
	result = jsonfile_store(claim->dir, "series.json", series);
	json_decref(series);
	if (result < 0) {
		json_decref(tags);
		return NULL;
	}
	log_warning(
		"series.json was missing or damaged, read anew from %s job=%s", image, claim->job);
	return tags;
}

/* The tags that the rules see. NULL with errno when they cannot be read now: nothing is decided then. */
static json_t *load_tags(const struct claim *claim, const char *first_image)
{
	json_t *series = jsonfile_load(claim->dir, "series.json"), *tags;

	if (!series && errno != ENOENT && errno != EINVAL)
		return NULL;
	tags = json_incref(json_object_get(series, "tags"));
	json_decref(series);
	if (json_is_object(tags))
		return tags;
	json_decref(tags);
	return restore_tags(claim, first_image);
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
			(void)json_object_set_new(plan, "discarded_by", json_string(rule->name));
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
	struct disk_names images = { 0 };
	json_t *plan = NULL, *tags = NULL;
	char stamp[SPOOL_STAMP_SIZE];

	if (job_images(claim->dir, &images) < 0 || images.count == 0 ||
		!(tags = load_tags(claim, images.name[0])))
		goto out;
	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	plan = json_pack("{s:s, s:s, s:I, s:[], s:[]}", "job", claim->job, "time", stamp, "images",
		(json_int_t)images.count, "rules", "targets");
	if (plan && !decide(router, claim, false, tags, plan))
		(void)decide(router, claim, true, tags, plan);
	if (jsonfile_store(claim->dir, "plan.json", plan) < 0) {
		json_decref(plan);
		plan = NULL;
	}
out:
	if (!plan)
		log_error("unable to decide on routing/%s: %s", claim->job, strerror(errno));
	disk_names_free(&images);
	json_decref(tags);
	return plan;
}
