/* How full the disk is, and when it will be. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "spool/job.h"
#include "status.h"

/* From how many of the last jobs, and images of each, the size of an image is judged. */
enum { JOBS = 8, IMAGES = 32 };
/* What is further away says nothing. */
enum { FORESEEN_S = 30 * 86400 };

struct sample {
	size_t images;
	double bytes;
};

static void sample_job(int stage, const char *name, struct sample *sample)
{
	int dir = disk_open_dir(stage, name);
	struct disk_names images;
	struct stat st;

	if (dir >= 0 && job_images(dir, &images) == 0) {
		for (size_t i = 0; i < images.count && i < IMAGES; i++) {
			if (fstatat(dir, images.name[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
				continue;
			sample->images++;
			sample->bytes += (double)st.st_size;
		}
		disk_names_free(&images);
	}
	if (dir >= 0)
		(void)close(dir); /* only read */
}

/* The last jobs in a directory. */
static void sample_last(int stage, const char *name, struct sample *sample)
{
	int dir = disk_open_dir(stage, name);
	struct disk_names jobs;

	if (dir >= 0 && disk_list(dir, ".", &jobs) == 0) {
		for (size_t i = jobs.count; i-- > 0 && jobs.count - i <= JOBS;)
			sample_job(dir, jobs.name[i], sample);
		disk_names_free(&jobs);
	}
	if (dir >= 0)
		(void)close(dir); /* only read */
}

static double bytes_a_second(const struct status *status)
{
	const int *dir = status->spool->dir;
	struct sample sample = { 0 };

	if (!status->lately->images)
		return 0;
	sample_last(dir[SPOOL_SUCCESS], ".", &sample);
	for (size_t i = 0; i < status->queues; i++)
		if (status->queue[i].waiting)
			sample_last(dir[SPOOL_OUTGOING], status->queue[i].name, &sample);
	if (!sample.images)
		return 0;
	return (double)status->lately->images * sample.bytes / (double)sample.images / LATELY_S;
}

void look_at_disk(struct status *status)
{
	struct disk *disk = &status->disk;
	double left;

	disk->known = fstatvfs(status->spool->dir[SPOOL_ROOT], &disk->fs) == 0;
	if (!disk->known) {
		log_warning("unable to see how full the disk is: %s", strerror(errno));
		status->incomplete = true;
		return;
	}
	disk->bytes_a_second = bytes_a_second(status);
	left = (double)disk->fs.f_bavail * (double)disk->fs.f_frsize -
	       (double)status->conf->receiver.min_free_mb * 1048576;
	if (disk->bytes_a_second > 0 && left > 0 && left / disk->bytes_a_second < FORESEEN_S)
		disk->full_us = status->now_us + (int64_t)(left / disk->bytes_a_second * 1000000);
}
