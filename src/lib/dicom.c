#include "dicom.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "charset.h"
#include "dicom_reader.h"
#include "dicom_value.h"

enum {
	VALUE_MAX = 65536, /* bytes; a longer value is cut there */
	CHARSET_TAG = 0x00080005
};

/* What a deflated data set may inflate to. zlib shrinks by up to 1:1032, so a small file could
 * keep us busy for long; a true header is far below a megabyte. */
static const uint64_t HEADER_INFLATE_MAX = UINT64_C(64) << 20, WALK_INFLATE_MAX = UINT64_C(4) << 30;

/* A value as it is in the file. Text is converted at the end, because SpecificCharacterSet may come
 * late in a file that is out of order. */
struct raw_value {
	bool present, big_endian;
	char vr[3];
	size_t at, length; /* in the collected bytes */
};

struct collection {
	struct raw_value *value; /* one per tag of dicom_tags */
	struct buf bytes;
};

static uint32_t tag_number(size_t i)
{
	return (uint32_t)dicom_tags[i].group << 16 | dicom_tags[i].element;
}

/* The index of a wanted tag, or -1. */
static int find_tag(uint32_t tag)
{
	size_t low = 0, high = dicom_tag_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (tag_number(middle) == tag)
			return (int)middle;
		if (tag_number(middle) < tag)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* Keeps the value of an element. Of two with the same tag the first counts, as with DCMTK. */
static int collect(
	struct dicom_reader *r, const struct dicom_element *e, struct collection *c, size_t index)
{
	struct raw_value *value = &c->value[index];
	size_t wanted = e->length < VALUE_MAX ? e->length : VALUE_MAX, n;
	struct dicom_element rest = *e;
	const unsigned char *data;

	if (value->present)
		return dicom_reader_skip(r, e);
	value->present = true;
	value->big_endian = r->encoding.big_endian;
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
	return dicom_reader_skip(r, &rest); /* fails when the bytes ended early */
}

static int collect_all(struct dicom_reader *r, struct collection *c)
{
	const uint32_t last = tag_number(dicom_tag_count - 1);
	struct dicom_element e;
	int rc, index;

	while ((rc = dicom_reader_next(r, &e)) == 1) {
		if (e.tag > last)
			return 0;
		index = dicom_element_nests(&e) ? -1 : find_tag(e.tag);
		rc = index < 0 ? dicom_reader_skip(r, &e) : collect(r, &e, c, (size_t)index);
		if (rc < 0)
			return -1;
	}
	return rc;
}

/* Converts what was collected. Returns false when memory ran out. */
static bool convert(struct dicom_header *header, const struct collection *c)
{
	const struct raw_value *set = &c->value[find_tag(CHARSET_TAG)];
	struct charset charset = { 0 };
	struct buf text;

	if (set->present && set->length > 0)
		charset_parse(&charset, c->bytes.data + set->at, set->length);
	for (size_t i = 0; i < dicom_tag_count; i++) {
		const struct raw_value *v = &c->value[i];

		if (!v->present)
			continue;
		text = (struct buf){ 0 };
		buf_puts(&text, ""); /* an empty value is there, too */
		if (v->length > 0 &&
			!dicom_value_text(&charset, dicom_tags[i].vr, v->vr, v->big_endian,
				(const unsigned char *)c->bytes.data + v->at, v->length, &text))
			header->charset_problem = true;
		if (text.failed) {
			buf_free(&text);
			return false;
		}
		header->value[i] = text.data;
	}
	return true;
}

int dicom_read_header(int fd, struct dicom_header *header, struct dicom_error *error)
{
	struct collection c = { .value = calloc(dicom_tag_count, sizeof(*c.value)) };
	struct dicom_reader r;
	int rc;

	*error = (struct dicom_error){ 0 };
	*header = (struct dicom_header){ .value = calloc(dicom_tag_count, sizeof(*header->value)) };
	rc = dicom_reader_open(&r, fd, HEADER_INFLATE_MAX, error);
	if (c.value && header->value) {
		if (rc == 0)
			rc = collect_all(&r, &c);
		if (c.bytes.failed || !convert(header, &c))
			r.source.error = ENOMEM;
	} else {
		r.source.error = ENOMEM;
	}
	if (r.source.error)
		rc = dicom_reader_fail(&r, r.source.offset, "no memory");
	dicom_reader_close(&r);
	free(c.value);
	buf_free(&c.bytes);
	return rc;
}

int dicom_walk(int fd, struct dicom_error *error)
{
	struct dicom_reader r;
	struct dicom_element e;
	int rc;

	*error = (struct dicom_error){ 0 };
	rc = dicom_reader_open(&r, fd, WALK_INFLATE_MAX, error);
	while (rc == 0 && (rc = dicom_reader_next(&r, &e)) == 1)
		rc = dicom_reader_skip(&r, &e);
	dicom_reader_close(&r);
	return rc;
}
