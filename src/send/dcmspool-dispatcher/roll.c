#include "roll.h"

#include "base/clock.h"
#include "base/str.h"
#include "spool/file.h"
#include "spool/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BY_NAME(node)  SORTED_OF(node, struct waiting, by_name)
#define BY_STUDY(node) SORTED_OF(node, struct waiting, by_study)
#define IN_TURN(node)  SORTED_OF(node, struct waiting, in_turn)

static int compare_names(const struct sorted_node *a, const struct sorted_node *b)
{
	const struct waiting *left = BY_NAME(a), *right = BY_NAME(b);

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return strcmp(left->name, right->name);
}

static bool same_study(const struct waiting *a, const struct waiting *b)
{
	return a->priority == b->priority && a->study == b->study;
}

/* Of a study, those whose number is not known come first, so that it is found out. */
static int compare_studies(const struct sorted_node *a, const struct sorted_node *b)
{
	const struct waiting *left = BY_STUDY(a), *right = BY_STUDY(b);

	if (left->priority != right->priority)
		return left->priority < right->priority ? -1 : 1;
	if (left->study != right->study)
		return left->study < right->study ? -1 : 1;
	if (left->series_number != right->series_number)
		return left->series_number < right->series_number ? -1 : 1;
	return strcmp(left->name, right->name);
}

static int compare_ready(const struct sorted_node *a, const struct sorted_node *b)
{
	const struct waiting *left = IN_TURN(a), *right = IN_TURN(b);

	if (left->priority != right->priority)
		return left->priority < right->priority ? -1 : 1;
	return strcmp(left->name, right->name);
}

static int compare_later(const struct sorted_node *a, const struct sorted_node *b)
{
	const struct waiting *left = IN_TURN(a), *right = IN_TURN(b);

	if (left->retry.not_before_us != right->retry.not_before_us)
		return left->retry.not_before_us < right->retry.not_before_us ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* Does it wait for others of its study? */
static bool has_study(const struct roll *roll, const struct waiting *w)
{
	return roll->order != CONF_ORDER_NONE && w->study != 0 && w->kind != ROLL_AHEAD;
}

static void set_place(struct roll *roll, struct waiting *w, enum roll_place place)
{
	if (w->place == ROLL_READY)
		sorted_take(&roll->ready, &w->in_turn);
	else if (w->place == ROLL_LATER)
		sorted_take(&roll->later, &w->in_turn);
	w->place = place;
	if (place == ROLL_READY)
		sorted_put(&roll->ready, &w->in_turn);
	else if (place == ROLL_LATER)
		sorted_put(&roll->later, &w->in_turn);
}

static struct waiting *first_of_study(const struct roll *roll, const struct waiting *w)
{
	const struct waiting key = {
		.priority = w->priority, .study = w->study, .series_number = LONG_MIN, .name = ""
	};
	struct waiting *head = BY_STUDY(sorted_from(&roll->studies, &key.by_study));

	return head && same_study(head, w) ? head : NULL;
}

struct waiting *roll_head(const struct roll *roll, const struct waiting *w)
{
	return has_study(roll, w) ? first_of_study(roll, w) : (struct waiting *)w;
}

bool roll_study_waits(const struct roll *roll, const struct waiting *entry)
{
	const struct waiting *first = first_of_study(roll, entry);

	return first && roll->order != CONF_ORDER_NONE && entry->study != 0 &&
	       (roll->order == CONF_ORDER_SERIES_NUMBER || strcmp(first->name, entry->name) < 0);
}

bool roll_is_alone(const struct roll *roll, const struct waiting *w)
{
	const struct waiting *next;

	if (!has_study(roll, w))
		return true;
	next = BY_STUDY(sorted_after(&roll->studies, &w->by_study));
	return roll_head(roll, w) == w && (!next || !same_study(next, w));
}

/* A job joins those of its study: before, its first goes behind. */
static void join(struct roll *roll, struct waiting *w)
{
	struct waiting *head = roll_head(roll, w);

	if (!has_study(roll, w)) {
		set_place(roll, w, ROLL_READY);
		return;
	}
	sorted_put(&roll->studies, &w->by_study);
	set_place(roll, w, ROLL_BEHIND);
	if (roll_head(roll, w) != w)
		return;
	if (head)
		set_place(roll, head, ROLL_BEHIND);
	set_place(roll, w, ROLL_READY);
}

/* A job leaves them: it is the next one's turn. */
static void leave(struct roll *roll, struct waiting *w)
{
	struct waiting *head;

	if (w->place == ROLL_NOWHERE)
		return;
	if (has_study(roll, w)) {
		sorted_take(&roll->studies, &w->by_study);
		head = roll_head(roll, w);
		if (head && head->place == ROLL_BEHIND)
			set_place(roll, head, ROLL_READY);
	}
	set_place(roll, w, ROLL_NOWHERE);
}

bool roll_is_job(const char *name)
{
	return name_ok(name) && strlen(name) < QUEUE_NAME_SIZE &&
	       !file_is_ours(FILE_IN_QUEUE, name);
}

uint32_t roll_study(const char *name)
{
	const char *study = job_study(name);

	return study ? (uint32_t)strtoul(study, NULL, 16) : 0;
}

static enum roll_kind kind_of(const char *name)
{
	if (file_is_temporary(name))
		return ROLL_TEMPORARY;
	if (file_is_ours(FILE_IN_QUEUE, name) || *name == '.')
		return ROLL_KINDS;
	if (spool_stamp_time(name) < 0)
		return ROLL_ODD;
	if (!roll_is_job(name))
		return ROLL_KINDS;
	return job_ahead(name) > 0 ? ROLL_AHEAD : job_ended(name) > 0 ? ROLL_ENDED : ROLL_JOB;
}

static struct waiting *find(const struct roll *roll, enum roll_kind kind, const char *name)
{
	const struct waiting key = { .kind = kind, .name = name };

	return BY_NAME(sorted_find(&roll->names, &key.by_name));
}

static void forget(struct roll *roll, struct waiting *w)
{
	leave(roll, w);
	sorted_take(&roll->names, &w->by_name);
	free(w);
}

void roll_remove(struct roll *roll, const char *name)
{
	enum roll_kind kind = kind_of(name);
	struct waiting *w = find(roll, kind, name);

	if (!w && kind == ROLL_ODD)
		w = find(roll, ROLL_JOB, name); /* by hand */
	if (w)
		forget(roll, w);
}

int roll_add(struct roll *roll, const char *name)
{
	enum roll_kind kind = kind_of(name);
	size_t size = strlen(name) + 1;
	struct waiting *w;

	roll_remove(roll, name);
	if (kind == ROLL_KINDS)
		return 0;
	w = malloc(sizeof(*w) + size);
	if (!w) {
		errno = ENOMEM;
		return -1;
	}
	*w = (struct waiting){ .name = memcpy(w + 1, name, size),
		.kind = kind,
		.priority = job_priority(name),
		.time_us = spool_stamp_time(name),
		.study = roll_study(name),
		.series_number = NUMBER_UNKNOWN,
		.seen = roll->retries - 1 };
	sorted_put(&roll->names, &w->by_name);
	if (kind == ROLL_JOB || kind == ROLL_AHEAD || (kind == ROLL_ODD && roll_is_job(name)))
		join(roll, w);
	return 0;
}

void roll_clear(struct roll *roll)
{
	struct waiting *w;

	while ((w = BY_NAME(roll->names.root))) {
		sorted_take(&roll->names, &w->by_name);
		free(w);
	}
	*roll = (struct roll){ .order = roll->order,
		.watch = roll->watch,
		.retries = roll->retries,
		.names.compare = compare_names,
		.studies.compare = compare_studies,
		.ready.compare = compare_ready,
		.later.compare = compare_later };
}

void roll_set_number(struct roll *roll, struct waiting *w, long number)
{
	leave(roll, w);
	w->series_number = number;
	join(roll, w);
}

void roll_set_later(struct roll *roll, struct waiting *w)
{
	set_place(roll, w, ROLL_LATER);
}

void roll_set_no_job(struct roll *roll, struct waiting *w)
{
	leave(roll, w);
}

void roll_set_kind(struct roll *roll, struct waiting *w, enum roll_kind kind)
{
	sorted_take(&roll->names, &w->by_name);
	w->kind = kind;
	sorted_put(&roll->names, &w->by_name);
}

int64_t roll_wake(struct roll *roll, int64_t longest_us)
{
	struct waiting *w;

	while ((w = IN_TURN(sorted_first(&roll->later)))) {
		if (w->seen == roll->retries && !clock_is_due(w->retry.not_before_us, longest_us))
			return w->retry.not_before_us;
		set_place(roll, w, ROLL_READY);
	}
	return 0;
}

struct waiting *roll_first(const struct roll *roll, enum roll_kind kind)
{
	const struct waiting key = { .kind = kind, .name = "" };
	struct waiting *w = BY_NAME(sorted_from(&roll->names, &key.by_name));

	return w && w->kind == kind ? w : NULL;
}

struct waiting *roll_next(const struct roll *roll, const struct waiting *waiting)
{
	struct waiting *w = BY_NAME(sorted_after(&roll->names, &waiting->by_name));

	return w && w->kind == waiting->kind ? w : NULL;
}

struct waiting *roll_ready(const struct roll *roll, enum job_priority priority)
{
	const struct waiting key = { .priority = priority, .name = "" };
	struct waiting *w = IN_TURN(sorted_from(&roll->ready, &key.in_turn));

	return w && w->priority == priority ? w : NULL;
}

struct waiting *roll_ready_next(const struct roll *roll, const struct waiting *waiting)
{
	struct waiting *w = IN_TURN(sorted_after(&roll->ready, &waiting->in_turn));

	return w && w->priority == waiting->priority ? w : NULL;
}
