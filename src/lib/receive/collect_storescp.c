#define _GNU_SOURCE /* pipe2 */
#include "collect.h"

#include "base/log.h"
#include "base/memory.h"
#include "parked.h"
#include "storescp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void close_one(int fd)
{
	if (fd >= 0)
		(void)close(fd); /* a pipe's end, or what was only read from memory */
}

/* Whoever has the connection then has everything, or nothing of it was touched. */
static void hand_over(struct collect *c, int command, int connection, int log, int profile)
{
	int handed[PARKED_HANDED] = { [PARKED_CONNECTION] = connection,
		[PARKED_DIRECTORY] = c->a->dir,
		[PARKED_LOG] = log,
		[PARKED_PROFILE] = profile };

	c->storescp = parked_hand_over(command, handed, &c->life);
	if (c->storescp < 0)
		log_warning("the storescp that waits has not taken the connection association=%s: "
			    "it gets one of its own",
			c->a->name);
}

int collect_storescp(struct collect *c, int connection, const char *text, int command)
{
	int log[2] = { -1, -1 }, saved;
	int profile = memory_file("profile", text, strlen(text), true);

	c->storescp = -1;
	c->life = -1;
	/* When all writers have gone, we read the end. Only the writing end is inherited. */
	if (profile >= 0 && pipe(log) == 0 && fcntl(log[0], F_SETFD, FD_CLOEXEC) == 0 &&
		fcntl(log[0], F_SETFL, O_NONBLOCK) == 0) {
		if (command >= 0)
			hand_over(c, command, connection, log[1], profile);
		if (c->storescp < 0)
			c->storescp = storescp_start(
				&c->a->conf->receiver, c->a->dir, connection, profile, log[1]);
	}
	saved = errno;
	close_one(profile);
	close_one(log[1]);
	if (c->storescp < 0)
		close_one(log[0]);
	c->log = c->storescp < 0 ? -1 : log[0];
	errno = saved;
	return c->storescp < 0 ? -1 : 0;
}
