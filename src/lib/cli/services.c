#define _GNU_SOURCE /* fopen "e" */
#include "cli/services.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"

/*
 * supervise/status: two moments of 12 bytes, the pid (8), in 2.12 the process group (8), how it
 * ended (2), and a byte of flags. supervise/death_tally: for each end its moment, the exit status
 * as a shell tells it, and the signal. supervise/lock is locked by the supervisor as long as it
 * lives. Numbers are big-endian; moments count seconds of TAI from 2^62 on.
 */
enum { PID_AT = 24, STATUS_LEAST = 35, STATUS_MOST = 64, WANTED_UP = 4, READY = 8 };
enum { TALLY_SIZE = 14, TALLY_MOST = 1 << 16, TALLY_STATUS = 12, SECONDS = 8 };
/* TAI is ahead of UTC by so much since 2017; nobody wants more leap seconds. */
enum { TAI_AHEAD_S = 37 };
/* As `up` counts in the file `ended`. */
enum { ENDED_MOST = 1 << 16, AGAIN_AND_AGAIN = 3 };

static const char gone[] = ".gone.", tls[] = "tls";

const char *service_is_name(enum service_is is)
{
	static const char *const names[] = { [SERVICE_UP] = "up",
		[SERVICE_STARTING] = "starting",
		[SERVICE_ENDING] = "ending",
		[SERVICE_STOPPED] = "stopped",
		[SERVICE_DOWN] = "down",
		[SERVICE_ALONE] = "unsupervised",
		[SERVICE_UNKNOWN] = "unknown" };

	return names[is];
}

static uint64_t number_at(const char *data, size_t length)
{
	uint64_t number = 0;

	for (size_t i = 0; i < length; i++)
		number = number << 8 | (unsigned char)data[i];
	return number;
}

/* When a process began, microseconds since 1970; -1: it is not there, or may not be seen. */
static int64_t began_us(pid_t pid)
{
	char path[64], text[1024] = "", *end;
	unsigned long long ticks;
	struct timespec up;
	int64_t since_boot_us;
	int found = 0;
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	in = fopen(path, "re");
	if (!in)
		return -1;
	end = fgets(text, sizeof(text), in) ? strrchr(text, ')') : NULL; /* its name has any */
	(void)fclose(in);                                                /* only read */
	if (end)
		found = sscanf(end + 1,
			" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			"%*d %*d %llu",
			&ticks);
	if (found != 1 || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
		return -1;
	since_boot_us = (int64_t)up.tv_sec * 1000000 + up.tv_nsec / 1000;
	return clock_now_us() - since_boot_us +
	       (int64_t)(ticks * 1000000 / (unsigned long long)sysconf(_SC_CLK_TCK));
}

static void read_tally(int dir, struct service *service)
{
	size_t length = 0;
	char *tally = disk_read_file(dir, "supervise/death_tally", TALLY_MOST, &length);

	service->ends = (long)(length / TALLY_SIZE);
	if (tally && service->ends > 0) {
		const char *last = tally + (service->ends - 1) * TALLY_SIZE;
		int64_t tai_s = (int64_t)(number_at(last, SECONDS) - (UINT64_C(1) << 62));

		service->last_us = (tai_s - TAI_AHEAD_S) * 1000000;
		service->last = (unsigned char)last[TALLY_STATUS];
	}
	free(tally);
}

/* The lines of `ended`: how many, and is the last 100? */
static size_t read_ended(int dir, bool *for_good)
{
	char *text = disk_read_file(dir, "ended", ENDED_MOST, NULL), *last;
	size_t lines = 0;

	*for_good = false;
	if (!text)
		return 0;
	for (char *c = text; *c; c++)
		lines += *c == '\n';
	text[strlen(text) - (lines > 0)] = '\0';
	last = strrchr(text, '\n');
	*for_good = strcmp(last ? last + 1 : text, "100") == 0;
	free(text);
	return lines;
}

static bool is_supervised(int dir, const struct locks *locks)
{
	struct stat st;

	return fstatat(dir, "supervise/lock", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       locks_has(locks, &st, 0);
}

static void look_at(
	int dir, const struct locks *locks, const struct stat *conf, struct service *service)
{
	size_t length = 0;
	char *status = disk_read_file(dir, "supervise/status", STATUS_MOST, &length);
	bool for_good, ending = service->is == SERVICE_ENDING;
	struct stat st;
	char flags;

	if (!status || length < STATUS_LEAST) {
		service->is = status || errno != ENOENT   ? SERVICE_UNKNOWN
			      : is_supervised(dir, locks) ? SERVICE_STARTING
							  : SERVICE_ALONE;
		goto out;
	}
	flags = status[length - 1];
	service->pid = (pid_t)number_at(status + PID_AT, 8);
	service->again_and_again = read_ended(dir, &for_good) >= AGAIN_AND_AGAIN;
	read_tally(dir, service);
	service->since_us = service->pid ? began_us(service->pid) : -1;
	if (!service->pid && fstatat(dir, "supervise/status", &st, AT_SYMLINK_NOFOLLOW) == 0)
		service->since_us = clock_mtime_us(&st);
	if (!is_supervised(dir, locks))
		service->is = SERVICE_ALONE;
	else if (ending)
		service->is = SERVICE_ENDING;
	else if (service->pid)
		service->is = flags & READY ? SERVICE_UP : SERVICE_STARTING;
	else
		service->is = for_good            ? SERVICE_DOWN
			      : flags & WANTED_UP ? SERVICE_STARTING
						  : SERVICE_STOPPED;
	/* stunnel reads no file of ours again */
	service->before = service->is == SERVICE_UP && strcmp(service->name, tls) != 0 &&
			  !locks_has(locks, conf, service->pid);
out:
	free(status);
}

static int add(struct services *services, int dir, const char *name, const struct locks *locks,
	const struct stat *conf)
{
	struct service *more = realloc(services->one, (services->count + 1) * sizeof(*more));
	bool ending = strncmp(name, gone, sizeof(gone) - 1) == 0;
	struct service *service;
	int one;

	if (!more)
		return -1;
	services->one = more;
	service = &more[services->count];
	*service = (struct service){
		.last_us = -1, .since_us = -1, .is = ending ? SERVICE_ENDING : SERVICE_UNKNOWN
	};
	(void)snprintf(
		service->name, sizeof(service->name), "%s", name + (ending ? sizeof(gone) - 1 : 0));
	service->stage = (int)strcspn(service->name, "-");
	one = disk_open_dir(dir, name);
	if (one < 0 && (errno == ENOTDIR || errno == ENOENT || errno == ELOOP))
		return 0; /* the copy of the configuration, say */
	if (one >= 0) {
		look_at(one, locks, conf, service);
		(void)close(one); /* only read */
	}
	services->count++;
	services->alive |= service->is != SERVICE_ALONE;
	return 0;
}

int services_look(const struct spool *spool, const struct locks *locks, struct services *out)
{
	int dir = disk_open_dir(spool->dir[SPOOL_ROOT], ".service"), result = 0;
	struct disk_names names = { 0 };
	struct stat conf = { 0 }, own;

	*out = (struct services){ 0 };
	if (dir < 0)
		return 0;
	(void)fstatat(dir, "dcmspool.conf", &conf, AT_SYMLINK_NOFOLLOW); /* else 0: nobody's */
	if (disk_exists(dir, ".before.dcmspool.conf") == 1 && fstat(dir, &own) == 0) {
		out->before = locks_has(locks, &own, 0);
		out->left_before = !out->before;
	}
	if (disk_list(dir, ".", &names) < 0)
		log_warning("unable to list .service: %s; what runs is not known", strerror(errno));
	for (size_t i = 0; i < names.count && result == 0; i++)
		if (names.name[i][0] != '.' || strncmp(names.name[i], gone, sizeof(gone) - 1) == 0)
			result = add(out, dir, names.name[i], locks, &conf);
	disk_names_free(&names);
	(void)close(dir); /* only read */
	return result;
}

void services_free(struct services *services)
{
	free(services->one);
	*services = (struct services){ 0 };
}
