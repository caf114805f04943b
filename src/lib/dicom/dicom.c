#include "dicom/dicom.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dicom/charset.h"
#include "dicom/collect.h"
#include "dicom/value.h"

enum { CHARSET = 0x00080005 };

/* What a deflated data set may inflate to. zlib shrinks by up to 1:1032, so a small file could
 * keep us busy for long; a true header is far below a megabyte. */
static const uint64_t HEADER_INFLATE_MAX = UINT64_C(64) << 20, WALK_INFLATE_MAX = UINT64_C(4) << 30;

/* The index of SpecificCharacterSet, which is one of the fixed tags. */
static size_t charset_index(void)
{
	size_t i = 0;

	while (((uint32_t)dicom_tags[i].group << 16 | dicom_tags[i].element) != CHARSET)
		i++;
	return i;
}

static struct charset parse_set(const struct dicom_collection *c, const struct dicom_raw *set)
{
	struct charset charset = { 0 };

	if (set->present && set->length > 0)
		charset_parse(&charset, c->bytes.data + set->at, set->length);
	return charset;
}

/* The VR that the standard gives, where it leaves a choice as PixelRepresentation decides. */
static const char *expected_vr(const struct dicom_collection *c, size_t i)
{
	if (strcmp(dicom_tags[i].vr, "xs") == 0)
		return c->pixels_signed ? "SS" : "US";
	return dicom_tags[i].vr;
}

/* The value of dicom_tags[i] as text, NULL without memory. */
static char *convert(struct dicom_header *header, const struct dicom_collection *c, size_t i,
	const struct charset *charset)
{
	const struct dicom_raw *v = &c->value[i];
	struct charset own;
	struct buf text = { 0 };

	buf_puts(&text, ""); /* an empty value is there, too */
	if (i >= dicom_fixed_count && c->set[i - dicom_fixed_count].present) {
		own = parse_set(c, &c->set[i - dicom_fixed_count]);
		charset = &own;
	}
	if (v->length > 0 &&
		!dicom_value_text(charset, expected_vr(c, i), v->vr, v->big_endian,
			(const unsigned char *)c->bytes.data + v->at, v->length, &text))
		header->charset_problem = true;
	if (text.failed)
		buf_free(&text);
	return text.data;
}

/* Converts what was collected. Returns false when memory ran out. */
static bool convert_all(struct dicom_header *header, const struct dicom_collection *c)
{
	const struct charset charset = parse_set(c, &c->value[charset_index()]);

	for (size_t i = 0; i < header->count; i++) {
		if (!c->value[i].present)
			continue;
		header->value[i] = convert(header, c, i, &charset);
		if (!header->value[i])
			return false;
	}
	return true;
}

int dicom_read_header(int fd, struct dicom_header *header, struct dicom_error *error)
{
	struct dicom_collection c = { .value = calloc(dicom_tag_count, sizeof(*c.value)) };
	struct dicom_reader r;
	int rc;

	*error = (struct dicom_error){ 0 };
	*header = (struct dicom_header){ .value = calloc(dicom_tag_count, sizeof(*header->value)) };
	rc = dicom_reader_open(&r, fd, HEADER_INFLATE_MAX, error);
	if (c.value && header->value) {
		header->count = dicom_tag_count;
		if (rc == 0)
			rc = dicom_collect(&r, &c);
		if (c.bytes.failed || !convert_all(header, &c))
			r.source.error = ENOMEM;
	} else {
		r.source.error = ENOMEM;
	}
	header->note = r.note;
	if (r.source.error)
		rc = dicom_reader_fail(&r, r.source.offset, "no memory");
	dicom_reader_close(&r);
	free(c.value);
	buf_free(&c.bytes);
	return rc;
}

const char *dicom_no_image(const struct dicom_header *header)
{
	/* Media Storage Directory Storage, PS3.4 I.4: the one class that only files have */
	return strcmp(dicom_get(header, "MediaStorageSOPClassUID"), "1.2.840.10008.1.3.10") == 0
		       ? "is a DICOMDIR (PS3.10 8.6), not an image"
		       : NULL;
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
