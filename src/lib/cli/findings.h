/*
 * findings: what is wrong, each with its place, what it means and what is to be done. Verbs that
 * look for such things print them all in one way.
 */
#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include <jansson.h>
#include <stddef.h>

struct finding {
	char *path; /* where: in the spool, or in whatever was looked at */
	char *what; /* "is damaged" */
	char *text; /* "what it means; what is to be done" */
};

struct findings {
	struct finding *item;
	size_t count;
};

/* Adds one; what is a format. Dies without memory. */
void findings_add(struct findings *findings, const char *text, const char *path, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* Leaves those that the other has, too. */
void findings_keep(struct findings *findings, const struct findings *other);
void findings_free(struct findings *findings);

/* Prints one for a person. */
void findings_print(const struct finding *finding);
/* All of them, each with place, finding, meaning and remedy; NULL without memory. */
json_t *findings_json(const struct findings *findings);

#endif
