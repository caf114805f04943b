/*
 * page: the report as a page of HTML that needs nothing besides itself: to be opened, printed,
 * mailed.
 */
#ifndef PAGE_H
#define PAGE_H

#include "report.h"

void page_print(const struct report *report, const struct spool *spool);

#endif
