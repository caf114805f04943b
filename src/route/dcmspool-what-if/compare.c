#include "compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "decide/decide.h"
#include "base/disk.h"
#include "spool/job.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "cli/show.h"
#include "base/str.h"
#include "spool/plan.h"
#include "spool/series.h"

/* One of the copies, the one with the most images: those that a target refused are not in success/.
 */
struct copy {
	int dir;
	struct disk_names images;
	json_t *plan, *series;
};

static void copy_close(struct copy *copy)
{
	disk_names_free(&copy->images);
	json_decref(copy->plan);
	json_decref(copy->series);
	if (copy->dir >= 0)
		(void)close(copy->dir); /* only read */
	*copy = (struct copy){ .dir = -1 };
}

/* Opens a copy when it has more images than *best. Returns 0 or an errno. */
static int try_copy(const char *path, struct copy *best)
{
	struct copy copy = { .dir = disk_open_dir(AT_FDCWD, path) };
	int error = 0;

	if (copy.dir < 0 || job_images(copy.dir, &copy.images) < 0) {
		error = errno;
		copy_close(&copy);
	} else if (best->dir < 0 || copy.images.count > best->images.count) {
		copy_close(best);
		*best = copy;
	} else {
		copy_close(&copy);
	}
	return error;
}

/* Loads what a router wrote. Returns NULL, or why that is not possible. */
static const char *load(struct copy *copy)
{
	copy->plan = plan_load(copy->dir);
	if (!copy->plan)
		return errno == ENOENT   ? "it has no plan.json, so what was decided is not known"
		       : errno == EINVAL ? "its plan.json is damaged"
					 : strerror(errno);
	if (!json_is_array(plan_targets(copy->plan)) || !json_is_array(plan_rules(copy->plan)))
		return "its plan.json has no targets or rules";
	copy->series = series_load(copy->dir);
	if (!copy->series && errno != ENOENT && errno != EINVAL)
		return strerror(errno);
	return copy->images.count ? NULL : "there is no image in it";
}

/* ---- before and now
 * --------------------------------------------------------------------------------- */

/* "" for the normal one, as in plan.json. */
static const char *priority_before(const json_t *plan, const char *target)
{
	return jsonfile_text(plan_priorities(plan), target);
}

static const char *priority_now(const struct decision_target *target)
{
	const char *suffix = job_suffix(target->priority);

	return *suffix ? suffix + 1 : ""; /* without its point */
}

static bool has_target(const json_t *plan, const struct decision_target *target)
{
	json_t *value;
	size_t i;

	json_array_foreach (plan_targets(plan), i, value) {
		if (json_is_string(value) && strcmp(json_string_value(value), target->name) == 0)
			return strcmp(priority_before(plan, target->name), priority_now(target)) ==
			       0;
	}
	return false;
}

static bool same_targets(const json_t *plan, const struct decision *decision)
{
	for (size_t i = 0; i < decision->target_count; i++)
		if (!has_target(plan, &decision->target[i]))
			return false;
	return json_array_size(plan_targets(plan)) == decision->target_count;
}

static void add_target(struct buf *line, size_t i, const char *name, const char *priority)
{
	buf_puts(line, i ? ", " : "");
	show_add(line, name);
	if (*priority) {
		buf_puts(line, " (");
		show_add(line, priority);
		buf_puts(line, ")");
	}
}

static struct buf targets_line(const json_t *plan, const struct decision *decision)
{
	const json_t *before = plan_targets(plan);
	struct buf line = { 0 };
	json_t *value;
	size_t i;

	buf_puts(&line, "targets: ");
	json_array_foreach (before, i, value) {
		const char *name = json_is_string(value) ? json_string_value(value) : "?";

		add_target(&line, i, name, priority_before(plan, name));
	}
	buf_puts(&line, json_array_size(before) ? " -> " : "discard -> ");
	for (i = 0; i < decision->target_count; i++)
		add_target(&line, i, decision->target[i].name, priority_now(&decision->target[i]));
	buf_puts(&line, decision->target_count ? "" : "discard");
	return line;
}

/* "a, b" or "none". */
static struct buf rules_before(const json_t *plan)
{
	struct buf text = { 0 };
	json_t *value;
	size_t i;

	json_array_foreach (plan_rules(plan), i, value) {
		buf_puts(&text, i ? ", " : "");
		buf_puts(&text, json_is_string(value) ? json_string_value(value) : "?");
	}
	if (text.length == 0)
		buf_puts(&text, "none");
	return text;
}

static struct buf rules_now(const struct conf *conf, const struct decision *decision)
{
	struct buf text = { 0 };

	for (size_t r = 0; r < conf->rule_count; r++)
		if (decision->rule[r].state == DECIDE_YES)
			buf_printf(&text, "%s%s", text.length ? ", " : "", conf->rule[r].name);
	if (text.length == 0)
		buf_puts(&text, "none");
	return text;
}

/* ---- one series
 * ------------------------------------------------------------------------------------- */

static void print_unreadable(const struct job_copy *copy, const char *name, const char *reason)
{
	struct buf line = { 0 };

	show_add(&line, copy->key);
	show_whole(&line, 0);
	buf_puts(&line, "could not be compared: ");
	if (name) {
		show_add(&line, name);
		buf_puts(&line, ": ");
	}
	buf_puts(&line, reason);
	show_line(&line, 2);
}

static void print_changed(const struct job_copy *copy, const struct copy *best,
	const struct decision *decision, const char *before, const char *now)
{
	const json_int_t all = json_integer_value(plan_images(best->plan));
	const json_int_t left = (json_int_t)best->images.count;
	struct buf line = { 0 };

	show_add(&line, copy->key);
	buf_printf(&line, ", %" JSON_INTEGER_FORMAT, left);
	if (all > left)
		buf_printf(&line, " of %" JSON_INTEGER_FORMAT, all);
	buf_puts(&line, left == 1 && all <= 1 ? " image" : " images");
	show_whole(&line, 0);
	line = targets_line(best->plan, decision);
	show_line(&line, 2);
	buf_puts(&line, "rules: ");
	show_add(&line, before);
	buf_puts(&line, " -> ");
	show_add(&line, now);
	show_line(&line, 2);
}

static void weigh(const struct conf *conf, const struct job_copy *copy, const struct copy *best,
	const struct decision *decision, struct compared *compared)
{
	struct buf before = rules_before(best->plan), now = rules_now(conf, decision);

	if (before.failed || now.failed)
		die(EXIT_TEMPORARY, "unable to compare %s: out of memory", copy->path);
	tally_add(&compared->tally, conf, best->plan, decision);
	if (same_targets(best->plan, decision)) {
		compared->unchanged++;
		compared->other_rules += strcmp(before.data, now.data) != 0;
	} else {
		compared->changed++;
		print_changed(copy, best, decision, before.data, now.data);
	}
	buf_free(&before);
	buf_free(&now);
}

void compare(const struct conf *conf, const struct job_copy *copy, size_t count,
	struct compared *compared)
{
	struct decision decision = { 0 };
	struct copy best = { .dir = -1 };
	const char *reason = NULL, *name = NULL;
	int error = 0;

	for (size_t i = 0; i < count; i++)
		error = try_copy(copy[i].path, &best);
	if (best.dir < 0) { /* else one copy is enough; the cleaner may just have taken another */
		reason = strerror(error);
	} else if (!(reason = load(&best))) {
		if (decide(conf, best.dir, best.images.name, best.images.count, best.series,
			    &decision) < 0) {
			reason = strerror(errno);
			name = decision.unreadable;
		} else if (decision.damaged) {
			reason = "this image is damaged";
			name = decision.damaged;
		}
	}
	if (reason) {
		compared->unreadable++;
		print_unreadable(copy, name, reason);
	} else {
		weigh(conf, copy, &best, &decision, compared);
	}
	decide_free(conf, &decision);
	copy_close(&best);
}
