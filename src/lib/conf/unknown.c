/*
 * unknown: what is said of a key that there is not: which one it may have been, or where it
 * belongs.
 */
#include "conf/work.h"

#include "base/nearest.h"

#include <string.h>

/* Adds the sections that have the key, as "; it belongs into ...". */
static void elsewhere(struct buf *out, const char *name)
{
	const struct conf_key *k;
	bool any = false;

	for (size_t i = 0; (k = conf_key_at(i)); i++) {
		if (strcmp(k->name, name) != 0 || conf_key_find(k->section, k->name, NULL) != k)
			continue;
		buf_puts(out, any ? " or " : "; it belongs ");
		any = true;
		if (k->section == CONF_TOP)
			buf_puts(out, "outside of all sections");
		else
			buf_printf(out, "into a section %s", conf_section_names[k->section]);
	}
}

void conf_unknown(struct buf *out, enum conf_section section, const char *name)
{
	struct nearest nearest = { .word = name };
	const struct conf_key *known;
	char hint[NEAREST_HINT];

	buf_puts(out, "unknown key");
	if (section != CONF_TOP)
		buf_printf(out, " of section %s", conf_section_names[section]);
	for (size_t i = 0; (known = conf_key_at(i)); i++)
		if (known->section == section)
			nearest_try(&nearest, known->name);
	for (enum conf_section k = CONF_TOP + 1; section == CONF_TOP && k < CONF_SECTIONS; k++)
		nearest_try(&nearest, conf_section_names[k]);
	if (conf_section_find(name) != CONF_SECTIONS)
		buf_printf(out, "; it is a section, write %s { ... }", name);
	else if (nearest.count)
		buf_puts(out, nearest_hint(&nearest, hint, sizeof(hint)));
	else
		elsewhere(out, name);
	if (out->length == strlen("unknown key"))
		buf_puts(out, "; dcmspool.conf(5) has the list");
}
