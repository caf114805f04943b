/*
 * tags: the tags that an expression is evaluated with: of a DICOM file, a series.json, or JSON from
 * keyword to string. One set for the process, because rule_compile() asks without context.
 *
 * Order: tags_open(), rule_compile(..., tags_known, ...), tags_read(), rule_evaluate(..., tags_get,
 * ...). Between opening and reading, a rule can want any tag of a DICOM file. All die when they
 * fail.
 */
#ifndef TAGS_H
#define TAGS_H

#include <stdbool.h>

#include "base/nearest.h"

/* path NULL: no tag has a value; "-": JSON on standard input. */
void tags_open(const char *path);
bool tags_are_json(void);
bool tags_known(const char *name);
/* Tries the names that tags_known() knows: what may have been meant by one that it does not. */
void tags_nearest(struct nearest *nearest);
void tags_read(void);
const char *tags_get(const void *context, const char *name);
void tags_close(void);

#endif
