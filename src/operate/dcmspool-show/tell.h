/*
 * tell: what is known of a series, for people or as JSON.
 */
#ifndef TELL_H
#define TELL_H

#include "known.h"

/* all: each image's answer; else those that are alike are counted. walk: of listing_place(). */
void tell_text(
	const struct spool *spool, const struct walk *walk, const struct known *known, bool all);
/* An object in a line: that of find --json, with plan, journal, and in each place images, waits,
 * answers and reason. */
void tell_json(const struct spool *spool, const struct walk *walk, const struct known *known);

#endif
