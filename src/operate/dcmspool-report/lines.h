/*
 * lines: what each line of the journal says of the period.
 */
#ifndef LINES_H
#define LINES_H

#include "report.h"

/* Lines are to come in their order, also those of the day before. Dies without memory. */
void lines_take(struct report *report, const json_t *line);

/* In which step the moment is; before the period the first, behind it the last. */
size_t lines_step(const struct report *report, int64_t time_us);
/* The queue of a target stays as long as it is, up to this step. */
void lines_stay(const struct report *report, struct row *row, size_t step);

#endif
