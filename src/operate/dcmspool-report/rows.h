/*
 * rows: names from the network, found again; and the delays of what was sent, put in order.
 */
#ifndef ROWS_H
#define ROWS_H

#include "report.h"

/* Room for one more in an array that doubles; dies without memory. */
void *rows_room(void *array, size_t count, size_t size);
char *rows_copy(const char *text);
json_t *rows_checked(json_t *value);
long *rows_steps(size_t count);

void rows_open(struct rows *rows, size_t fixed);
void rows_free(struct rows *rows);
/* The place of the row of this key, made when needed. */
size_t rows_find(struct rows *rows, const char *key, const char *name);

/* Sets median and worst delay of each sender, target and step, and of all. */
void rows_delays(struct report *report);

#endif
