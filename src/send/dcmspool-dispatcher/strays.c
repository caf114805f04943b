#include "strays.h"

#include "base/log.h"
#include "dispatcher.h"
#include "spool/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static bool was_told(const struct disk_names *told, const char *name)
{
	for (size_t i = 0; i < told->count; i++)
		if (strcmp(told->name[i], name) == 0)
			return true;
	return false;
}

/* Returns whether there was something to tell. */
static bool tell(struct dispatcher *d, const char *name)
{
	size_t jobs = 0, images = 0;
	struct disk_names names;

	if (disk_list(d->spool.dir[SPOOL_OUTGOING], name, &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++) {
		jobs += job_study(names.name[i]) != NULL;
		images += file_is_image(names.name[i]);
	}
	disk_names_free(&names);
	if (jobs > 0)
		log_warning("outgoing/%s holds %zu jobs, but %s has no such target; configure it, "
			    "or move them to incoming/",
			name, jobs, d->conf->file);
	else if (images > 0)
		log_warning("outgoing/%s holds %zu images, but is no queue: %s has no such target; "
			    "move it to incoming/",
			name, images, d->conf->file);
	return jobs + images > 0;
}

void strays_look(struct dispatcher *d)
{
	struct disk_names names;

	if (disk_list(d->spool.dir[SPOOL_OUTGOING], ".", &names) < 0) {
		queue_look_failed(d);
		return;
	}
	for (size_t i = 0; i < names.count; i++)
		if (!conf_target(d->conf, names.name[i]) && !was_told(&d->strays, names.name[i]) &&
			tell(d, names.name[i]) && disk_names_add(&d->strays, names.name[i]) < 0)
			die(EXIT_TEMPORARY, "out of memory");
	disk_names_free(&names);
}

/* The first odd name that is no directory; what is one is a job by hand, or nothing of ours. */
static const char *first_stray(struct roll *roll, int outgoing)
{
	struct waiting *w = roll_first(roll, ROLL_ODD), *next;
	struct stat st;

	for (; w; w = next) {
		next = roll_next(roll, w);
		if (fstatat(outgoing, w->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			roll_set_no_job(roll, w);
			return w->name;
		}
		if (roll_is_job(w->name))
			roll_set_kind(roll, w, ROLL_JOB);
		else
			roll_remove(roll, w->name);
	}
	return "";
}

/* The first one stands for all; the next when that has gone. */
void strays_look_in_queue(
	struct dispatcher *d, const struct conf_target *target, int outgoing, struct roll *roll)
{
	char *told = d->seen[target - d->conf->target].stray;
	const char *first = first_stray(roll, outgoing);

	if (strcmp(told, first) == 0)
		return;
	(void)snprintf(told, STRAY_SIZE, "%s", first);
	if (*first)
		log_warning("outgoing/%s/%s is no job, but a file, and is not sent; "
			    "move it to incoming/",
			target->name, first);
}
