/*
 * listing: a table of series, or a line of JSON for each: patient, study, series, images, when, and
 * where it is on the way to each target. find, list and every verb that shows what it would act on.
 */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/show.h"
#include "spool/walk.h"

/* all: places that are not meant, too, faintly. */
void listing_table(const struct spool *spool, struct walk *walk, bool all);
void listing_json(const struct spool *spool, struct walk *walk);

/* A series as find --json has it; NULL without memory. The caller decrefs. */
json_t *listing_object(const struct spool *spool, const struct walk *walk, struct item *item);

/* Adds where the series is, in words: "pacs: paused until 14:03:01"; returns its colour. */
enum show_colour listing_place(const struct spool *spool, const struct walk *walk,
	const struct place *place, struct buf *out);

#endif
