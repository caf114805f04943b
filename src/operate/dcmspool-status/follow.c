#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "base/watch.h"
#include "cli/show.h"
#include "spool/spool.h"

enum { MOMENT_MS = 300, SHARE = 5, MINUTE_US = 60000000, ROWS = 24 };
static const int64_t day_us = 86400 * INT64_C(1000000);
static const unsigned int moves = IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE;
static const char enter[] = "\033[?1049h\033[?25l", leave[] = "\033[?25h\033[?1049l";

static struct loop loop;

/* What goes to standard output and error while a screen is drawn. */
static struct {
	int real, memory;
} captured[2] = { { -1, -1 }, { -1, -1 } };
static bool has_terminal, is_drawing;

/* ---- the terminal -------------------------------------------------------------------------- */

static _Noreturn void no_screen(void)
{
	die(EXIT_TEMPORARY, "unable to draw: %s; try again", strerror(errno));
}

static void capture(int fd)
{
	if (ftruncate(captured[fd - 1].memory, 0) < 0 ||
		lseek(captured[fd - 1].memory, 0, SEEK_SET) < 0 ||
		dup2(captured[fd - 1].memory, fd) < 0)
		no_screen();
}

static void give_back(int fd)
{
	(void)dup2(captured[fd - 1].real, fd); /* it was there before */
}

static void write_screen(const char *text, size_t length)
{
	if (disk_write_all(STDOUT_FILENO, text, length) < 0)
		_exit(EXIT_TEMPORARY); /* the terminal has gone, nobody can be told */
}

static void end(void)
{
	struct buf said = { 0 };

	if (!has_terminal)
		return;
	has_terminal = false;
	if (is_drawing) {
		give_back(STDOUT_FILENO);
		give_back(STDERR_FILENO);
		(void)memory_read(captured[1].memory, &said); /* why it ends */
	}
	write_screen(leave, sizeof(leave) - 1);
	if (said.data)
		(void)disk_write_all(
			STDERR_FILENO, said.data, said.length); /* no one else to tell */
	buf_free(&said);
}

static void begin(bool terminal)
{
	loop_open(&loop);
	if (!terminal)
		return;
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		captured[fd - 1].memory = memory_file("screen", "", 0, false);
		captured[fd - 1].real = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (captured[fd - 1].memory < 0 || captured[fd - 1].real < 0)
			no_screen();
	}
	has_terminal = true;
	(void)atexit(end); /* else only an end by mistake leaves it as it is */
	write_screen(enter, sizeof(enter) - 1);
}

static void draw(void)
{
	if (!has_terminal)
		return;
	show_measure();
	capture(STDOUT_FILENO);
	capture(STDERR_FILENO);
	is_drawing = true;
}

/* Adds the lines of text as far as there is room, each to the end of the terminal's line. */
static unsigned add_lines(struct buf *screen, const char *text, unsigned rows)
{
	while (*text && rows > 0) {
		size_t length = strcspn(text, "\n");

		rows--;
		if (rows == 0 && text[length] && text[length + 1]) {
			buf_puts(screen, show_ellipsis());
			length = 0;
			text = "";
		}
		buf_add(screen, text, length);
		buf_printf(screen, "\033[K%s", rows > 0 ? "\r\n" : "");
		text += length + (text[length] == '\n');
	}
	return rows;
}

static void drawn(void)
{
	struct buf text = { 0 }, said = { 0 }, screen = { 0 };
	struct winsize size = { .ws_row = ROWS };
	unsigned rows;

	if (!has_terminal)
		return;
	give_back(STDOUT_FILENO);
	give_back(STDERR_FILENO);
	is_drawing = false;
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size); /* else of the usual size */
	if (memory_read(captured[0].memory, &text) < 0 ||
		memory_read(captured[1].memory, &said) < 0)
		no_screen();
	buf_puts(&screen, "\033[H");
	rows = add_lines(&screen, text.data, size.ws_row ? size.ws_row : ROWS);
	(void)add_lines(&screen, said.data, rows);
	buf_puts(&screen, "\033[J");
	if (screen.failed)
		no_memory();
	write_screen(screen.data, screen.length);
	buf_free(&text);
	buf_free(&said);
	buf_free(&screen);
}

/* ---- what to look at ----------------------------------------------------------------------- */

/* Adds what is to be watched of what was seen last: a line for each, its events before it. */
static void paths_of(const struct status *status, struct buf *out)
{
	const char *conf = status->running.file ? status->running.file : "";
	const char *slash = strrchr(conf, '/');

	for (enum spool_dir stage = SPOOL_ROOT; stage < SPOOL_DIRS; stage++)
		buf_printf(out, "%u %s/\n",
			moves | (spool_stage[stage].holds == STAGE_LINES ? IN_MODIFY : 0),
			spool_name(stage));
	for (size_t i = 0; i < status->connections; i++)
		buf_printf(out, "%u %s/%s/\n", moves, spool_name(SPOOL_RECEIVING),
			status->connection[i].name);
	for (size_t i = 0; i < status->queues; i++)
		buf_printf(out, "%u %s/%s/\n%u %s/%s/\n", moves, spool_name(SPOOL_OUTGOING),
			status->queue[i].name, moves, spool_name(SPOOL_SENDING),
			status->queue[i].name);
	buf_printf(out, "%u .service/\n", moves);
	for (size_t i = 0; i < status->services.count; i++)
		buf_printf(out, "%u .service/%s/\n%u .service/%s/supervise/\n", moves | IN_MODIFY,
			status->services.one[i].name, moves, status->services.one[i].name);
	if (slash)
		buf_printf(out, "%u %.*s/\n", moves | IN_CLOSE_WRITE, (int)(slash - conf), conf);
	if (out->failed)
		no_memory();
}

/* What is not there, or may not be read, is told by the look at it. */
static void watch(const struct buf *paths)
{
	char path[PATH_MAX];
	unsigned int events;

	watch_begin();
	for (const char *line = paths->data; *line; line = strchr(line, '\n') + 1)
		if (sscanf(line, "%u %4095[^\n]", &events, path) == 2 &&
			watch_keep(path, events) < 0 && errno == ENOSPC)
			die(EXIT_TEMPORARY,
				"unable to watch %s: %s; raise fs.inotify.max_user_watches", path,
				strerror(errno));
	watch_end();
}

/* When what is shown is no longer so although nothing happens: how long something waits, what was
 * of late, what was today. 0: never. */
static int64_t stale_us(const struct status *status)
{
	const struct lately *lately = status->lately;
	bool moving = status->connections || lately->series || lately->sents;
	int64_t due_us = 0;

	for (size_t i = 0; i < status->queues; i++)
		moving |= status->queue[i].waiting > 0;
	if (moving)
		due_us = status->now_us + MINUTE_US;
	if (lately->refusals || lately->errors)
		due_us = clock_earlier(due_us, lately->midnight_us + day_us);
	return due_us;
}

void follow(const struct spool *spool, const char *file, struct lately *lately,
	void (*print)(const struct status *status), bool terminal)
{
	struct status status = { 0 };
	struct buf watched = { 0 }, found = { 0 };
	int64_t drawn_ms, next_ms;

	begin(terminal);
	paths_of(&status, &found);
	while (loop_goes_on(&loop)) {
		buf_free(&watched);
		watched = found;
		found = (struct buf){ 0 };
		watch(&watched);
		status_free(&status);
		drawn_ms = clock_monotonic_ms();
		draw();
		status_look(&status, spool, file, lately);
		print(&status);
		drawn();
		/* A look at very much takes its time, and the machine has else to do. */
		next_ms = SHARE * (clock_monotonic_ms() - drawn_ms);
		next_ms = drawn_ms + (next_ms > MOMENT_MS ? next_ms : MOMENT_MS);
		/* What is new in it may have changed before it was watched. */
		paths_of(&status, &found);
		if (strcmp(watched.data, found.data) == 0)
			(void)watch_wait(&loop, stale_us(&status), NULL);
		while (loop_goes_on(&loop) && clock_left_ms(next_ms) > 0)
			(void)loop_poll(&loop, clock_wall_us(next_ms), NULL, 0);
	}
	end();
	status_free(&status);
	buf_free(&watched);
	buf_free(&found);
}
