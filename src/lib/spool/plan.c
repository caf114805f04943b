#include "spool/plan.h"

#include "base/jsonfile.h"
#include "spool/file.h"
#include "spool/spool.h"

#include <errno.h>
#include <string.h>

json_t *plan_load(int dir)
{
	return jsonfile_load(dir, file_name(FILE_PLAN));
}

int plan_store(int dir, const json_t *plan)
{
	return jsonfile_store(dir, file_name(FILE_PLAN), plan);
}

json_t *plan_new(const char *job, size_t images, const char *first)
{
	char stamp[SPOOL_STAMP_SIZE];
	json_t *plan;

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	plan = json_pack("{s:s, s:s, s:I, s:s, s:[], s:[]}", "job", job, "time", stamp, "images",
		(json_int_t)images, "first", first, "rules", "targets");
	if (!plan)
		errno = ENOMEM;
	return plan;
}

json_t *plan_again(const json_t *old, const char *job, size_t images, const char *first)
{
	json_t *plan = plan_new(job, images, first);

	if (!plan)
		return NULL;
	/* What is missing in the old one is missing here. */
	(void)json_object_set(plan, "rules", plan_rules(old));
	(void)json_object_set(plan, "seen", json_object_get(old, "seen"));
	(void)json_object_set(plan, "from", json_object_get(old, "job"));
	return plan;
}

/* plan.group.key = text; the group is made with its first member. */
static int add_to(json_t *plan, const char *group, const char *key, const char *text)
{
	json_t *object = json_object_get(plan, group);

	if (!object && (json_object_set_new(plan, group, json_object()) < 0 ||
			       !(object = json_object_get(plan, group))))
		return -1;
	return json_object_set_new(object, key, json_string(text));
}

int plan_add_target(json_t *plan, const char *target, enum job_priority priority)
{
	if (json_array_append_new(plan_targets(plan), json_string(target)) < 0)
		return -1;
	return priority == JOB_NORMAL
		       ? 0
		       : add_to(plan, "priorities", target, job_suffix(priority) + 1);
}

bool plan_has(const json_t *names, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach (names, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	return false;
}

int plan_set_target(json_t *plan, const char *target, enum job_priority priority)
{
	if (!plan_has(plan_targets(plan), target))
		return plan_add_target(plan, target, priority);
	if (priority != JOB_NORMAL)
		return add_to(plan, "priorities", target, job_suffix(priority) + 1);
	(void)json_object_del(plan_priorities(plan), target); /* none is normal, too */
	return 0;
}

int plan_add_rule(json_t *plan, const char *rule)
{
	return json_array_append_new(plan_rules(plan), json_string(rule));
}

int plan_add_seen(json_t *plan, const char *rule, const char *image)
{
	return add_to(plan, "seen", rule, image);
}

int plan_add_failed(json_t *plan, const char *rule, const char *why)
{
	return add_to(plan, "failed", rule, why);
}

int plan_set_discarded_by(json_t *plan, const char *rule)
{
	return json_object_set_new(plan, "discarded_by", json_string(rule));
}

int plan_set_told(json_t *plan)
{
	return json_object_set_new(plan, "told", json_true());
}

json_t *plan_targets(const json_t *plan)
{
	return json_object_get(plan, "targets");
}

json_t *plan_rules(const json_t *plan)
{
	return json_object_get(plan, "rules");
}

json_t *plan_failed(const json_t *plan)
{
	return json_object_get(plan, "failed");
}

json_t *plan_priorities(const json_t *plan)
{
	return json_object_get(plan, "priorities");
}

json_t *plan_images(const json_t *plan)
{
	return json_object_get(plan, "images");
}

const char *plan_first(const json_t *plan)
{
	return jsonfile_text(plan, "first");
}

const char *plan_seen(const json_t *plan, const char *rule)
{
	const char *image = jsonfile_text(json_object_get(plan, "seen"), rule);

	return *image ? image : plan_first(plan);
}

bool plan_is_told(const json_t *plan)
{
	return json_is_true(json_object_get(plan, "told"));
}

enum job_priority plan_priority(const json_t *plan, const char *target)
{
	const char *word = jsonfile_text(plan_priorities(plan), target);

	for (int p = 0; p < JOB_PRIORITIES; p++)
		if (*job_suffix(p) && strcmp(job_suffix(p) + 1, word) == 0)
			return p;
	return JOB_NORMAL; /* a word of no priority: written by hand */
}
