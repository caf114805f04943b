#include "cli/findings.h"

#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_add(
	struct findings *findings, const char *text, const char *path, const char *format, ...)
{
	struct finding *more = realloc(findings->item, (findings->count + 1) * sizeof(*more));
	char what[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args); /* a long one is cut */
	va_end(args);
	if (more) {
		findings->item = more;
		more += findings->count++;
		*more = (struct finding){ strdup(path), strdup(what), strdup(text) };
	}
	if (!more || !more->path || !more->what || !more->text)
		die(EXIT_TEMPORARY, "out of memory");
}

static void free_one(struct finding *finding)
{
	free(finding->path);
	free(finding->what);
	free(finding->text);
}

static bool has(const struct findings *findings, const struct finding *one)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->item[i].path, one->path) == 0 &&
			strcmp(findings->item[i].what, one->what) == 0)
			return true;
	return false;
}

void findings_keep(struct findings *findings, const struct findings *other)
{
	size_t kept = 0;

	for (size_t i = 0; i < findings->count; i++)
		if (has(other, &findings->item[i]))
			findings->item[kept++] = findings->item[i];
		else
			free_one(&findings->item[i]);
	findings->count = kept;
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free_one(&findings->item[i]);
	free(findings->item);
	*findings = (struct findings){ 0 };
}

/* Where in a text the remedy begins: behind the last "; ". */
static const char *remedy_of(const char *text, size_t *meaning)
{
	const char *at = text, *next;

	*meaning = strlen(text);
	while ((next = strstr(at, "; "))) {
		*meaning = (size_t)(next - text);
		at = next + 2;
	}
	return at == text ? "" : at;
}

void findings_print(const struct finding *finding)
{
	struct buf line = { 0 }, meaning = { 0 }, remedy = { 0 };
	char words[1024];
	size_t length;
	const char *to_do = remedy_of(finding->text, &length);

	show_add(&line, finding->path);
	buf_puts(&line, ": ");
	show_add(&line, finding->what);
	show_whole(&line, 0);
	(void)snprintf(words, sizeof(words), "%.*s", (int)length, finding->text);
	show_add(&meaning, words);
	show_labelled(&meaning, "meaning: ", 4, 13, false);
	show_add(&remedy, to_do);
	(void)printf("    remedy:  "); /* output_flush() sees a failure */
	show_whole(&remedy, 0);
}

json_t *findings_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *one = &findings->item[i];
		size_t length;
		const char *remedy = remedy_of(one->text, &length);
		json_t *object = json_object();

		(void)json_object_set_new(object, "place", jsonfile_string(one->path));
		(void)json_object_set_new(object, "finding", jsonfile_string(one->what));
		(void)json_object_set_new(object, "meaning", json_stringn(one->text, length));
		(void)json_object_set_new(object, "remedy", jsonfile_string(remedy));
		if (json_array_append_new(list, object) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
