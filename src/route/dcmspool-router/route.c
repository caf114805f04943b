#define _GNU_SOURCE /* syncfs */
#include "router.h"

#include "base/log.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/plan.h"
#include "spool/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int sort_out(struct router *router, const struct claim *claim, const char *name)
{
	struct stat st;

	if (file_is_spent(name) && disk_unlink(claim->dir, name) == 0)
		return 0;
	if (file_is_spent(name) && errno != EISDIR)
		return -1; /* a directory of such a name is none of ours */
	if (fstatat(claim->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISREG(st.st_mode) &&
		(file_is_image(name) || strcmp(name, file_name(FILE_SERIES)) == 0 ||
			strcmp(name, file_name(FILE_AHEAD)) == 0))
		return 0;
	if (reason_quarantine(&router->spool, claim->dir, name, claim->job,
		    "lay in the directory of a series, but is no image file (NAME.dcm)") < 0) {
		log_error("unable to move %s from routing/%s to error: %s; "
			  "the user who runs dcmspool must be able to move it: "
			  "chown it, or make it writable",
			name, claim->job, strerror(errno));
		return -1;
	}
	log_warning("not an image, moved to error/%s job=%s name=%s", claim->job, claim->job, name);
	return 0;
}

/* Leaves images, series.json and ahead.json in the job, nothing else. */
static int strip(struct router *router, const struct claim *claim)
{
	struct disk_names names;
	int result = 0;

	if (disk_list(claim->dir, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count && result == 0; i++)
		result = sort_out(router, claim, names.name[i]);
	disk_names_free(&names);
	return result;
}

/* 1: nothing is left to be routed: getdcmtags died before its first rename into this batch, or a
 * router died when all copies had been moved out and their originals unlinked. 0: something is. -1:
 * error. */
static int is_finished(const struct claim *claim)
{
	struct disk_names images;
	bool none;

	if (job_images(claim->dir, &images) < 0)
		return -1;
	none = images.count == 0;
	disk_names_free(&images);
	return none && file_exists(claim->dir, FILE_FANOUT) == 0;
}

static int remove_finished(struct router *router, const struct claim *claim)
{
	if (file_remove(claim->dir, FILE_SERIES) < 0 || file_remove(claim->dir, FILE_AHEAD) < 0 ||
		file_remove(claim->dir, FILE_PLAN) < 0)
		return -1;
	return unlinkat(router->spool.dir[SPOOL_ROUTING], claim->job, AT_REMOVEDIR);
}

/* It goes no further, for good or not. */
static void let_go(struct claim *claim)
{
	json_decref(claim->plan);
	claim->plan = NULL;
	(void)close(claim->dir); /* releases the lock */
	claim->dir = -1;
}

/* Finds what is to be routed, and leaves nothing else in the job. */
static int begin(struct router *router, struct claim *claim)
{
	int result;

	claim->plan = plan_load(claim->dir);
	if (!claim->plan && claim->untold) {
		errno = ENOSPC;
		return -1;
	}
	if (!claim->plan && ((errno != ENOENT && errno != EINVAL) ||
				    check_images(router, claim) < 0 || strip(router, claim) < 0))
		return -1;
	result = is_finished(claim);
	if (result > 0 && (result = remove_finished(router, claim)) == 0)
		let_go(claim);
	return result;
}

static int decide_on(struct router *router, struct claim *claim)
{
	if (!claim->plan)
		claim->plan = plan_make(router, claim);
	return claim->plan ? 0 : -1;
}

/* What was decided early is in the plan now. */
static int carry_out(struct router *router, struct claim *claim)
{
	return file_remove(claim->dir, FILE_AHEAD) < 0 ? -1 : fanout_prepare(router, claim);
}

typedef int step(struct router *router, struct claim *claim);

static void failed(struct claim *claim)
{
	log_error("unable to route routing/%s: %s; it stays there and is tried again", claim->job,
		strerror(errno));
	let_go(claim);
}

/* All take the step; who fails stays behind. Returns how many failed. */
static size_t each(struct router *router, struct claim *claims, size_t count, step *take)
{
	size_t failures = 0;

	for (size_t i = 0; i < count; i++)
		if (claims[i].dir >= 0 && take(router, &claims[i]) < 0) {
			failed(&claims[i]);
			failures++;
		}
	return failures;
}

static size_t sync_all(struct claim *claims, size_t count)
{
	size_t i = 0, failures = 0;

	while (i < count && claims[i].dir < 0)
		i++;
	if (i == count || syncfs(claims[i].dir) == 0)
		return 0;
	for (; i < count; i++)
		if (claims[i].dir >= 0) {
			failed(&claims[i]);
			failures++;
		}
	return failures;
}

static bool any(const struct claim *claims, size_t count, bool (*is)(const struct claim *))
{
	for (size_t i = 0; i < count; i++)
		if (claims[i].dir >= 0 && is(&claims[i]))
			return true;
	return false;
}

static bool is_undecided(const struct claim *claim)
{
	return !claim->plan;
}

/* What one job writes is synced as it is written; what many write, all at once after each step. */
int route(struct router *router, struct claim *claims, size_t count)
{
	bool many = count > 1;
	size_t failures = each(router, claims, count, begin);

	/* The images' bytes: from here on no power failure takes them. */
	if (any(claims, count, is_undecided))
		failures += sync_all(claims, count);
	disk_sync_later(many);
	failures += each(router, claims, count, decide_on);
	if (many)
		failures += sync_all(claims, count);
	failures += each(router, claims, count, carry_out);
	/* Links, and the journal's lines; without these no image waits. */
	if (many || any(claims, count, fanout_is_shared))
		failures += sync_all(claims, count);
	else
		(void)journal_sync(&router->spool);
	failures += each(router, claims, count, fanout_move);
	if (many)
		failures += sync_all(claims, count);
	disk_sync_later(false);
	failures += each(router, claims, count, fanout_end);
	for (size_t i = 0; i < count; i++)
		if (claims[i].dir >= 0)
			let_go(&claims[i]);
	return failures ? -1 : 0;
}

/* A router is at work on it, or has just finished; or it is no directory. */
static bool is_anothers(int error)
{
	return error == EWOULDBLOCK || error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/* No name of ours is so long; it is said once a day. */
static void tell_no_job(struct router *router, const char *name)
{
	if (rest_until(&router->said, name, NULL) > 0)
		return;
	log_warning("no job, left alone: routing/%s; move it to incoming", name);
	(void)rest_add(&router->said, name, NULL); /* without memory it is said again */
}

int scan_routing(struct router *router)
{
	int routing = router->spool.dir[SPOOL_ROUTING], result = 0;
	struct disk_names jobs;
	struct claim claim = { 0 };

	if (disk_list(routing, ".", &jobs) < 0) {
		log_error("unable to list routing: %s; it is tried again", strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < jobs.count; i++) {
		if (strlen(jobs.name[i]) >= sizeof(claim.job)) {
			tell_no_job(router, jobs.name[i]);
			continue;
		}
		claim = (struct claim){ 0 };
		claim.dir = disk_lock_dir(routing, jobs.name[i], LOCK_EX | LOCK_NB);
		if (claim.dir < 0) {
			if (!is_anothers(errno)) {
				log_error("unable to look at routing/%s: %s; it is tried again",
					jobs.name[i], strerror(errno));
				result = -1;
			}
			continue;
		}
		memcpy(claim.job, jobs.name[i], strlen(jobs.name[i]) + 1);
		log_info("taken over job=%s", claim.job);
		arrived_tell_again(router, &claim);
		if (route(router, &claim, 1) < 0)
			result = -1;
	}
	disk_names_free(&jobs);
	return result;
}
