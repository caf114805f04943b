#include "pausing.h"

#include "base/clock.h"
#include "base/log.h"
#include "spool/pause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>

enum { CHOOSING_MS = 50 };

int pausing_lock(int queue)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; flock(queue, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK || i == CHOOSING_MS)
			return -1;
		(void)nanosleep(&moment, NULL);
	}
	return 0;
}

int64_t pausing_length_us(long n, const struct conf_target *target)
{
	int64_t pause_us = (int64_t)target->retry_min_ms * 1000;
	int64_t max_us = (int64_t)target->retry_max_ms * 1000;
	uint16_t random = 32768;

	while (n-- > 1 && pause_us < max_us)
		pause_us *= 2;
	if (pause_us > max_us)
		pause_us = max_us;
	if (getrandom(&random, sizeof(random), 0) < 0)
		random = 32768; /* no jitter, then */
	return pause_us * 3 / 4 + pause_us / 2 * random / 65536;
}

int64_t pausing_longest_us(const struct conf_target *target)
{
	return ((int64_t)target->retry_max_ms * 5 / 4 + target->retry_min_ms) * 1000;
}

int64_t pausing_sane_us(const struct conf_target *target, int64_t due_us)
{
	return due_us < 0 || clock_is_due(due_us, pausing_longest_us(target)) ? 0 : due_us;
}

int64_t pausing_until(int queue, const struct conf_target *target, bool *probing)
{
	struct pause pause;

	*probing = pause_load(queue, &pause) != 0; /* one that cannot be read may be tried */
	return pausing_sane_us(target, pause.until_us);
}

int64_t pausing_since(int queue, char *reason, size_t size)
{
	struct pause pause;

	(void)pause_load(queue, &pause); /* one that cannot be read gives nothing up */
	(void)snprintf(reason, size, "%s", pause.reason);
	return pause.since_us;
}

int64_t pausing_begin(int queue, const struct conf_target *target, const char *reason)
{
	int64_t now_us = clock_now_us(), set_us;
	struct pause pause;

	/* Another dispatcher may have failed at the same moment: read and write are one step. */
	if (pausing_lock(queue) < 0)
		log_error("unable to lock outgoing/%s: %s; it is paused all the same", target->name,
			strerror(errno));
	(void)pause_load(queue, &pause); /* damaged: it begins anew */
	set_us = pausing_sane_us(target, pause.until_us);
	if (set_us == 0) {
		pause.failures++;
		if (pause.since_us < 0)
			pause.since_us = now_us;
		pause.until_us = set_us = now_us + pausing_length_us(pause.failures, target);
		(void)snprintf(pause.reason, sizeof(pause.reason), "%s", reason);
		if (pause_store(queue, &pause) < 0) {
			log_error("unable to write outgoing/%s/paused.json: %s", target->name,
				strerror(errno));
			set_us = -1;
		}
	}
	(void)flock(queue, LOCK_UN); /* cannot fail on what is locked */
	return set_us;
}

void pausing_end(int queue, const struct conf_target *target)
{
	struct pause pause;
	bool is_paused = pause_load(queue, &pause) != 0;

	if (pause_remove(queue) < 0)
		log_error("unable to remove outgoing/%s/paused.json: %s", target->name,
			strerror(errno));
	else if (is_paused)
		log_warning("target answers again, its pause is over target=%s", target->name);
}
