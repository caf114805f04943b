/*
 * targets: mercure's targets as sections. A target that has no counterpart, or lacks what is
 * needed, becomes a comment.
 */
#include "import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* mercure has these for all targets at once. import_globals() made them right. */
static void put_times(struct part *part)
{
	const struct import *import = part->import;
	char delay[32];

	(void)snprintf(delay, sizeof(delay), "%lds", import->retry_delay_s); /* fits */
	if (import->retry_delay_s)
		(void)put(part, "retry_max", delay);
	if (import->retry_delay_s && import->retry_delay_s < 5) /* the default of retry_min */
		(void)put(part, "retry_min", delay);
	(void)snprintf(delay, sizeof(delay), "%ld", import->retry_max); /* fits */
	if (import->retry_max)
		(void)put(part, "image_retries", delay);
	if (*import->offpeak)
		(void)put(part, "offpeak_hours", import->offpeak);
}

static void import_target(struct part *part, struct import_name *name)
{
	const char *kind = take(part, "target_type"), *contact, *comment;
	const struct import_type *type = import_type(kind);
	struct buf *out = &part->import->out;

	if (!type) {
		refuse(part, "target_type", "no counterpart: there is no sender of this type");
		(void)json_object_clear(part->left); /* its keys are of no interest then */
	} else {
		part->type = type->ours;
		(void)put(part, "type", type->ours);
		type->convert(part, name->name);
		put_times(part);
	}
	contact = take(part, "contact");
	comment = take(part, "comment");
	(void)take(part, "direction"); /* "push", or "both": then it is sent to only */
	if (part->text.failed)
		need(NULL);
	name->usable = part->usable;
	if (!part->usable) {
		put_comment(out, "\n", "no target ", name->name);
		note(part, NULL, "it is not in the configuration");
		return;
	}
	buf_printf(out, "\ntarget \"%s\" {\n", name->name);
	if (*contact)
		put_comment(out, "\t", "contact: ", contact);
	if (*comment)
		put_comment(out, "\t", "", comment);
	buf_printf(out, "%s}\n", part->text.data);
}

void import_targets(struct import *import)
{
	json_t *targets = json_object_get(import->root, "targets"), *object;
	struct part part;
	const char *old;

	if (json_object_size(targets) > IMPORT_MAX)
		die(EXIT_PERMANENT, "unable to read %s: more than %d targets", import->file,
			(int)IMPORT_MAX);
	import->target = need(calloc(json_object_size(targets) + 1, sizeof(*import->target)));
	json_object_foreach (targets, old, object) {
		struct import_name *name = &import->target[import->target_count];

		if (!json_is_object(object)) {
			part_open(&part, import, "targets", old, NULL);
			note(&part, NULL, "it is no object, and left out");
			part_close(&part);
			continue;
		}
		part_open(&part, import, "targets", old, object);
		part.section = CONF_TARGET;
		name->old = old;
		choose_name(&part, import->target, import->target_count, name->name);
		import->target_count++;
		import_target(&part, name);
		part_close(&part);
	}
}
