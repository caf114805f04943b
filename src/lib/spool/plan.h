/*
 * plan: plan.json, the decision of a router about one job. STATES.md 1 lists its keys.
 */
#ifndef SPOOL_PLAN_H
#define SPOOL_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "spool/job.h"

/* The object of the file, which the caller decrefs; NULL with errno: ENOENT, EINVAL (damaged). */
json_t *plan_load(int dir);
int plan_store(int dir, const json_t *plan);

/* A new plan for the job, decided now; first: the image whose tags the rules saw. The caller
 * decrefs; NULL with errno. The plan_add functions return -1 without memory. */
json_t *plan_new(const char *job, size_t images, const char *first);
/* That of a job that was made by hand of another one, for one target: the rules are those of then.
 */
json_t *plan_again(const json_t *old, const char *job, size_t images, const char *first);
int plan_add_target(json_t *plan, const char *target, enum job_priority priority);
/* The same; one that is there gets this priority. */
int plan_set_target(json_t *plan, const char *target, enum job_priority priority);
int plan_add_rule(json_t *plan, const char *rule);
/* image: the other than the first because of which a rule applied or failed. */
int plan_add_seen(json_t *plan, const char *rule, const char *image);
int plan_add_failed(json_t *plan, const char *rule, const char *why);
int plan_set_discarded_by(json_t *plan, const char *rule);
/* The journal knows which rules failed. */
int plan_set_told(json_t *plan);

/* Arrays of names, objects by name; NULL when the plan has none. Borrowed. */
json_t *plan_targets(const json_t *plan);
json_t *plan_rules(const json_t *plan);
json_t *plan_failed(const json_t *plan);     /* rule: why */
json_t *plan_priorities(const json_t *plan); /* target: "urgent", "offpeak" */
/* Is the name in one of these arrays? */
bool plan_has(const json_t *names, const char *name);
json_t *plan_images(const json_t *plan); /* how many */
const char *plan_first(const json_t *plan);
/* The image because of which the rule applied or failed: the first one unless it says otherwise. */
const char *plan_seen(const json_t *plan, const char *rule);
bool plan_is_told(const json_t *plan);
/* The priority of the job for this target. */
enum job_priority plan_priority(const json_t *plan, const char *target);

#endif
