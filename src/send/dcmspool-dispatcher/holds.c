#include "holds.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"
#include "dispatcher.h"
#include "spool/held.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* Takes the file's lock unless we have it; false: there is no file, or somebody else tells. */
static bool is_ours(struct hold *hold, int dir)
{
	struct stat had, now;
	bool there = fstatat(dir, HELD_FILE, &now, AT_SYMLINK_NOFOLLOW) == 0;

	if (hold->told && there && fstat(hold->file, &had) == 0 && disk_same_file(&had, &now))
		return true;
	if (hold->told)
		(void)close(hold->file); /* it is held no longer, or anew */
	*hold = (struct hold){ 0 };
	if (!there)
		return false;
	hold->file = openat(dir, HELD_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (hold->file < 0)
		return false; /* it is held all the same */
	hold->told = flock(hold->file, LOCK_EX | LOCK_NB) == 0;
	if (!hold->told)
		(void)close(hold->file); /* nothing was written */
	return hold->told;
}

static bool has_jobs(int outgoing)
{
	struct disk_names names;
	bool jobs = false;

	if (disk_list(outgoing, ".", &names) < 0)
		return false;
	for (size_t i = 0; i < names.count && !jobs; i++)
		jobs = roll_is_job(names.name[i]);
	disk_names_free(&names);
	return jobs;
}

/* target: NULL for all. */
static void look(struct hold *hold, const char *target, int dir, int outgoing)
{
	const char *name = held_name(target);
	struct buf by = { 0 };
	bool new = !hold->told;

	if (!is_ours(hold, dir) || hold->jobs)
		return;
	hold->jobs = has_jobs(outgoing);
	if (!new && !hold->jobs)
		return;
	held_tell(dir, &by);
	if (hold->jobs)
		log_warning("target %s is held%s, and jobs wait; end that with: "
			    "dcmspool release %s",
			name, by.data ? by.data : "", name);
	else
		log_warning("target %s is held%s; end that with: dcmspool release %s", name,
			by.data ? by.data : "", name);
	buf_free(&by);
}

void holds_look(struct dispatcher *d, const struct conf_target *target, int outgoing)
{
	look(&d->held, NULL, d->spool.dir[SPOOL_OUTGOING], outgoing);
	look(&d->seen[target - d->conf->target].held, target->name, outgoing, outgoing);
}
