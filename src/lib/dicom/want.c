/*
 * The names of tags that users give: a keyword of PS3.6, "gggg,eeee", "gggg,xxee,CREATOR", or a
 * path of these into sequences, "KEYWORD[0].KEYWORD".
 */
#include "dicom/want.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dicom/dictionary.h"

enum { NUMBER = 9, PRIVATE = 10 }; /* the lengths of "gggg,eeee" and "gggg,xxee," */

/* Where the reading of one name stands. */
struct parse {
	const char *at;
	const char *ends; /* characters that end a creator: those between the names of a list */
	struct dicom_want_error *error;
};

static int fail(struct parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct parse *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(p->error->text, sizeof(p->error->text), format, args); /* may be cut */
	va_end(args);
	return -1;
}

/* As many hexadecimal digits at p as there are, up to max. */
static size_t digits(const char *p, size_t max)
{
	size_t n = strspn(p, "0123456789abcdefABCDEF");

	return n < max ? n : max;
}

static uint32_t hex(const char *p, size_t length)
{
	char text[5] = "";

	memcpy(text, p, length);
	return (uint32_t)strtoul(text, NULL, 16); /* digits only */
}

static bool is_number(const char *p)
{
	return digits(p, 4) == 4 && p[4] == ',' && digits(p + 5, 4) == 4;
}

static bool is_private(const char *p)
{
	return digits(p, 4) == 4 && p[4] == ',' && strncmp(p + 5, "xx", 2) == 0 &&
	       digits(p + 7, 2) == 2 && p[9] == ',';
}

/* The length of "[N]" at p, 0 if there is none. */
static size_t index_length(const char *p)
{
	size_t n = p[0] == '[' ? strspn(p + 1, "0123456789") : 0;

	return n > 0 && n < 6 && p[n + 1] == ']' ? n + 2 : 0;
}

static int parse_creator(struct parse *p, struct dicom_step *step)
{
	uint32_t group = hex(p->at, 4);
	size_t n = 0;

	step->tag = group << 16 | hex(p->at + 7, 2);
	p->at += PRIVATE;
	while (p->at[n] && !strchr(p->ends, p->at[n]) && index_length(p->at + n) == 0)
		n++;
	if (group % 2 == 0)
		return fail(p, "group %04x is not private; private groups are odd", group);
	if (n == 0 || n > DICOM_CREATOR)
		return fail(p, "a private creator has 1 to %d characters", DICOM_CREATOR);
	memcpy(step->creator, p->at, n);
	step->creator[n] = '\0';
	p->at += n;
	return 0;
}

/* The VR, where it is known; "" otherwise. */
static int parse_step(struct parse *p, struct dicom_step *step, char *vr)
{
	const struct dicom_entry *entry;
	size_t n = strcspn(p->at, ".[,");
	char *keyword = p->error->keyword;

	vr[0] = '\0';
	if (is_private(p->at))
		return parse_creator(p, step);
	if (is_number(p->at)) {
		step->tag = hex(p->at, 4) << 16 | hex(p->at + 5, 4);
		entry = dicom_dictionary_tag(
			(uint16_t)(step->tag >> 16), (uint16_t)(step->tag & 0xffff));
		n = NUMBER;
	} else {
		if (n == 0 || n >= sizeof(p->error->keyword))
			return fail(p, "a keyword is missing or too long");
		memcpy(keyword, p->at, n);
		keyword[n] = '\0';
		entry = dicom_dictionary_keyword(keyword);
		if (!entry)
			return fail(p, "the standard has no keyword %s", keyword);
		*keyword = '\0';
		step->tag = (uint32_t)entry->group << 16 | entry->element;
	}
	if (entry)
		memcpy(vr, entry->vr, sizeof(entry->vr));
	p->at += n;
	return 0;
}

static int parse_path(struct parse *p, struct dicom_want *want, char *vr)
{
	struct dicom_step *step;
	size_t n;

	for (;;) {
		if (want->steps == DICOM_STEPS)
			return fail(p, "a path has at most %d steps", DICOM_STEPS);
		step = &want->step[want->steps++];
		if (parse_step(p, step, vr) < 0)
			return -1;
		n = index_length(p->at);
		if (n > 0)
			step->item = (uint32_t)strtoul(p->at + 1, NULL, 10); /* digits only */
		p->at += n;
		if (*p->at != '.')
			break;
		p->at++;
	}
	if (n > 0)
		return fail(p, "a path ends with an element, not with an item");
	if (*p->at && !strchr(p->ends, *p->at))
		return fail(p, "\"%.20s\" is not expected there", p->at);
	if (strcmp(vr, "SQ") == 0)
		return fail(p, "a sequence has no value; name an element in it: NAME[0].NAME");
	return 0;
}

/* Reads one name and adds it, unless it is there. */
static int add(struct parse *p)
{
	static const struct dicom_want empty;
	struct dicom_want *want =
		&dicom_wants[dicom_want_count < DICOM_WANTS ? dicom_want_count : 0];
	const struct dicom_entry *entry;
	const char *begin = p->at;
	char vr[3];

	*p->error = (struct dicom_want_error){ 0 };
	if (dicom_want_count == DICOM_WANTS)
		return fail(p, "more than %d tags", DICOM_WANTS);
	*want = empty;
	if (parse_path(p, want, vr) < 0)
		return -1;
	if ((size_t)(p->at - begin) >= sizeof(want->name))
		return fail(p, "the name is too long");
	memcpy(want->name, begin, (size_t)(p->at - begin));
	/* A keyword alone is shown as the standard writes it. */
	entry = dicom_dictionary_keyword(want->name);
	if (entry)
		memcpy(want->name, entry->keyword, sizeof(entry->keyword));
	if (dicom_tag_index(want->name) < 0)
		dicom_tags_add(want, vr);
	return 0;
}

int dicom_want(const char *name, struct dicom_want_error *error)
{
	struct parse p = { .at = name, .ends = "", .error = error };

	return add(&p);
}

int dicom_want_list(const char *list, struct dicom_want_error *error)
{
	struct parse p = { .at = list, .ends = ",", .error = error };

	do {
		if (add(&p) < 0)
			return -1;
	} while (*p.at++ == ',');
	return 0;
}
