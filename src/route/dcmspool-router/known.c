/*
 * A scan lists incoming/, but looks into a batch only when it is new, when the moment has come at
 * which it was to be complete, or when an event has told that what was known is old.
 */
#include "router.h"

#include "base/clock.h"
#include "base/watch.h"
#include "spool/file.h"

#include <stdlib.h>
#include <string.h>

static const char incoming[] = "incoming/", receiving[] = "receiving/";

static struct router *told; /* watch_each() has no argument for it */

static struct known *of(const struct sorted_node *node)
{
	return SORTED_OF((struct sorted_node *)node, struct known, node);
}

static int by_name(const struct sorted_node *a, const struct sorted_node *b)
{
	return strcmp(of(a)->name, of(b)->name);
}

static struct known *find(const struct router *router, const char *name)
{
	const struct known key = { .name = name };

	return of(sorted_find(&router->known, &key.node));
}

static void forget(struct router *router, struct known *known)
{
	sorted_take(&router->known, &known->node);
	free(known);
}

static void forget_all(struct router *router)
{
	while (router->known.root)
		forget(router, of(router->known.root));
}

static void forget_fed(struct router *router)
{
	for (struct sorted_node *at = sorted_first(&router->known); at;) {
		struct known *known = of(at);

		at = sorted_after(&router->known, at);
		if (known->fed)
			forget(router, known);
	}
}

/* In a batch, only what a person makes there matters, and that its own times were set: its images
 * make it later, which is seen when it was to be complete. */
static void take_inside(struct router *router, const char *path, const char *name)
{
	char batch[512];
	size_t length = strlen(path) - strlen(incoming) - 1; /* without the '/' at its end */
	struct known *known;

	if (length >= sizeof(batch))
		return;
	memcpy(batch, path + strlen(incoming), length);
	batch[length] = '\0';
	known = find(router, batch);
	if (!known) { /* it was claimed, or waits for its first image (early.c) */
		router->woken |= router->cuts_through;
		return;
	}
	if (*name && !known->resend && strcmp(name, file_name(FILE_COMPLETE)) != 0 &&
		strcmp(name, file_name(FILE_JOB)) != 0)
		return;
	forget(router, known);
	router->woken = true;
}

static void take(const char *path, const char *name)
{
	if (path && strcmp(path, incoming) != 0 && strcmp(path, receiving) != 0) {
		take_inside(told, path, name);
		return;
	}
	told->woken = true;
	if (!path)
		forget_all(told);
	else if (strcmp(path, receiving) == 0)
		forget_fed(told);
	else
		known_forget(told, name);
}

void known_open(struct router *router)
{
	router->known.compare = by_name;
	told = router;
	watch_each(take);
}

/* A clock that was set makes all that is known of times worthless. */
struct known *known_find(struct router *router, const char *name)
{
	const struct conf_router *conf = &router->conf->router;
	int64_t longest_us = conf->series_timeout_ms * 1000, now_us = clock_now_us();
	struct known *known = find(router, name);

	if (longest_us < conf->association_grace_ms * 1000)
		longest_us = conf->association_grace_ms * 1000;
	if (longest_us < RETRY_US)
		longest_us = RETRY_US;
	return known && known->looked_us <= now_us && known->due_us <= now_us + longest_us ? known
											   : NULL;
}

void known_set(struct router *router, const struct known *known)
{
	size_t size = strlen(known->name) + 1;
	struct known *entry = find(router, known->name);
	const char *name;

	if (!entry) {
		entry = malloc(sizeof(*entry) + size);
		if (!entry)
			return;
		entry->name = memcpy(entry + 1, known->name, size);
		sorted_put(&router->known, &entry->node);
	}
	name = entry->name;
	entry->looked_us = clock_now_us();
	entry->due_us = known->due_us;
	entry->arrived_us = known->arrived_us;
	entry->fed = known->fed;
	entry->resend = known->resend;
	entry->name = name;
}

void known_forget(struct router *router, const char *name)
{
	struct known *known = find(router, name);

	if (known)
		forget(router, known);
}

void known_sweep(struct router *router, size_t names)
{
	if (router->known.count > 2 * names + 64)
		forget_all(router);
}
