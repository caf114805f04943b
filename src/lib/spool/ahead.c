#include "spool/ahead.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/file.h"

/* TRIED: of so many it is seen whether they come from memory; LIMIT_MS: then they take less. */
enum { THREADS = 12, TRIED = 64, LIMIT_MS = 10, BLOCK = 1 << 16 };

struct work {
	const struct spool *spool;
	const struct item *item;
	size_t count;
	atomic_size_t next;
};

static void read_file(const struct spool *spool, const struct place *place, enum file file)
{
	struct buf path = { 0 };
	char block[BLOCK];
	int fd;

	place_path(place, &path);
	buf_printf(&path, "/%s", file_name(file));
	fd = path.failed ? -1
			 : openat(spool->dir[SPOOL_ROOT], path.data,
				   O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		while (read(fd, block, sizeof(block)) == BLOCK)
			;
		(void)close(fd); /* only read */
	}
	buf_free(&path);
}

static void read_item(const struct spool *spool, const struct item *item)
{
	read_file(spool, item->place, FILE_SERIES);
	read_file(spool, item->place, FILE_PLAN);
}

static void *run(void *context)
{
	struct work *work = context;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->count)
		read_item(work->spool, &work->item[i]);
	return NULL;
}

/* A sample from all over the tree. */
static bool are_in_memory(const struct spool *spool, const struct item *item, size_t count)
{
	int64_t began_ms = clock_monotonic_ms();

	for (size_t i = 0; i < TRIED; i++)
		read_item(spool, &item[i * count / TRIED]);
	return clock_monotonic_ms() - began_ms < LIMIT_MS;
}

void ahead_read(const struct spool *spool, const struct item *item, size_t count)
{
	struct work work = { .spool = spool, .item = item, .count = count };
	pthread_t thread[THREADS];
	int threads = 0;

	if (count < TRIED || are_in_memory(spool, item, count))
		return;
	while (threads < THREADS && pthread_create(&thread[threads], NULL, run, &work) == 0)
		threads++;
	while (threads > 0)
		(void)pthread_join(thread[--threads], NULL); /* cannot fail: it is ours */
}
