/*
 * work: what the steps of reading a configuration share: the list of mistakes, memory, places.
 */
#define _GNU_SOURCE /* reallocarray */
#include "conf/work.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

void *conf_grow(struct conf_work *work, void *array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *grown;

	if (count < *room)
		return array;
	grown = reallocarray(array, more, size);
	if (grown)
		*room = more;
	else
		work->no_memory = true;
	return grown;
}

char *conf_copy(struct conf_work *work, const char *text, size_t length)
{
	char *copy = malloc(length + 1);

	if (!copy) {
		work->no_memory = true;
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void conf_report(
	struct conf_work *work, struct conf_place place, const char *key, const char *format, ...)
{
	struct buf b = { 0 };
	struct conf_mistake *grown;
	char message[2048];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args); /* a longer one is cut */
	va_end(args);
	buf_puts(&b, work->source[place.source].name);
	if (place.line)
		buf_printf(&b, ":%d", place.line);
	buf_puts(&b, ": ");
	if (key && *key)
		buf_printf(&b, "%s: ", key);
	buf_puts(&b, message);
	for (char *p = b.data; !b.failed && *p; p++)
		if ((unsigned char)*p < 0x20 && *p != '\n')
			*p = *p == '\t' ? ' ' : '?';
	grown = conf_grow(work, work->mistake, work->mistake_count, &work->mistake_size,
		sizeof(*work->mistake));
	if (grown)
		work->mistake = grown;
	if (b.failed || !grown) {
		work->no_memory = true;
		buf_free(&b);
		return;
	}
	grown[work->mistake_count] = (struct conf_mistake){ place, work->mistake_count, b.data };
	work->mistake_count++;
}

void conf_unreadable(struct conf_work *work, size_t source, const char *what, const char *remedy)
{
	int error = errno;

	if (failure_code(error) == EXIT_TEMPORARY)
		work->failure = error;
	conf_report(work, (struct conf_place){ source, 0 }, NULL, "unable to %s: %s; %s", what,
		strerror(error), remedy);
}

static int compare(const void *a, const void *b)
{
	const struct conf_mistake *x = a, *y = b;

	if (x->place.source != y->place.source)
		return x->place.source < y->place.source ? -1 : 1;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void conf_work_print(struct conf_work *work)
{
	if (work->mistake_count)
		qsort(work->mistake, work->mistake_count, sizeof(*work->mistake), compare);
	for (size_t i = 0; i < work->mistake_count; i++)
		(void)dprintf(
			STDERR_FILENO, "%s\n", work->mistake[i].text); /* nowhere else to go */
	if (work->no_memory)
		(void)dprintf(STDERR_FILENO, "unable to read the configuration: out of memory\n");
}

void conf_work_forget(struct conf_work *work)
{
	for (size_t i = 0; i < work->mistake_count; i++)
		free(work->mistake[i].text);
	work->mistake_count = 0;
}

void conf_work_free(struct conf_work *work)
{
	conf_work_forget(work);
	for (size_t i = 0; i < work->source_count; i++) {
		free(work->source[i].name);
		free(work->source[i].text);
		free(work->source[i].token);
	}
	for (size_t i = 0; i < work->statement_count; i++)
		free(work->statement[i].title);
	free(work->source);
	free(work->statement);
	free(work->mistake);
	free(work->directory);
}

const struct conf_statement *conf_find(
	const struct conf_work *work, enum conf_section section, size_t nth, const char *name)
{
	for (size_t i = work->statement_count; i-- > 0;) {
		const struct conf_statement *s = &work->statement[i];

		if (s->section != section || (conf_section_titled(section) && s->nth != nth))
			continue;
		if (name ? s->name && strcmp(s->name, name) == 0 : !s->name)
			return s;
	}
	return NULL;
}

struct conf_place conf_place_of(
	const struct conf_work *work, enum conf_section section, size_t nth, const char *name)
{
	const struct conf_statement *s = conf_find(work, section, nth, name);

	if (!s)
		s = conf_find(work, section, nth, NULL);
	return s ? s->place : (struct conf_place){ 0, 0 };
}

char *conf_path(
	const struct conf_work *work, enum conf_section section, size_t nth, const char *name)
{
	const struct conf_statement *begin = conf_find(work, section, nth, NULL);
	struct buf b = { 0 };

	buf_puts(&b, conf_section_names[section]);
	if (conf_section_titled(section) && begin && begin->title)
		buf_printf(&b, ".%s", begin->title);
	if (name)
		buf_printf(&b, "%s%s", section == CONF_TOP ? "" : ".", name);
	if (b.failed)
		buf_free(&b);
	return b.data;
}
