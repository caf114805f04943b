/*
 * tell: the report as tables, and as JSON.
 */
#ifndef TELL_H
#define TELL_H

#include "report.h"

void tell_tables(const struct report *report);
/* What stands in a line of its own. */
void tell_json(const struct report *report);

#endif
