/*
 * text: UTF-8, letters of all scripts, and messages.
 */
#ifndef RULE_TEXT_H
#define RULE_TEXT_H

#include <stdarg.h>

#include "rule/value.h"

/* The code point at data, of which left > 0 bytes follow, and its bytes. A byte that is not UTF-8
 * counts as a code point of its own. */
uint32_t rule_utf8_decode(const char *data, size_t left, size_t *bytes);
/* Returns the bytes written. */
size_t rule_utf8_encode(uint32_t code, char out[4]);
size_t rule_utf8_count(struct rule_str s);
/* The code points before a byte. */
size_t rule_utf8_index(struct rule_str s, size_t offset);
/* The byte where code point number index begins; the length when there are fewer. */
size_t rule_utf8_offset(struct rule_str s, size_t index);
/* Where the character before byte at > 0 begins. */
size_t rule_utf8_before(struct rule_str s, size_t at);
bool rule_is_space(uint32_t code);
/* The offset of the first needle in s at or after from, or SIZE_MAX. */
size_t rule_text_find(struct rule_str s, struct rule_str needle, size_t from);
/* The last one. */
size_t rule_text_find_last(struct rule_str s, struct rule_str needle);
/* The same for going on from *after: an empty part stands before every character and at the end. */
size_t rule_text_next(struct rule_str s, struct rule_str part, size_t from, size_t *after);
/* A string whose characters run from start in stride, count of them. */
bool rule_text_pick(struct rule_run *run, struct rule_str s, int64_t start, int64_t stride,
	size_t count, struct rule_value *out);

/* ---- letters ---- */

/* One character's str.lower() or str.upper(); up to three code points, returns how many. */
size_t rule_case_lower(uint32_t code, uint32_t out[3]);
size_t rule_case_upper(uint32_t code, uint32_t out[3]);
size_t rule_case_title(uint32_t code, uint32_t out[3]);
size_t rule_case_fold(uint32_t code, uint32_t out[3]);
/* Unicode's Cased, and Case_Ignorable without the cased ones. */
bool rule_case_is_cased(uint32_t code);
bool rule_case_is_ignorable(uint32_t code);
/* The value of a decimal digit of any script, or -1. */
int rule_case_digit(uint32_t code);
/* What isalpha() and its like hold of one character. */
bool rule_case_is_alpha(uint32_t code);
bool rule_case_is_alnum(uint32_t code);
bool rule_case_is_digit(uint32_t code);
bool rule_case_is_upper(uint32_t code);
bool rule_case_is_lower(uint32_t code);
/* Not seen, or not as what it is: a control character, a strange blank, a change of direction. */
bool rule_case_is_hidden(uint32_t code);
/* A digraph with a capital and a small letter. */
bool rule_case_is_title(uint32_t code);

/* ---- messages ---- */

/* Fills out, of size bytes: UTF-8 on one line; what hides, or is no UTF-8, is escaped. At most
 * RULE_WHY; a longer one ends with "...". */
void rule_message(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void rule_message_list(char *out, size_t size, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

#endif
