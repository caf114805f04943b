#include "dicom/collect.h"

#include <string.h>

#include "dicom/element.h"

enum {
	VALUE_MAX = 65536, /* bytes; a longer value is cut there */
	CHARSET = 0x00080005,
	PIXEL_REPRESENTATION = 0x00280103,
	LEVELS = 2 * DICOM_STEPS, /* a sequence and an item for each step */
};

/* The data set, or a sequence or an item that a path leads into. */
struct level {
	uint64_t wants; /* bit i: the path of dicom_wants[i] leads here */
	uint64_t end;   /* offset; UINT64_MAX when only a delimiter tells */
	size_t step;    /* of these paths: for a sequence the one that has named it */
	bool item;
	uint32_t items; /* of a sequence: how many there were */
	struct dicom_encoding outer;
};

/* The index of one of the fixed tags, or -1. */
static int find_fixed(uint32_t tag)
{
	size_t low = 0, high = dicom_fixed_count, middle;

	while (low < high) {
		uint32_t here;

		middle = low + (high - low) / 2;
		here = (uint32_t)dicom_tags[middle].group << 16 | dicom_tags[middle].element;
		if (here == tag)
			return (int)middle;
		if (here < tag)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* Takes the value of an element, which is then skipped to its end. */
static int take(struct dicom_reader *r, const struct dicom_element *e, struct dicom_collection *c,
	struct dicom_raw *value)
{
	size_t wanted = e->length < VALUE_MAX ? e->length : VALUE_MAX, n;
	struct dicom_element rest = *e;
	const unsigned char *data;

	*value = (struct dicom_raw){ .present = true, .big_endian = r->encoding.big_endian };
	memcpy(value->vr, e->vr, sizeof(value->vr));
	value->at = c->bytes.length;
	while (wanted > 0) {
		n = wanted < DICOM_SOURCE_PIECE ? wanted : DICOM_SOURCE_PIECE;
		if (dicom_source_peek(&r->source, n, &data) < n)
			break;
		buf_add(&c->bytes, data, n);
		(void)dicom_source_skip(&r->source, n); /* they are in the buffer */
		wanted -= n;
		rest.length -= (uint32_t)n;
	}
	value->length = c->bytes.length - value->at;
	return dicom_element_skip(r, &rest); /* fails when the bytes ended early */
}

/* The first value of a tag counts, as with DCMTK. */
static void keep(struct dicom_raw *to, const struct dicom_raw *value)
{
	if (!to->present)
		*to = *value;
}

/* (gggg,0010) to (gggg,00ff) hold the creators of a private group's blocks. */
static void note_creator(struct dicom_reader *r, struct dicom_collection *c, const struct level *l,
	const struct dicom_element *e)
{
	const uint32_t group = e->tag >> 16, block = e->tag & 0xffff;
	const unsigned char *p;
	size_t n;

	if (group % 2 == 0 || block < 0x10 || block > 0xff || e->length > DICOM_CREATOR + 2)
		return;
	n = dicom_source_peek(&r->source, e->length, &p);
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == 0))
		n--;
	for (size_t i = 0; i < dicom_want_count; i++) {
		const struct dicom_step *s = &dicom_wants[i].step[l->step];

		if ((l->wants >> i & 1) && *s->creator && s->tag >> 16 == group &&
			!c->block[i][l->step] && strlen(s->creator) == n &&
			memcmp(s->creator, p, n) == 0)
			c->block[i][l->step] = (unsigned char)block;
	}
}

static bool is_step(const struct dicom_collection *c, size_t i, size_t step, uint32_t tag)
{
	const struct dicom_step *s = &dicom_wants[i].step[step];
	const uint32_t block = c->block[i][step];

	return *s->creator ? block && (s->tag | block << 8) == tag : s->tag == tag;
}

/* Which paths end at this element, and which lead into it. */
static void match(const struct dicom_collection *c, const struct level *l,
	const struct dicom_element *e, uint64_t *ending, uint64_t *leading)
{
	*ending = *leading = 0;
	for (size_t i = 0; i < dicom_want_count; i++)
		if ((l->wants >> i & 1) && is_step(c, i, l->step, e->tag))
			*(l->step + 1 == dicom_wants[i].steps ? ending : leading) |= UINT64_C(1)
										     << i;
}

/* Implicit VR does not tell a sequence of defined length from any other value, its items do. */
static bool has_items(struct dicom_reader *r, const struct dicom_element *e)
{
	const unsigned char *p;

	if (dicom_element_nests(e))
		return true;
	return (!*e->vr || strcmp(e->vr, "UN") == 0) && e->length >= 8 &&
	       dicom_source_peek(&r->source, 4, &p) == 4 &&
	       (dicom_number16(p, r->encoding.big_endian) << 16 |
		       dicom_number16(p + 2, r->encoding.big_endian)) == DICOM_ITEM;
}

/* Takes or skips an element of this level. Returns 0 or -1; with *into set, nothing was done: the
 * element is a sequence that these paths lead into. */
static int element(struct dicom_reader *r, struct dicom_collection *c, const struct level *l,
	const struct dicom_element *e, bool top, uint64_t *into)
{
	int fixed = top ? find_fixed(e->tag) : -1;
	struct dicom_raw value;
	uint64_t ending = 0;

	*into = 0;
	if (l->wants) {
		note_creator(r, c, l, e);
		match(c, l, e, &ending, into);
		if (*into && has_items(r, e))
			return 0;
		*into = 0;
		if (!top && e->tag == CHARSET)
			ending |= l->wants;
	}
	if (dicom_element_nests(e) || (fixed < 0 && !ending))
		return dicom_reader_skip(r, e);
	if (take(r, e, c, &value) < 0)
		return -1;
	if (fixed >= 0)
		keep(&c->value[fixed], &value);
	for (size_t i = 0; i < dicom_want_count; i++) {
		if (!(ending >> i & 1))
			continue;
		if (is_step(c, i, l->step, e->tag) && l->step + 1 == dicom_wants[i].steps)
			keep(&c->value[dicom_fixed_count + i], &value);
		else
			keep(&c->set[i], &value);
	}
	return 0;
}

/* A sequence or an item becomes the innermost level. */
static void enter(struct dicom_reader *r, struct level *l, const struct dicom_element *e,
	const struct level *in)
{
	*l = (struct level){ .item = e->tag == DICOM_ITEM, .outer = r->encoding, .end = in->end };
	if (e->length != DICOM_UNDEFINED && e->length < in->end - r->source.offset)
		l->end = r->source.offset + e->length;
	if (strcmp(e->vr, "UN") == 0 && !r->encoding.implicit)
		dicom_unknown_enter(r);
}

static void enter_item(
	struct dicom_reader *r, struct level *sequence, const struct dicom_element *e)
{
	struct level *l = sequence + 1;
	const uint32_t number = sequence->items++;

	enter(r, l, e, sequence);
	l->step = sequence->step + 1;
	for (size_t i = 0; i < dicom_want_count; i++)
		if ((sequence->wants >> i & 1) &&
			dicom_wants[i].step[sequence->step].item == number)
			l->wants |= UINT64_C(1) << i;
}

/* One element inside the levels l[0] to l[*depth - 1]. Returns 0 or -1. */
static int step_inside(struct dicom_reader *r, struct dicom_collection *c, struct level *levels,
	size_t *depth, const struct dicom_element *e)
{
	struct level *l = &levels[*depth - 1];
	uint64_t into;

	if (e->tag == DICOM_ITEM_END || e->tag == DICOM_SEQUENCE_END) {
		if (l->item)
			r->encoding = levels[--*depth].outer;
		if (e->tag == DICOM_SEQUENCE_END) /* inside an item: its own delimiter is missing */
			r->encoding = levels[--*depth].outer;
		return 0;
	}
	if (l->item == (e->tag == DICOM_ITEM))
		return dicom_reader_fail(r, e->offset, "(%04x,%04x) where %s belongs", e->tag >> 16,
			e->tag & 0xffff,
			l->item ? "an element" : "an item or the end of a sequence");
	if (!l->item) {
		enter_item(r, l, e);
		++*depth;
		return 0;
	}
	if (e->length != DICOM_UNDEFINED && e->length > l->end - r->source.offset)
		return dicom_reader_fail(r, e->offset,
			"element (%04x,%04x) claims more than its item", e->tag >> 16,
			e->tag & 0xffff);
	if (dicom_element_check(r, e) < 0 || element(r, c, l, e, false, &into) < 0)
		return -1;
	if (into) {
		enter(r, l + 1, e, l);
		l[1].step = l->step;
		l[1].wants = into;
		++*depth;
	}
	return 0;
}

static int follow(struct dicom_reader *r, struct dicom_collection *c, struct level *levels,
	const struct dicom_element *sequence)
{
	struct dicom_element e;
	size_t depth = 1;
	int rc;

	while (depth > 0) {
		if (r->source.offset >= levels[depth - 1].end) {
			r->encoding = levels[--depth].outer;
			continue;
		}
		rc = dicom_element_read(r, &e);
		if (rc == 0)
			return dicom_reader_fail(r, r->source.offset,
				"the file ends inside sequence (%04x,%04x)", sequence->tag >> 16,
				sequence->tag & 0xffff);
		if (rc < 0 || step_inside(r, c, levels, &depth, &e) < 0)
			return -1;
	}
	return 0;
}

/* Follows the paths into a sequence of the top level. When it is damaged, but its length is known,
 * the rest of it is skipped: without these paths nobody would have looked. */
static int collect_inside(struct dicom_reader *r, struct dicom_collection *c,
	const struct dicom_element *sequence, uint64_t wants)
{
	struct level levels[LEVELS], top = { .end = UINT64_MAX };
	const struct dicom_encoding outer = r->encoding;
	const uint64_t begin = r->source.offset;
	uint64_t end = begin + sequence->length;
	int rc;

	enter(r, &levels[0], sequence, &top);
	levels[0].wants = wants;
	rc = follow(r, c, levels, sequence);
	r->encoding = outer;
	if (sequence->length == DICOM_UNDEFINED || r->source.error || r->source.broken)
		return rc;
	if (r->source.offset <= end && dicom_source_skip(&r->source, end - r->source.offset))
		return 0;
	return dicom_reader_fail(r, sequence->offset,
		"the length of sequence (%04x,%04x) contradicts its items", sequence->tag >> 16,
		sequence->tag & 0xffff);
}

/* No tag of the top level that is wanted is beyond this one. */
static uint32_t last_tag(void)
{
	const struct dicom_tag *fixed = &dicom_tags[dicom_fixed_count - 1];
	uint32_t last = (uint32_t)fixed->group << 16 | fixed->element;

	for (size_t i = 0; i < dicom_want_count; i++) {
		const struct dicom_step *s = &dicom_wants[i].step[0];
		uint32_t tag = *s->creator ? s->tag | 0xffff : s->tag;

		last = tag > last ? tag : last;
	}
	return last;
}

int dicom_collect(struct dicom_reader *r, struct dicom_collection *c)
{
	struct level top = { .end = UINT64_MAX, .item = true };
	const uint32_t last = last_tag();
	const unsigned char *p;
	struct dicom_element e;
	uint64_t into;
	int rc;

	top.wants = dicom_want_count == DICOM_WANTS ? UINT64_MAX
						    : (UINT64_C(1) << dicom_want_count) - 1;
	while ((rc = dicom_reader_next(r, &e)) == 1) {
		if (e.tag > last)
			return 0;
		if (e.tag == PIXEL_REPRESENTATION && e.length == 2 &&
			dicom_source_peek(&r->source, 2, &p) == 2)
			c->pixels_signed = dicom_number16(p, r->encoding.big_endian) == 1;
		if (element(r, c, &top, &e, true, &into) < 0 ||
			(into && collect_inside(r, c, &e, into) < 0))
			return -1;
	}
	return rc;
}
