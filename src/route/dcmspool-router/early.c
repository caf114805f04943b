/*
 * Sending ahead, STATES.md 5a: at the first image of a series that is believed, the rules say to
 * whom its images may go at once. What they say is written into the batch, and the job to come is
 * bound by it; entries without images in the queues of these targets have dispatchers send from the
 * batch. The entries are made first: one whose batch has no decision yet waits for it.
 */
#include "spool/early.h"

#include "base/jsonfile.h"
#include "base/log.h"
#include "conf/target.h"
#include "decide/decide.h"
#include "router.h"
#include "spool/file.h"
#include "spool/filed.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/plan.h"
#include "spool/series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static bool is_awaited(const struct router *router, int batch)
{
	/* What cannot be looked at is awaited: then the look tells. */
	return router->cuts_through && file_exists(batch, FILE_AHEAD) <= 0;
}

int early_of(const struct claim *claim, json_t **early)
{
	*early = early_load(claim->dir);
	if (!*early)
		return errno == ENOENT || errno == EINVAL ? 0 : -1;
	/* The name was taken, by whatever: what was sent ahead is sent again. */
	if (strcmp(jsonfile_text(*early, "job"), claim->job) != 0) {
		json_decref(*early);
		*early = NULL;
	}
	return 0;
}

/* The first image of the batch that is believed, by name, which the caller frees; NULL: none yet.
 * -1 with errno: it cannot be known now. */
static int first_image(int batch, char **first)
{
	struct disk_names images = { 0 };
	struct filed filed;
	struct stat st;
	int result, saved;

	*first = NULL;
	if (filed_load(batch, &filed) < 0)
		return -1;
	result = job_images(batch, &images);
	for (size_t i = 0; result == 0 && i < images.count && !*first; i++) {
		if (fstatat(batch, images.name[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			result = errno == ENOENT ? 0 : -1;
		else if (S_ISREG(st.st_mode) &&
			 filed_word(&filed, images.name[i], st.st_size) == FILED_BELIEVED)
			result = (*first = strdup(images.name[i])) ? 0 : -1;
	}
	saved = errno;
	disk_names_free(&images);
	filed_free(&filed);
	errno = saved;
	return result;
}

static bool failed_any(const struct conf *conf, const struct decision *decision)
{
	for (size_t r = 0; r < conf->rule_count; r++)
		if (decision->rule[r].state == DECIDE_FAILED)
			return true;
	return false;
}

/* Does a rule that cuts through, and applies, name the target? */
static bool cuts_to(const struct conf *conf, const struct decision *decision, const char *target)
{
	for (size_t r = 0; r < conf->rule_count; r++)
		for (size_t t = 0; decision->rule[r].state == DECIDE_YES &&
				   conf->rule[r].cut_through && t < conf->rule[r].targets.count;
			t++)
			if (strcmp(conf->rule[r].targets.item[t], target) == 0)
				return true;
	return false;
}

/* Puts into the plan what may go ahead. -1 without memory. */
static int add_ahead(json_t *plan, const struct conf *conf, const struct decision *decision)
{
	int failed = 0;

	if (decision->discarded_by || failed_any(conf, decision))
		return 0;
	for (size_t i = 0; i < decision->target_count; i++) {
		const struct decision_target *t = &decision->target[i];

		if (cuts_to(conf, decision, t->name) &&
			target_takes_ahead(conf_target(conf, t->name)))
			failed |= plan_add_target(plan, t->name, t->priority);
	}
	for (size_t r = 0; r < conf->rule_count && json_array_size(plan_targets(plan)) > 0; r++)
		if (decision->rule[r].state == DECIDE_YES && conf->rule[r].cut_through)
			failed |= plan_add_rule(plan, conf->rule[r].name);
	return failed;
}

/* The decision by this image; NULL with errno. The caller decrefs. */
static json_t *decide_early(struct router *router, int batch, char *first)
{
	json_t *series = series_load(batch), *plan = NULL;
	struct decision decision = { 0 };
	char job[JOB_NAME_SIZE];
	int saved;

	if (!series || series_received_us(series) < 0)
		goto out;
	if (decide(router->conf, batch, &first, 1, series, &decision) < 0)
		goto out;
	job_name(job, sizeof(job), series_received_us(series),
		series_tag(series, "StudyInstanceUID"), series_tag(series, "SeriesInstanceUID"));
	plan = plan_new(job, 1, first);
	if (plan && add_ahead(plan, router->conf, &decision) < 0) {
		json_decref(plan);
		plan = NULL;
		errno = ENOMEM;
	}
out:
	saved = errno;
	decide_free(router->conf, &decision);
	json_decref(series);
	errno = saved;
	return plan;
}

/* The batch is locked, shared, so that nobody claims it. -1 with errno. */
static int decide_and_enter(struct router *router, int batch, const char *name, char *first)
{
	json_t *plan = decide_early(router, batch, first), *target;
	int result = plan ? 0 : -1;
	size_t i;

	json_array_foreach (plan_targets(plan), i, target)
		if (result == 0)
			result = early_enter(&router->spool, plan, json_string_value(target), name);
	if (result == 0)
		result = early_create(batch, plan);
	json_array_foreach (plan_targets(plan), i, target)
		if (result == 0)
			log_info("to be sent ahead job=%s target=%s from=incoming/%s",
				jsonfile_text(plan, "job"), json_string_value(target), name);
	json_decref(plan);
	return result;
}

/* -1 with errno: whether something is to be sent ahead cannot be known now. */
static int look(struct router *router, int batch, const char *name)
{
	char *first;
	int locked = -1, result = first_image(batch, &first), saved;

	if (result == 0 && first)
		locked = disk_lock_dir(router->spool.dir[SPOOL_INCOMING], name, LOCK_SH | LOCK_NB);
	if (locked >= 0)
		result = is_awaited(router, locked) ? decide_and_enter(router, locked, name, first)
						    : 0;           /* another router was faster */
	else if (first && errno != EWOULDBLOCK && errno != ENOENT) /* it is being claimed */
		result = -1;
	saved = errno;
	if (locked >= 0)
		(void)close(locked); /* releases the lock */
	free(first);
	errno = saved;
	return result;
}

void early_look(struct router *router, int batch, const char *name, const char *path)
{
	if (!is_awaited(router, batch))
		return;
	if (look(router, batch, name) < 0) {
		log_error("unable to decide early on incoming/%s: %s; it is tried again", name,
			strerror(errno));
		look_again(router);
	}
	if (is_awaited(router, batch))
		known_forget(router, name);
	else
		scan_watch(router, path, BATCH_EVENTS);
}

/* The watch comes before the look at what the directory is. */
void early_watch(struct router *router, const char *name, const char *path)
{
	int dir = disk_open_dir(router->spool.dir[SPOOL_INCOMING], name);

	if (dir < 0 && errno == EACCES)
		look_again(router);
	if (dir < 0 && (errno == ENOTDIR || errno == ELOOP || errno == ENOENT || errno == EACCES))
		return; /* a file, say, or another user's */
	scan_watch(router, path,
		dir < 0 || is_awaited(router, dir) ? BATCH_EVENTS | IN_MOVED_TO : BATCH_EVENTS);
	if (dir >= 0)
		(void)close(dir); /* only looked at */
}
