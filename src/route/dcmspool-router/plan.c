#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "decide/decide.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/plan.h"
#include "spool/series.h"

#include <errno.h>
#include <string.h>

/* series.json; NULL also when it is missing or damaged. Anything else may pass: -1 then. */
static int load_series(const struct claim *claim, json_t **series)
{
	*series = series_load(claim->dir);
	if (*series && !json_is_object(series_tags(*series))) {
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
	int result;

	if (!tags)
		return -1;
	series = series_make(clock_now_us(), NULL, tags);
	result = series_store(claim->dir, series);
	json_decref(series);
	if (result == 0)
		log_warning("series.json was missing or damaged, read anew from %s job=%s", first,
			claim->job);
	return result;
}

/* Which rules applied, because of which image where that is not the first, and which failed and
 * why. */
static int add_rules(json_t *plan, const struct conf *conf, const struct decision *decision)
{
	int failed = 0;

	for (size_t i = 0; i < conf->rule_count; i++) {
		const struct decision_rule *rule = &decision->rule[i];
		const char *name = conf->rule[i].name;

		if (rule->state == DECIDE_YES)
			failed |= plan_add_rule(plan, name);
		if (rule->state == DECIDE_FAILED)
			failed |= plan_add_failed(plan, name, rule->why);
		if ((rule->state == DECIDE_YES || rule->state == DECIDE_FAILED) &&
			strcmp(rule->image, decision->first) != 0)
			failed |= plan_add_seen(plan, name, rule->image);
	}
	if (decision->discarded_by)
		failed |= plan_set_discarded_by(plan, decision->discarded_by->name);
	return failed;
}

/* The rules and targets of the early decision, as far as they are not in the plan anyhow. */
static int add_early(json_t *plan, const json_t *early)
{
	json_t *value;
	size_t i;
	int failed = 0;

	json_array_foreach (plan_rules(early), i, value)
		if (!plan_has(plan_rules(plan), json_string_value(value)))
			failed |= plan_add_rule(plan, json_string_value(value)) |
				  plan_add_seen(plan, json_string_value(value), plan_first(early));
	json_array_foreach (plan_targets(early), i, value)
		failed |= plan_set_target(plan, json_string_value(value),
			plan_priority(early, json_string_value(value)));
	return failed;
}

/* The decision as plan.json. NULL without memory. */
static json_t *plan_of(const struct router *router, const struct claim *claim, size_t images,
	const struct decision *decision, const json_t *early)
{
	json_t *plan = plan_new(claim->job, images, decision->first);
	int failed = plan ? add_rules(plan, router->conf, decision) : -1;

	for (size_t i = 0; i < decision->target_count && failed == 0; i++)
		failed = plan_add_target(
			plan, decision->target[i].name, decision->target[i].priority);
	if (failed == 0 && !decision->discarded_by)
		failed = add_early(plan, early);
	if (failed == 0)
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

	log_warning("rule could not be evaluated and does not apply, the journal says why "
		    "rule=%s job=%s",
		name, claim->job); /* the reason may quote a patient's data */
	journal_write(&router->spool, "rule-failed", "job", claim->job, "rule", name, "expression",
		rule ? rule->match : NULL, "image", plan_seen(plan, name), "reason", reason,
		"contact", rule && *rule->contact ? rule->contact : NULL, NULL);
}

void plan_tell(struct router *router, const struct claim *claim, json_t *plan)
{
	json_t *failures = plan_failed(plan), *reason;
	const char *name;

	if (json_object_size(failures) == 0 || plan_is_told(plan))
		return;
	json_object_foreach (failures, name, reason)
		tell_failure(router, claim, plan, name,
			json_is_string(reason) ? json_string_value(reason) : "");
	/* Without it the failures are told again after a crash: better twice than never. */
	if (plan_set_told(plan) < 0 || plan_store(claim->dir, plan) < 0)
		log_warning("unable to note in plan.json what was told: %s; it may be told again "
			    "job=%s",
			strerror(errno), claim->job);
}

static json_t *decide_on(
	struct router *router, const struct claim *claim, const struct disk_names *images)
{
	struct decision decision = { 0 };
	json_t *plan = NULL, *series = NULL, *early = NULL;
	int saved;

	if (load_series(claim, &series) == 0 && early_of(claim, &early) == 0 &&
		decide(router->conf, claim->dir, images->name, images->count, series, &decision) ==
			0 &&
		(series || restore_series(claim, decision.first) == 0))
		plan = plan_of(router, claim, images->count, &decision, early);
	if (plan && plan_store(claim->dir, plan) < 0) {
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
	json_decref(early);
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
