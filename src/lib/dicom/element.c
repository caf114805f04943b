#include "dicom/element.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dicom_reader_fail(struct dicom_reader *r, uint64_t offset, const char *format, ...)
{
	const struct dicom_source *s = &r->source;
	char why[160];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args); /* ours are shorter */
	va_end(args);
	r->error->number = s->error;
	(void)snprintf(r->error->text, sizeof(r->error->text), "offset %" PRIu64 "%s: %s", offset,
		s->inflater ? " (inflated)" : "",
		s->error    ? strerror(s->error)
		: s->broken ? s->broken
			    : why);
	return -1;
}

uint32_t dicom_number16(const unsigned char *p, bool big_endian)
{
	return big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

uint32_t dicom_number32(const unsigned char *p, bool big_endian)
{
	uint32_t first = dicom_number16(p, big_endian), second = dicom_number16(p + 2, big_endian);

	return big_endian ? first << 16 | second : second << 16 | first;
}

/* True for the VRs whose length takes 16 bits (PS3.5 table 7.1-2); all others have two reserved
 * bytes and 32 bits, VRs still to be invented as well (PS3.5 7.1.2). */
static bool vr_is_short(const unsigned char *vr)
{
	static const char vrs[] = "AEASATCSDADSDTFLFDISLOLTPNSHSLSSSTTMUIULUS";

	for (const char *p = vrs; *p; p += 2)
		if (vr[0] == p[0] && vr[1] == p[1])
			return true;
	return false;
}

static bool vr_is_long(const unsigned char *vr)
{
	static const char vrs[] = "OBODOFOLOVOWSQSVUCUNURUTUV";

	for (const char *p = vrs; *p; p += 2)
		if (vr[0] == p[0] && vr[1] == p[1])
			return true;
	return false;
}

bool dicom_vr_known(const unsigned char *vr)
{
	return vr_is_short(vr) || vr_is_long(vr);
}

static bool is_capital(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

/* How the length of an element with these two bytes after its tag is written. */
enum form { SHORT, LONG, IMPLICIT };

static enum form form_of(struct dicom_encoding encoding, const unsigned char *vr)
{
	if (encoding.implicit)
		return IMPLICIT;
	if (vr_is_short(vr))
		return SHORT;
	if (is_capital(vr[0]) && is_capital(vr[1]))
		return LONG;
	/* No VR. Writers put "??" or blanks with 16 bits of length (DCMTK 3.6.7, dcvr.cc, reads
	 * them so too); anything else is an implicit element that strayed in here. */
	if ((vr[0] >= ' ' && vr[0] < 0x7f && vr[1] >= ' ' && vr[1] < 0x7f) || !(vr[0] | vr[1]))
		return SHORT;
	return IMPLICIT;
}

/* Reads tag, VR and length. Returns 1, 0 when there are no more bytes, -1. */
int dicom_element_read(struct dicom_reader *r, struct dicom_element *e)
{
	struct dicom_source *s = &r->source;
	bool big = r->encoding.big_endian;
	const unsigned char *p;
	size_t n = dicom_source_peek(s, 12, &p), size = 8;

	e->offset = s->offset;
	if (n == 0 && !s->error && !s->broken)
		return 0;
	if (n < size)
		return dicom_reader_fail(
			r, e->offset, "the file ends inside an element's tag or length");
	e->tag = dicom_number16(p, big) << 16 | dicom_number16(p + 2, big);
	e->vr[0] = '\0';
	if (e->tag >> 16 == 0xfffe) { /* items and delimiters never have a VR (PS3.5 7.5) */
		e->length = dicom_number32(p + 4, big);
	} else {
		enum form form = form_of(r->encoding, p + 4);

		if (form != IMPLICIT)
			memcpy(e->vr, p + 4, 2);
		e->vr[2] = '\0';
		if (form == LONG && n < (size = 12))
			return dicom_reader_fail(
				r, e->offset, "the file ends inside an element's length");
		e->length = form == SHORT ? dicom_number16(p + 6, big)
					  : dicom_number32(p + (form == LONG ? 8 : 4), big);
	}
	(void)dicom_source_skip(s, size); /* they are in the buffer */
	return 1;
}

/* Checks the length against what is left: the commonest way for a file to be broken. */
int dicom_element_check(struct dicom_reader *r, const struct dicom_element *e)
{
	uint64_t left = dicom_source_left(&r->source);

	if (e->length == DICOM_UNDEFINED || e->length <= left)
		return 0;
	return dicom_reader_fail(r, e->offset,
		"element (%04x,%04x) claims %" PRIu32 " bytes, but the file has only %" PRIu64
		" more",
		e->tag >> 16, e->tag & 0xffff, e->length, left);
}

int dicom_element_skip(struct dicom_reader *r, const struct dicom_element *e)
{
	if (dicom_source_skip(&r->source, e->length))
		return 0;
	return dicom_reader_fail(r, e->offset,
		"element (%04x,%04x) claims %" PRIu32 " bytes, but the data ends before",
		e->tag >> 16, e->tag & 0xffff, e->length);
}
