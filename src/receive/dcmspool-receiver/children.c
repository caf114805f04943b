#include "children.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/run.h"
#include "base/str.h"
#include "receive/serve.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RESERVE = 32, RECOVERIES = 4 };

/* "PID ..." of connections, "PID:NAME" of recoveries, with "+" before it while it waits. */
static const char variable[] = "DCMSPOOL_CHILDREN";

static void add_before(struct children *c, char *word)
{
	struct child child = { .waits = *word == '+' };
	char *name = strchr(word, ':');
	long pid;

	if (name)
		*name++ = '\0';
	if (parse_long(word + child.waits, 1, INT_MAX, &pid) < 0 || c->count == c->max ||
		(name && !(child.recovers = strdup(name))))
		return; /* it is reaped as one that is not known */
	child.pid = (pid_t)pid;
	c->child[c->count++] = child;
	c->connections += !name;
}

/* Those of before we began anew. */
static void take_before(struct children *c)
{
	const char *text = getenv(variable);
	char *copy = text ? strdup(text) : NULL, *rest = NULL;

	for (char *word = copy ? strtok_r(copy, " ", &rest) : NULL; word;
		word = strtok_r(NULL, " ", &rest))
		add_before(c, word);
	free(copy);
	(void)unsetenv(variable); /* cannot fail */
}

void children_leave(const struct children *c)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < c->count; i++)
		buf_printf(&text, "%s%ld%s%s ", c->child[i].waits ? "+" : "", (long)c->child[i].pid,
			c->child[i].recovers ? ":" : "",
			c->child[i].recovers ? c->child[i].recovers : "");
	if (!text.failed && text.data)
		(void)setenv(variable, text.data, 1); /* else they are found as after a kill -9 */
	buf_free(&text);
}

void children_open(struct children *c, const struct conf *conf, const struct spool *spool)
{
	long associations = conf->receiver.max_associations;

	for (size_t i = 0; i < conf->sender_count; i++)
		associations += conf->sender[i].max_associations;
	*c = (struct children){
		.conf = conf, .spool = spool, .max_connections = (size_t)associations + RESERVE
	};
	c->max = c->max_connections + 2 * RECOVERIES;
	c->program = run_beside("dcmspool-association");
	c->child = calloc(c->max, sizeof(*c->child));
	if (!c->program || !c->child)
		die(EXIT_TEMPORARY, "unable to start: %s", strerror(errno));
	take_before(c);
}

bool children_full(const struct children *c)
{
	return c->connections >= c->max_connections;
}

/* Recoveries that wait for the lock of an association that is alive. */
static size_t waiting(const struct children *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->child[i].waits;
	return n;
}

static int add(struct children *c, struct child child)
{
	c->child[c->count++] = child;
	c->connections += !child.recovers;
	return 0;
}

/* The recovery of the directory name. */
static int start_recovery(struct children *c, const char *name, bool waits)
{
	const char *argv[] = { c->program, "-c", c->conf->file, "-r", name, NULL };
	struct run run = RUN_DEFAULT;
	struct child child = { .waits = waits };

	if (!(child.recovers = strdup(name)))
		return -1;
	run.argv = argv;
	run.survive = 1;
	child.pid = run_start(&run);
	if (child.pid < 0) {
		int saved = errno;

		free(child.recovers);
		errno = saved;
		return -1;
	}
	return add(c, child);
}

int children_serve(struct children *c, int connection, int command)
{
	struct child child = { 0 };
	int keep[SPOOL_DIRS + 1];

	memcpy(keep, c->spool->dir, sizeof(c->spool->dir));
	keep[SPOOL_DIRS] = command;
	child.pid = run_fork("dcmspool-association", connection, keep, SPOOL_DIRS + 1, true);
	if (child.pid == 0)
		exit(serve_connection(c->conf, c->spool, false, command));
	return child.pid < 0 ? -1 : add(c, child);
}

static bool being_recovered(const struct children *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->child[i].recovers && strcmp(c->child[i].recovers, name) == 0)
			return true;
	return false;
}

/* An association's directory is named "<stamp>.<pid>". */
static bool is_served(const struct children *c, const char *name)
{
	const char *dot = strrchr(name, '.');
	long pid;

	if (!dot || parse_long(dot + 1, 1, INT_MAX, &pid) < 0)
		return false;
	for (size_t i = 0; i < c->count; i++)
		if (!c->child[i].recovers && c->child[i].pid == (pid_t)pid)
			return true;
	return false;
}

static size_t working(const struct children *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->child[i].recovers && !c->child[i].waits;
	return n;
}

enum { DEAD, ALIVE, GONE };

static int state_of(int receiving, const char *name)
{
	int fd = disk_open_dir(receiving, name), state = ALIVE;

	if (fd < 0)
		return GONE;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		state = DEAD;
	(void)close(fd); /* drops our lock */
	return state;
}

bool children_recover(struct children *c)
{
	int receiving = c->spool->dir[SPOOL_RECEIVING];
	struct disk_names names;
	bool left = false;
	size_t first = 0;

	if (disk_list(receiving, ".", &names) < 0) {
		log_error("unable to list receiving: %s", strerror(errno));
		return true;
	}
	while (c->last && first < names.count && strcmp(names.name[first], c->last) <= 0)
		first++;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.name[(first + i) % names.count];
		int state = state_of(receiving, name);

		if (!name_ok(name) || being_recovered(c, name) || state == GONE ||
			(state == ALIVE && is_served(c, name)))
			continue;
		if ((state == ALIVE && waiting(c) >= RECOVERIES) ||
			(state == DEAD && working(c) >= RECOVERIES)) {
			left = true;
		} else if (start_recovery(c, name, state == ALIVE) < 0) {
			log_error("unable to start dcmspool-association: %s", strerror(errno));
			left = true;
		} else {
			free(c->last);
			c->last = strdup(name); /* NULL: begins at the first again */
		}
	}
	disk_names_free(&names);
	return left;
}

struct reaped children_reap(struct children *c, struct parked *parked)
{
	struct reaped r = { 0 };
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		size_t i = 0;

		while (i < c->count && c->child[i].pid != pid)
			i++;
		if (i ==
			c->count) { /* the storescp that waits; or of whoever became this process */
			(void)parked_ended(parked, pid, status);
			continue;
		}
		if (!c->child[i].recovers) {
			c->connections--;
			r.lost += !well;
		} else if (well) {
			r.recovered++;
		} else {
			r.failed++;
		}
		free(c->child[i].recovers);
		c->child[i] = c->child[--c->count];
	}
	return r;
}

void children_stop(struct children *c)
{
	for (size_t i = 0; i < c->count; i++)
		(void)kill(c->child[i].pid, SIGTERM); /* not reaped yet, so it is still that one */
}
