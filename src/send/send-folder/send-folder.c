/*
 * send-folder: the sender for targets of type folder; see send-folder(8) and dcmspool-sender(7).
 *
 *  1. Lock TARGET_PATH/.dcmspool.<job> and clear it of what a killed run may have left.
 *  2. Build in it the tree of this job as the layout says, by hard links or durable copies.
 *  3. fsync all of it. (The bytes behind a hard link are durable since the router took the batch.)
 *  4. Publish: one rename for each topmost directory that TARGET_PATH does not have yet, so that a
 *     new series appears at once; merge image by image where directories exist.
 *  5. fsync, write the markers of directories that are complete, then the answers.
 * Then the next job of this target, if the dispatcher has one (next.h).
 * Killed at any point it has told nothing untrue, and the next run finds what it published: the
 * same bytes under the same name count as stored.
 */
#define _GNU_SOURCE /* asprintf, statx */
#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"
#include "dicom/layout.h"
#include "sender/marker.h"
#include "sender/next.h"
#include "sender/path.h"
#include "sender/sender.h"
#include "leftover.h"
#include "place.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	struct sender sender;
	const char *path;
	bool looked; /* for what killed runs have left */
	char *staging_name;
	int target, staging; /* directories */
	bool copy;           /* hard links do not work, or are not wanted */
	bool mounted;        /* path must be a mount point */
	char **staged;       /* for each image its path below staging, NULL: it is not there */
	struct sender_marker *marker;
};

/* An absent mount point must not be filled in silently: the last directory of the path is made only
 * when its parent has something else in it, which an empty mount point has not. */
static int make_target(const char *path)
{
	char *parent = strdup(path), *slash;
	struct disk_names names = { 0 };
	int fd = -1, result = -1;

	if (!parent)
		return -1;
	for (size_t n = strlen(parent); n > 1 && parent[n - 1] == '/'; n--)
		parent[n - 1] = '\0';
	slash = strrchr(parent, '/'); /* the path is absolute */
	slash[slash == parent] = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || disk_list(fd, ".", &names) < 0)
		goto out;
	if (names.count == 0) {
		errno = ENOENT;
		goto out;
	}
	if (disk_make_dir(AT_FDCWD, path) == 0)
		result = fsync(fd);
out:
	disk_names_free(&names);
	if (fd >= 0)
		(void)close(fd); /* a directory */
	free(parent);
	return result;
}

/* Is the open directory the root of a mounted file system (Linux 5.8)? Of one that is mounted over
 * it later nothing is seen through this descriptor. */
static bool is_mounted(int dir)
{
	struct statx st;

	return statx(dir, "", AT_EMPTY_PATH, 0, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Returns -1 after having reported it. */
static int open_target(struct folder *f)
{
	f->target = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->target < 0 && errno == ENOENT && !f->mounted && make_target(f->path) == 0)
		f->target = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->target >= 0 && f->mounted && !is_mounted(f->target)) {
		sender_target_failed(&f->sender,
			"%s is not mounted; mount it, or remove mounted = yes from the target",
			f->path);
		return -1;
	}
	if (f->target >= 0)
		return 0;
	sender_target_failed(&f->sender, "unable to open %s: %s%s", f->path, strerror(errno),
		errno == ENOENT   ? "; mount it or make it"
		: errno == EACCES ? "; let the user who runs dcmspool write there"
				  : "");
	return -1;
}

/* The lock makes a new run wait its turn while a killed one still hangs in a system call. Where
 * directories cannot be locked (NFS) it is the dispatcher alone that keeps twins of a job apart. */
static int open_staging(struct folder *f)
{
	if (disk_make_dir(f->target, f->staging_name) < 0)
		return -1;
	f->staging = disk_lock_dir(f->target, f->staging_name, LOCK_EX | LOCK_NB);
	if (f->staging < 0 && (errno == EBADF || errno == ENOLCK || errno == EOPNOTSUPP))
		f->staging = disk_open_dir(f->target, f->staging_name);
	return f->staging < 0 ? -1 : tree_clear(f->staging);
}

/* Nothing is left aside in the target. */
static void close_staging(struct folder *f)
{
	if (f->staging >= 0 && (tree_clear(f->staging) < 0 ||
				       unlinkat(f->target, f->staging_name, AT_REMOVEDIR) < 0))
		log_warning(
			"unable to remove %s/%s: %s", f->path, f->staging_name, strerror(errno));
}

/* Opens the directory for a path in the staging tree, making what is missing. */
static int open_directory(const struct folder *f, const struct layout_path *path)
{
	int dir = dup(f->staging), next;

	for (size_t i = 0; dir >= 0 && i + 1 < path->count; i++) {
		next = disk_make_dir(dir, path->name[i]) < 0 ? -1
							     : disk_open_dir(dir, path->name[i]);
		(void)close(dir); /* a directory */
		dir = next;
	}
	return dir;
}

/* The path as one string, its last name replaced. */
static char *join(const struct layout_path *path, const char *last)
{
	struct buf b = { 0 };

	for (size_t i = 0; i + 1 < path->count; i++)
		buf_printf(&b, "%s/", path->name[i]);
	buf_puts(&b, last);
	if (b.failed)
		buf_free(&b);
	return b.data;
}

/* Places one image at its path. PLACE_SOURCE with *why set: this image fails. */
static enum place_result stage_at(struct folder *f, size_t index, const struct layout_path *path)
{
	int dir = open_directory(f, path);
	enum place_result result;
	char *placed = NULL;

	if (dir < 0)
		return PLACE_TARGET;
	result = place_file(AT_FDCWD, f->sender.image[index].name, dir, path->name[path->count - 1],
		&f->copy, &placed);
	if (result == PLACE_OK) {
		f->staged[index] = join(path, placed);
		if (!f->staged[index])
			result = PLACE_TARGET;
	}
	free(placed);
	(void)close(dir); /* a directory */
	return result;
}

static void fail(struct folder *f, size_t index, const char *text)
{
	sender_answer(&f->sender, index, SENDER_FAILED, SENDER_NO_STATUS, text);
}

/* Errors of the folder that another image need not have: of this one's names, or its size. */
static bool is_images(int error)
{
	return error == ENAMETOOLONG || error == EILSEQ || error == EFBIG;
}

/* The image could not be placed. Returns -1 with errno when that is not its own fault. */
static int blame(struct folder *f, size_t index, enum place_result placed, int error)
{
	errno = error;
	if (sender_is_own_fault(error) || (placed == PLACE_TARGET && !is_images(error)))
		return -1;
	fail(f, index, strerror(error));
	return 0;
}

/* Returns -1 with errno when the target fails; an image's failure is answered here. */
static int stage(struct folder *f, size_t index)
{
	enum place_result placed = PLACE_OK;
	struct layout_path path;
	const char *unfit;
	char why[256];
	int error = 0;

	if (!sender_path(f->sender.image[index].name, &path, why, sizeof(why))) {
		fail(f, index, why);
	} else if (sender_marker_expect(f->marker, index, &path, &unfit) < 0) {
		fail(f, index, unfit);
	} else {
		placed = stage_at(f, index, &path);
		error = errno;
	}
	layout_free(&path);
	return placed == PLACE_OK ? 0 : blame(f, index, placed, error);
}

/* Writes the marker of the directory that this published image has completed, if it has. Returns -1
 * with errno when the target fails; *why tells what stands in the way of the marker. */
static int mark(struct folder *f, size_t index, const char **why)
{
	const char *directory = sender_marker_due(f->marker, index);

	*why = NULL;
	if (!directory || place_marker(f->target, directory, sender_marker_name(f->marker)) == 0)
		return 0;
	if (errno != EISDIR && errno != ELOOP && errno != ENXIO && errno != ENOTDIR)
		return -1;
	*why = "a directory or a link has the name of the marker; move it away";
	return 0;
}

/* Answers what was published. What is still in the staging tree could not be. */
static int answer(struct folder *f)
{
	for (size_t i = 0; i < f->sender.count; i++) {
		const char *why =
			"a file or a link has the name of a directory of this image's path; "
			"move it away";

		if (!f->staged[i])
			continue;
		if (disk_exists(f->staging, f->staged[i]) == 0 && mark(f, i, &why) < 0)
			return -1;
		if (why)
			fail(f, i, why);
		else
			sender_answer(&f->sender, i, SENDER_STORED, SENDER_NO_STATUS, "stored");
	}
	return 0;
}

static int deliver(struct folder *f)
{
	if (open_staging(f) < 0)
		return -1;
	if (!f->looked)
		leftover_remove(f->target, f->staging);
	f->looked = true;
	for (size_t i = 0; i < f->sender.count; i++)
		if (stage(f, i) < 0)
			return -1;
	if (tree_sync(f->target, f->staging_name) < 0 || tree_publish(f->staging, f->target) < 0)
		return -1;
	return answer(f);
}

/* Can something be made there? Nothing is left of it. */
static int probe(struct folder *f)
{
	if (open_staging(f) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 0 : -1; /* another one asks at this moment */
}

/* What is asked of every job anew is read in begin(). */
static void read_settings(struct folder *f)
{
	f->path = sender_need("PATH");
	if (f->path[0] != '/')
		sender_never("TARGET_PATH is '%s'; it must be absolute", f->path);
	f->mounted = sender_yes("MOUNTED");
	sender_path_open(sender_need("LAYOUT"));
}

/* -probe: no job is called that. */
static void begin(struct folder *f, bool probing)
{
	const char *job = probing ? "-probe" : getenv("DCMSPOOL_JOB");

	if (!job || (!probing && !name_ok(job)))
		sender_never("DCMSPOOL_JOB is not the name of a job");
	f->target = f->staging = -1;
	f->copy = sender_yes("COPY"); /* until a link of this job fails */
	f->marker = sender_marker_open(&f->sender);
	f->staged = calloc(f->sender.count + 1, sizeof(*f->staged));
	if (!f->staged || asprintf(&f->staging_name, LEFTOVER_PREFIX "%s", job) < 0)
		sender_no_memory();
}

static void end(struct folder *f)
{
	for (size_t i = 0; i < f->sender.count; i++)
		free(f->staged[i]);
	free(f->staged);
	free(f->staging_name);
	sender_marker_close(f->marker);
	if (f->staging >= 0)
		(void)close(f->staging); /* it is removed */
	if (f->target >= 0)
		(void)close(f->target); /* synced */
}

static void failed(struct folder *f, int error)
{
	close_staging(f);
	if (sender_is_own_fault(error))
		sender_own_fault("unable to write to %s: %s", f->path, strerror(error));
	sender_target_failed(&f->sender, "unable to write to %s: %s", f->path,
		error == EWOULDBLOCK ? "another send-folder still works on this job"
				     : strerror(error));
}

/* The folder is opened anew for each job: something may be mounted there meanwhile. */
static void run(struct folder *f, bool probing)
{
	begin(f, probing);
	if (open_target(f) == 0) {
		if ((probing ? probe(f) : deliver(f)) < 0)
			failed(f, errno);
		else
			close_staging(f);
	}
	end(f);
}

int main(int argc, char *argv[])
{
	struct folder f = { 0 };
	bool probing = sender_probing(argc, argv);

	sender_open(&f.sender, argv[0]);
	read_settings(&f);
	run(&f, probing);
	while (!probing && next_wait(&f.sender, -1) == NEXT_JOB) {
		sender_path_again();
		run(&f, false);
	}
	return sender_close(&f.sender);
}
