/*
 * Skips the value of an element with all that is nested in it. Only a counter follows the depth:
 * containers of undefined length alternate between sequence and item, so its parity tells which
 * one is open; those of defined length are jumped over.
 */
#include "dicom/element.h"

#include <string.h>

/* Inside UN of undefined length everything is implicit little endian, whatever the data set is
 * (PS3.5 6.2.2 note 2); but writers exist that keep explicit VR there. */
void dicom_unknown_enter(struct dicom_reader *r)
{
	const unsigned char *p;

	/* The first element's VR would come after the item's tag and length and its own tag. */
	if (dicom_source_peek(&r->source, 14, &p) == 14 && dicom_number16(p, false) == 0xfffe &&
		dicom_vr_known(p + 12))
		return;
	r->encoding = (struct dicom_encoding){ .implicit = true };
}

/* Where the skipping of a sequence stands. */
struct nesting {
	uint64_t depth;         /* odd: in a sequence; even: in an item */
	uint64_t end;           /* of the outermost sequence, if its length is defined */
	uint64_t unknown_depth; /* of the UN that changed the encoding, 0: none */
	struct dicom_encoding outer;
};

static void nesting_open(struct dicom_reader *r, struct nesting *n, const struct dicom_element *e)
{
	n->depth++;
	if (strcmp(e->vr, "UN") == 0 && !r->encoding.implicit) {
		n->unknown_depth = n->depth;
		dicom_unknown_enter(r);
	}
}

static void nesting_close(struct dicom_reader *r, struct nesting *n)
{
	n->depth--;
	if (n->depth < n->unknown_depth) {
		n->unknown_depth = 0;
		r->encoding = n->outer;
	}
}

/* One element inside a sequence. Returns 0 or -1. */
static int nesting_step(struct dicom_reader *r, struct nesting *n, const struct dicom_element *e)
{
	bool in_item = n->depth % 2 == 0;

	if (e->tag == DICOM_ITEM_END || e->tag == DICOM_SEQUENCE_END) {
		if (in_item)
			nesting_close(r, n);
		if (e->tag == DICOM_SEQUENCE_END) /* inside an item: its own delimiter is missing */
			nesting_close(r, n);
		return 0;
	}
	if (in_item == (e->tag == DICOM_ITEM))
		return dicom_reader_fail(r, e->offset, "(%04x,%04x) where %s belongs", e->tag >> 16,
			e->tag & 0xffff,
			in_item ? "an element" : "an item or the end of a sequence");
	if (e->length == DICOM_UNDEFINED) {
		nesting_open(r, n, e);
		return 0;
	}
	/* The sequence's own length is the surer one when an item claims to reach beyond it. */
	if (n->depth == 1 && e->length > n->end - r->source.offset) {
		struct dicom_element rest = *e;

		rest.length = (uint32_t)(n->end - r->source.offset);
		return dicom_element_skip(r, &rest);
	}
	return dicom_element_check(r, e) < 0 ? -1 : dicom_element_skip(r, e);
}

static int skip_sequence(struct dicom_reader *r, const struct dicom_element *sequence)
{
	struct nesting n = { .end = UINT64_MAX, .outer = r->encoding };
	struct dicom_element e;
	int rc;

	if (sequence->length != DICOM_UNDEFINED)
		n.end = r->source.offset + sequence->length;
	nesting_open(r, &n, sequence);
	while (n.depth > 0) {
		if (n.depth == 1 && r->source.offset >= n.end)
			break;
		rc = dicom_element_read(r, &e);
		if (rc == 0)
			return dicom_reader_fail(r, r->source.offset,
				"the file ends inside sequence (%04x,%04x)", sequence->tag >> 16,
				sequence->tag & 0xffff);
		if (rc < 0 || nesting_step(r, &n, &e) < 0)
			return -1;
	}
	r->encoding = n.outer;
	if (n.end == UINT64_MAX || r->source.offset == n.end)
		return 0;
	return dicom_reader_fail(r, sequence->offset,
		"the length of sequence (%04x,%04x) contradicts its items", sequence->tag >> 16,
		sequence->tag & 0xffff);
}

bool dicom_element_nests(const struct dicom_element *e)
{
	return e->length == DICOM_UNDEFINED || strcmp(e->vr, "SQ") == 0;
}

int dicom_reader_skip(struct dicom_reader *r, const struct dicom_element *e)
{
	return dicom_element_nests(e) ? skip_sequence(r, e) : dicom_element_skip(r, e);
}
