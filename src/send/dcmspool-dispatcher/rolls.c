/*
 * The rolls of all targets, and the inotify descriptor that corrects them.
 */
#include "roll.h"

#include "base/disk.h"
#include "base/log.h"
#include "spool/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* What comes and goes; that the directory itself is put aside, so that another may come. */
enum { EVENTS = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MOVE_SELF | IN_ONLYDIR };

void rolls_open(struct rolls *rolls, const struct conf *conf)
{
	rolls->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (rolls->inotify < 0)
		die(EXIT_TEMPORARY, "unable to start watching: %s", strerror(errno));
	rolls->count = conf->target_count;
	rolls->roll = calloc(rolls->count + 1, sizeof(*rolls->roll));
	if (!rolls->roll)
		die(EXIT_TEMPORARY, "out of memory");
	for (size_t i = 0; i < rolls->count; i++) {
		rolls->roll[i] = (struct roll){ .order = conf->target[i].order, .watch = -1 };
		roll_clear(&rolls->roll[i]);
	}
}

static void take_event(struct roll *roll, const struct inotify_event *event)
{
	if (!(event->mask & (IN_CREATE | IN_MOVED_TO))) {
		roll_remove(roll, event->name);
		return;
	}
	if (roll_add(roll, event->name) < 0)
		roll->whole = false;
	/* Who changes retry.json of waiting jobs says so by such a file. */
	roll->retries += !(event->mask & IN_ISDIR) && file_is_temporary(event->name);
}

static void take(struct rolls *rolls, const struct inotify_event *event)
{
	for (size_t i = 0; i < rolls->count; i++) {
		struct roll *roll = &rolls->roll[i];

		if (event->mask & IN_Q_OVERFLOW) /* there were too many */
			roll->whole = false;
		else if (event->wd == roll->watch && event->len > 0)
			take_event(roll, event);
	}
}

void rolls_drain(struct rolls *rolls)
{
	static _Alignas(struct inotify_event) char events[1 << 16];
	ssize_t n;

	while ((n = read(rolls->inotify, events, sizeof(events))) > 0 || (n < 0 && errno == EINTR))
		for (char *at = events; at < events + n;) {
			const struct inotify_event *event = (const void *)at;

			take(rolls, event);
			at += sizeof(*event) + event->len;
		}
}

/* The watch of what the descriptor stands for, whatever has its name by now. -1 with errno. */
static int watch(const struct rolls *rolls, int directory)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/.", directory);
	return inotify_add_watch(rolls->inotify, path, EVENTS);
}

static int list(struct roll *roll, int directory)
{
	struct disk_names names;
	int result;

	roll_clear(roll);
	result = disk_list(directory, ".", &names);
	for (size_t i = 0; i < names.count && result == 0; i++)
		result = roll_add(roll, names.name[i]);
	disk_names_free(&names);
	return result;
}

int roll_refresh(struct rolls *rolls, struct roll *roll, int outgoing, int *watched)
{
	int now = watch(rolls, outgoing);

	*watched = now < 0 ? errno : 0;
	if (now != roll->watch && roll->watch >= 0)
		(void)inotify_rm_watch(rolls->inotify, roll->watch); /* gone is fine */
	roll->whole &= now >= 0 && now == roll->watch;
	roll->watch = now;
	rolls_drain(rolls);
	if (roll->whole)
		return 0;
	if (list(roll, outgoing) < 0)
		return -1;
	roll->whole = now >= 0;
	return 0;
}
