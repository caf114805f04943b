/*
 * name: from the names of mercure, which may be anything, to names of sections.
 */
#include <stdio.h>
#include <string.h>

#include "import.h"

static bool taken(const struct import_name *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i].name, name) == 0)
			return true;
	return false;
}

/* Letters, digits, '.', '_' and '-' (a target has no '~'); each other character becomes a '_'. */
static void clean(const char *old, char *out, size_t size)
{
	size_t n = 0;

	for (const char *p = old; *p && n + 1 < size; p++) {
		if (((unsigned char)*p & 0xc0) == 0x80)
			continue; /* the rest of a character of UTF-8 */
		out[n] = *p;
		out[n + 1] = '\0';
		if (*p == '~' || !name_ok(out))
			out[n] = '_';
		n += n > 0 || out[0] != '_'; /* none at the beginning */
	}
	out[n] = '\0';
}

void choose_name(const struct part *part, const struct import_name *names, size_t count, char *out)
{
	/* room for a number */
	char base[IMPORT_NAME - 8 + 1];

	clean(part->old, base, sizeof(base));
	(void)snprintf(out, IMPORT_NAME + 1, "%s", *base ? base : part->group); /* fits */
	for (unsigned n = 2; taken(names, count, out); n++)
		(void)snprintf(out, IMPORT_NAME + 1, "%s-%u", *base ? base : part->group, n);
	if (strcmp(out, part->old) != 0)
		note(part, NULL,
			"it is called %s here: names have letters, digits, '.', '_' and "
			"'-' only, and are unique",
			out);
}
