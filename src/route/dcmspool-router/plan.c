#include "router.h"

#include "decide/decide.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "base/jsonfile.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>

/* series.json; NULL also when it is missing or damaged. Anything else may pass: -1 then. */
static int load_series(const struct claim *claim, json_t **series)
{
	*series = jsonfile_load(claim->dir, "series.json");
	if (*series && !json_is_object(json_object_get(*series, "tags"))) {
		json_decref(*series);
		*series = NULL;
		return 0;
	}
	return *series || errno == ENOENT || errno == EINVAL ? 0 : -1;
}

/* Makes series.json anew from the first image: it did not survive a power failure. */
static int restore_series(const struct claim *claim, const char *first)
{
	json_t *tags = decide_tags(claim->dir, first, NULL), *series;
	char stamp[SPOOL_STAMP_SIZE];
	int result;

	if (!tags)
		return -1;
	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	series = json_pack("{s:s, s:{}, s:o}", "received", stamp, "association", "tags", tags);
	result = jsonfile_store(claim->dir, "series.json", series);
	json_decref(series);
	if (result == 0)
		log_warning("series.json was missing or damaged, read anew from %s job=%s", first,
			claim->job);
	return result;
}

/* Whom the job goes to, and with which priority where that is not the normal one. */
static int add_targets(json_t *plan, const struct decision *decision)
{
	json_t *targets = json_object_get(plan, "targets"), *priorities = json_object();
	int failed = 0;

	for (size_t i = 0; i < decision->target_count; i++) {
		const struct decision_target *target = &decision->target[i];

		failed |= json_array_append_new(targets, json_string(target->name));
		if (target->priority != JOB_NORMAL) /* the suffix without its point */
			failed |= json_object_set_new(priorities, target->name,
				json_string(job_suffix(target->priority) + 1));
	}
	if (!priorities || json_object_size(priorities) > 0)
		failed |= json_object_set(plan, "priorities", priorities);
	json_decref(priorities);
	return failed;
}

/* Which rules applied, because of which image where that is not the first, and which failed and
 * why. */
static int add_rules(json_t *plan, const struct conf *conf, const struct decision *decision)
{
	json_t *rules = json_object_get(plan, "rules"), *seen = json_object(),
	       *failures = json_object();
	int failed = seen && failures ? 0 : -1;

	for (size_t i = 0; i < conf->rule_count; i++) {
		const struct decision_rule *rule = &decision->rule[i];
		const char *name = conf->rule[i].name;

		if (rule->state == DECIDE_YES)
			failed |= json_array_append_new(rules, json_string(name));
		if (rule->state == DECIDE_FAILED)
			failed |= json_object_set_new(failures, name, json_string(rule->why));
		if ((rule->state == DECIDE_YES || rule->state == DECIDE_FAILED) &&
			strcmp(rule->image, decision->first) != 0)
			failed |= json_object_set_new(seen, name, json_string(rule->image));
	}
	if (decision->discarded_by)
		failed |= json_object_set_new(
			plan, "discarded_by", json_string(decision->discarded_by->name));
	if (json_object_size(seen) > 0)
		failed |= json_object_set(plan, "seen", seen);
	if (json_object_size(failures) > 0)
		failed |= json_object_set(plan, "failed", failures);
	json_decref(seen);
	json_decref(failures);
	return failed;
}

/* The decision as plan.json. NULL without memory. */
static json_t *plan_json(const struct router *router, const struct claim *claim, size_t images,
	const struct decision *decision)
{
	char stamp[SPOOL_STAMP_SIZE];
	json_t *plan;

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	plan = json_pack("{s:s, s:s, s:I, s:s, s:[], s:[]}", "job", claim->job, "time", stamp,
		"images", (json_int_t)images, "first", decision->first, "rules", "targets");
	if (plan && add_targets(plan, decision) == 0 &&
		add_rules(plan, router->conf, decision) == 0)
		return plan;
	json_decref(plan);
	errno = ENOMEM;
	return NULL;
}

static const struct conf_rule *find_rule(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->rule_count; i++)
		if (strcmp(conf->rule[i].name, name) == 0)
			return &conf->rule[i];
	return NULL;
}

/* The rule may have changed since, or gone: the plan is another router's, perhaps. */
static void tell_failure(struct router *router, const struct claim *claim, const json_t *plan,
	const char *name, const char *reason)
{
	const struct conf_rule *rule = find_rule(router->conf, name);
	const char *image = jsonfile_text(json_object_get(plan, "seen"), name);

	log_warning("rule could not be evaluated and does not apply, the journal says why "
		    "rule=%s job=%s",
		name, claim->job); /* the reason may quote a patient's data */
	journal_write(&router->spool, "rule-failed", "job", claim->job, "rule", name, "expression",
		rule ? rule->match : NULL, "image", *image ? image : jsonfile_text(plan, "first"),
		"reason", reason, "contact", rule && *rule->contact ? rule->contact : NULL, NULL);
}

void plan_tell(struct router *router, const struct claim *claim, json_t *plan)
{
	json_t *failures = json_object_get(plan, "failed"), *reason;
	const char *name;

	if (json_object_size(failures) == 0 || json_is_true(json_object_get(plan, "told")))
		return;
	json_object_foreach (failures, name, reason)
		tell_failure(router, claim, plan, name,
			json_is_string(reason) ? json_string_value(reason) : "");
	/* Without it the failures are told again after a crash: better twice than never. */
	if (json_object_set_new(plan, "told", json_true()) < 0 ||
		jsonfile_store(claim->dir, "plan.json", plan) < 0)
		log_warning("unable to note in plan.json what was told: %s; it may be told again "
			    "job=%s",
			strerror(errno), claim->job);
}

static json_t *decide_on(
	struct router *router, const struct claim *claim, const struct disk_names *images)
{
	struct decision decision = { 0 };
	json_t *plan = NULL, *series = NULL;
	int saved;

	if (load_series(claim, &series) == 0 &&
		decide(router->conf, claim->dir, images->name, images->count, series, &decision) ==
			0 &&
		(series || restore_series(claim, decision.first) == 0))
		plan = plan_json(router, claim, images->count, &decision);
	if (plan && jsonfile_store(claim->dir, "plan.json", plan) < 0) {
		json_decref(plan);
		plan = NULL;
	}
	saved = errno;
	if (plan && decision.damaged)
		log_warning("damaged image, the rules see no tags of it job=%s image=%s",
			claim->job, decision.damaged);
	if (!plan && decision.unreadable)
		log_error("unable to read the tags of %s in routing/%s: %s", decision.unreadable,
			claim->job, strerror(errno));
	decide_free(router->conf, &decision);
	json_decref(series);
	errno = saved;
	return plan;
}

json_t *plan_make(struct router *router, const struct claim *claim)
{
	struct disk_names images = { 0 };
	json_t *plan = NULL;
	int saved;

	if (job_images(claim->dir, &images) == 0) {
		errno = ENOENT; /* if there is none: somebody took them away just now */
		if (images.count > 0)
			plan = decide_on(router, claim, &images);
	}
	saved = errno;
	disk_names_free(&images);
	if (!plan)
		log_error("unable to decide on routing/%s: %s", claim->job, strerror(saved));
	errno = saved;
	return plan;
}
