/*
 * chart: pictures of a period, drawn by gnuplot. Names from the network are not given to it: the
 * page has the legend.
 */
#ifndef CHART_H
#define CHART_H

#include "base/str.h"
#include "report.h"

enum { CHART_LINES = 8 };
/* Of the lines: readable on white and on black. */
extern const char *const chart_colours[CHART_LINES];

enum chart { CHART_IMAGES, CHART_DELAYS, CHART_QUEUES, CHARTS };

/* The longest queues first, at most CHART_LINES; NULL behind the last. */
void chart_queues(const struct report *report, const struct row *of[CHART_LINES + 1]);

/* Has it anything to show? */
bool chart_is_empty(const struct report *report, enum chart chart);

/* Adds the element <svg> to out. -1 with errno: ENOENT: there is no gnuplot; EIO: it failed, and
 * out has what it said. */
int chart_draw(const struct report *report, enum chart chart, struct buf *out);

#endif
