#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static _Noreturn void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to make the report: out of memory; try again");
}

void *rows_room(void *array, size_t count, size_t size)
{
	if (count == 0 || (count & (count - 1)) == 0) /* full at each power of two */
		array = realloc(array, (count ? 2 * count : 1) * size);
	if (!array)
		no_memory();
	return array;
}

char *rows_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		no_memory();
	return copy;
}

json_t *rows_checked(json_t *value)
{
	if (!value)
		no_memory();
	return value;
}

long *rows_steps(size_t count)
{
	long *steps = calloc(count, sizeof(*steps));

	if (!steps)
		no_memory();
	return steps;
}

static size_t add(struct rows *rows, const char *name)
{
	rows->row = rows_room(rows->row, rows->count, sizeof(*rows->row));
	rows->row[rows->count] = (struct row){
		.name = name ? rows_copy(name) : NULL, .median_us = -1, .worst_us = -1
	};
	return rows->count++;
}

void rows_open(struct rows *rows, size_t fixed)
{
	*rows = (struct rows){ .index = rows_checked(json_object()) };
	while (rows->count < fixed)
		(void)add(rows, NULL);
}

void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->row[i].name);
		free(rows->row[i].peer);
		free(rows->row[i].reason);
		free(rows->row[i].longest);
	}
	free(rows->row);
	json_decref(rows->index);
}

size_t rows_find(struct rows *rows, const char *key, const char *name)
{
	const json_t *known = json_object_get(rows->index, key);
	size_t at;

	if (known)
		return (size_t)json_integer_value(known);
	at = add(rows, name);
	if (json_object_set_new(rows->index, key, json_integer((json_int_t)at)) < 0)
		no_memory();
	return at;
}

/* ---- delays -------------------------------------------------------------------------------- */

/* What qsort(3) has no argument for. */
static const struct report *sorted;

static size_t of_all(const struct sent *sent)
{
	(void)sent;
	return 0;
}

static size_t of_sender(const struct sent *sent)
{
	return sent->sender;
}

static size_t of_target(const struct sent *sent)
{
	return sent->target;
}

static size_t of_step(const struct sent *sent)
{
	return (size_t)((sent->time_us - sorted->from_us) / sorted->step_us);
}

static size_t (*group)(const struct sent *sent);

static int by_group(const void *a, const void *b)
{
	const struct sent *left = a, *right = b;
	size_t mine = group(left), other = group(right);

	if (mine != other)
		return mine < other ? -1 : 1;
	return (left->delay_us > right->delay_us) - (left->delay_us < right->delay_us);
}

static void set(struct report *report, size_t (*of)(const struct sent *), const struct sent *first,
	size_t count)
{
	const int64_t median = first[(count - 1) / 2].delay_us, worst = first[count - 1].delay_us;
	size_t at = of(first);

	if (of == of_all) {
		report->median_us = median;
		report->worst_us = worst;
	} else if (of == of_step) {
		report->delay[at].median_us = median;
		report->delay[at].worst_us = worst;
	} else {
		struct row *row = &(of == of_sender ? &report->sender : &report->target)->row[at];

		row->median_us = median;
		row->worst_us = worst;
		row->worst_job = report->job[first[count - 1].job].name;
	}
}

void rows_delays(struct report *report)
{
	static size_t (*const groups[])(
		const struct sent *) = { of_all, of_sender, of_target, of_step };

	report->median_us = report->worst_us = -1;
	for (size_t i = 0; i < STEPS_MAX; i++)
		report->delay[i].median_us = report->delay[i].worst_us = -1;
	sorted = report;
	for (size_t g = 0; g < sizeof(groups) / sizeof(*groups) && report->sents > 0; g++) {
		size_t end;

		group = groups[g];
		qsort(report->sent, report->sents, sizeof(*report->sent), by_group);
		for (size_t i = 0; i < report->sents; i = end) {
			for (end = i + 1; end < report->sents &&
					  group(&report->sent[end]) == group(&report->sent[i]);
				end++)
				;
			set(report, group, &report->sent[i], end - i);
		}
	}
}
