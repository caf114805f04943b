/*
 * element: writes data elements (PS3.5 7.1) into a struct buf, for the suite's own tools.
 *
 * A writer knows the byte order and whether value representations are explicit. Values may be
 * hostile, they are padded to an even length and otherwise written as they are. Sequences and items
 * get undefined lengths. Errors are kept in the buf: look at buf.failed once, at the end.
 */
#ifndef ELEMENT_H
#define ELEMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define LENGTH_UNDEFINED 0xffffffffu

struct writer {
	struct buf *out;
	bool big, explicit_vr;
};

static inline void put_u16(const struct writer *w, unsigned value)
{
	uint8_t b[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	if (w->big)
		b[0] = (uint8_t)(value >> 8), b[1] = (uint8_t)value;
	buf_add(w->out, b, sizeof(b));
}

static inline void put_u32(const struct writer *w, uint32_t value)
{
	put_u16(w, w->big ? value >> 16 : value & 0xffff);
	put_u16(w, w->big ? value & 0xffff : value >> 16);
}

static inline void put_tag(const struct writer *w, unsigned group, unsigned element)
{
	put_u16(w, group);
	put_u16(w, element);
}

/* Tag, value representation and length; the value follows. */
static inline void put_head(
	const struct writer *w, unsigned group, unsigned element, const char vr[2], uint32_t length)
{
	static const char long_vr[][3] = { "OB", "OW", "SQ", "UN", "UT" };
	bool is_long = false;

	put_tag(w, group, element);
	if (!w->explicit_vr) {
		put_u32(w, length);
		return;
	}
	for (size_t i = 0; i < sizeof(long_vr) / sizeof(long_vr[0]); i++)
		is_long |= !memcmp(vr, long_vr[i], 2);
	buf_add(w->out, vr, 2);
	if (is_long) {
		put_u16(w, 0);
		put_u32(w, length);
	} else {
		put_u16(w, length);
	}
}

static inline void put_bytes(const struct writer *w, unsigned group, unsigned element,
	const char vr[2], const void *value, size_t length)
{
	put_head(w, group, element, vr, (uint32_t)(length + (length & 1)));
	buf_add(w->out, value, length);
	if (length & 1) /* PS3.5 6.2: text is padded with a space, UIDs and bytes with NUL */
		buf_add(w->out, memcmp(vr, "UI", 2) && vr[0] != 'O' ? " " : "", 1);
}

static inline void put_text(const struct writer *w, unsigned group, unsigned element,
	const char vr[2], const char *value)
{
	put_bytes(w, group, element, vr, value, strlen(value));
}

static inline void put_us(const struct writer *w, unsigned group, unsigned element, unsigned value)
{
	put_head(w, group, element, "US", 2);
	put_u16(w, value);
}

/* Item and delimiter tags have no value representation, whatever the transfer syntax (PS3.5 7.5).
 */
static inline void put_item(const struct writer *w, uint32_t length)
{
	put_tag(w, 0xfffe, 0xe000);
	put_u32(w, length);
}

static inline void put_item_end(const struct writer *w)
{
	put_tag(w, 0xfffe, 0xe00d);
	put_u32(w, 0);
}

static inline void put_sequence_end(const struct writer *w)
{
	put_tag(w, 0xfffe, 0xe0dd);
	put_u32(w, 0);
}

#endif
