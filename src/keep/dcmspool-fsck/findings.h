/*
 * findings: what is wrong in a spool, each with its place, what it means and what is to be done.
 */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

struct finding {
	char *path;       /* in the spool */
	char *what;       /* "is damaged" */
	const char *text; /* "what it means; what is to be done" */
};

struct findings {
	struct finding *item;
	size_t count;
	size_t directories, images; /* that were looked at */
};

/* Adds one. text is borrowed; what is a format. Dies without memory. */
void findings_add(struct findings *findings, const char *text, const char *path, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* Leaves those that the other has, too. */
void findings_keep(struct findings *findings, const struct findings *other);
void findings_free(struct findings *findings);

/* Prints them for a person, or as one JSON object; repaired: how many things --repair has done. */
void findings_print(
	const struct findings *findings, const char *spool, size_t repaired, bool as_json);

#endif
