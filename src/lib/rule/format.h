/*
 * format: values written as format(), str.format() and the % operator want them.
 *
 * All add to b, which the caller frees; what they take besides lies in the run's pool.
 */
#ifndef RULE_FORMAT_H
#define RULE_FORMAT_H

#include "base/str.h"
#include "rule/value.h"

struct rule_spec {
	uint32_t fill;
	char align; /* < > ^ or = between sign and digits */
	char sign;  /* + - blank, or 0 */
	bool alternate;
	int64_t width, precision; /* -1: not said */
	char grouping;            /* , _ or 0 */
	char type;                /* or 0 */
};

bool rule_format_text(
	struct rule_run *run, struct buf *b, const struct rule_spec *spec, struct rule_str s);
bool rule_format_int(
	struct rule_run *run, struct buf *b, const struct rule_spec *spec, int64_t value);
bool rule_format_real(
	struct rule_run *run, struct buf *b, const struct rule_spec *spec, double value);
/* As the specification in text says. */
bool rule_format(
	struct rule_run *run, struct buf *b, struct rule_str text, const struct rule_value *v);

/* Plain text of a template. */
bool rule_format_plain(struct rule_run *run, struct buf *b, const char *data, size_t length);
/* The text in b becomes the value when all went well, which done says; b is freed in any case. */
bool rule_format_finish(struct rule_run *run, struct buf *b, bool done, struct rule_value *out);

#endif
