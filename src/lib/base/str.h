/*
 * str: growing buffers, numbers, and the check that every name from outside passes.
 */
#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing string, always NUL-terminated once something was added. Start with { 0 }. After an
 * allocation failed, failed is set and further additions do nothing. The caller frees. */
struct buf {
	char *data;
	size_t length, capacity;
	bool failed;
};
void buf_add(struct buf *b, const void *data, size_t length);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_free(struct buf *b);

/* Decimal digits only, whole string, min..max. Returns 0, or -1 with errno EINVAL or ERANGE. */
int parse_long(const char *text, long min, long max, long *out);

/* True for a name that may become a path component, an argument or part of a log line: 1 to 200 of
 * A-Z a-z 0-9 . _ ~ -, not beginning with '.', '-' or '~'. */
bool name_ok(const char *name);

/* True for a UID that may become a file name: 1 to 64 characters (PS3.5 9.1). Letters, '_' and '-'
 * are let through: scanners send them, and refusing would hold the image back for nothing. */
bool uid_ok(const char *uid);

/* Makes text from outside one line of valid UTF-8, in place: control characters (C0, DEL, C1)
 * become blanks, other bytes that are none of UTF-8 become '?'. */
void text_clean(char *text);

/* Has text a control character? For whoever refuses it rather than changes it. */
bool text_has_control(const char *text);

/* The first byte of length that is not UTF-8, or NULL. */
const char *text_not_utf8(const char *text, size_t length);

/* FNV-1a of text, 32 bits: the short forms of UIDs in job names. */
uint32_t str_hash(const char *text);

#endif
