#include "findings.h"

#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/show.h"

#include <jansson.h>
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
		*more = (struct finding){ strdup(path), strdup(what), text };
	}
	if (!more || !more->path || !more->what)
		die(EXIT_TEMPORARY, "out of memory");
}

static void free_one(struct finding *finding)
{
	free(finding->path);
	free(finding->what);
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

static void print_one(const struct finding *finding)
{
	struct buf line = { 0 }, meaning = { 0 }, remedy = { 0 };
	size_t length;
	const char *to_do = remedy_of(finding->text, &length);

	show_add(&line, finding->path);
	buf_puts(&line, ": ");
	show_add(&line, finding->what);
	show_whole(&line, 0);
	buf_add(&meaning, finding->text, length);
	show_labelled(&meaning, "meaning: ", 4, 13, false);
	buf_puts(&remedy, to_do);
	show_labelled(&remedy, "remedy: ", 4, 13, false);
}

static void print_for_people(const struct findings *findings, const char *spool, size_t repaired)
{
	for (size_t i = 0; i < findings->count; i++)
		print_one(&findings->item[i]);
	if (findings->count == 0)
		(void)printf("%s: nothing is wrong", spool);
	else
		(void)printf("%s: findings: %zu", spool, findings->count);
	(void)printf(
		"; looked at %zu directories, %zu images", findings->directories, findings->images);
	if (repaired > 0)
		(void)printf("; repaired: %zu", repaired);
	(void)putchar('\n'); /* show_close() sees a failure to write */
}

static void print_json(const struct findings *findings, const char *spool, size_t repaired)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *one = &findings->item[i];
		size_t length;
		const char *remedy = remedy_of(one->text, &length);

		(void)json_array_append_new(list,
			json_pack("{s:o, s:o, s:s%, s:s}", "place", jsonfile_string(one->path),
				"finding", jsonfile_string(one->what), "meaning", one->text, length,
				"remedy", remedy));
	}
	show_json(json_pack("{s:s, s:I, s:I, s:I, s:o}", "spool", spool, "directories",
		(json_int_t)findings->directories, "images", (json_int_t)findings->images,
		"repaired", (json_int_t)repaired, "findings", list));
}

void findings_print(
	const struct findings *findings, const char *spool, size_t repaired, bool as_json)
{
	if (as_json)
		print_json(findings, spool, repaired);
	else
		print_for_people(findings, spool, repaired);
}
