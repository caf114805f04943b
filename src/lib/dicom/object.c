#include "dicom/object.h"

#include "base/str.h"
#include "dicom/reader.h"

#include <string.h>
#include <unistd.h>

enum tag {
	META_CLASS = 0x00020002,
	META_INSTANCE = 0x00020003,
	META_SYNTAX = 0x00020010,
	SOP_CLASS = 0x00080016,
	SOP_INSTANCE = 0x00080018,
	PIXEL_GROUP = 0x7fe00000,
};

#define IMPLICIT "1.2.840.10008.1.2"
#define EXPLICIT "1.2.840.10008.1.2.1"
#define BIG      "1.2.840.10008.1.2.2"

/* A UID whatever its VR says, without padding; one that is none is left as it was. */
static void take_uid(
	struct dicom_reader *r, const struct dicom_element *e, char out[DICOM_UID_SIZE])
{
	char text[DICOM_UID_SIZE];
	const unsigned char *p;
	size_t n;

	if (e->length > DICOM_UID_SIZE)
		return;
	n = dicom_source_peek(&r->source, e->length, &p);
	while (n > 0 && (p[n - 1] == '\0' || p[n - 1] == ' '))
		n--;
	while (n > 0 && *p == ' ') {
		p++;
		n--;
	}
	if (n >= sizeof(text))
		return;
	memcpy(text, p, n);
	text[n] = '\0';
	if (strlen(text) == n && uid_ok(text))
		memcpy(out, text, n + 1);
}

/* The elements of group 0002, up to where the data set begins. Returns 0, or -1 when even that
 * cannot be found; *e is the first element of the data set, *got what reading it came to. */
static int read_meta(
	struct dicom_reader *r, struct dicom_object *o, struct dicom_element *e, int *got)
{
	*got = 1;
	for (;;) {
		o->begin = (off_t)r->source.offset;
		*got = dicom_reader_next(r, e);
		if (*got <= 0)
			return r->in_meta ? -1 : 0;
		if (!r->in_meta)
			return 0;
		if (e->tag == META_CLASS)
			take_uid(r, e, o->sop_class);
		else if (e->tag == META_INSTANCE)
			take_uid(r, e, o->instance);
		else if (e->tag == META_SYNTAX)
			take_uid(r, e, o->syntax);
		if (dicom_reader_skip(r, e) < 0)
			return -1;
	}
}

/* Most are in order, so it ends soon; those that are not are looked through up to their pixels.
 * Returns what reading the last one came to. */
static int read_names(
	struct dicom_reader *r, struct dicom_object *o, struct dicom_element *e, int got)
{
	bool has_class = false, has_instance = false;

	while (got == 1 && !(has_class && has_instance) && e->tag < PIXEL_GROUP) {
		if (e->tag == SOP_CLASS && !has_class) {
			take_uid(r, e, o->sop_class);
			has_class = true;
		} else if (e->tag == SOP_INSTANCE && !has_instance) {
			take_uid(r, e, o->instance);
			has_instance = true;
		}
		got = dicom_reader_skip(r, e) < 0 ? -1 : dicom_reader_next(r, e);
	}
	return got;
}

/* Only where the file ends as if it were so are the other elements looked at. What a delimiter ends
 * has none behind it. */
static bool is_padded(struct dicom_reader *r, struct dicom_element *e, int got)
{
	static const unsigned char delimiter[8] = { 0xfe, 0xff, 0xdd, 0xe0 };
	const off_t at = (off_t)r->source.size - (off_t)sizeof(delimiter);
	unsigned char last[sizeof(delimiter)];

	if (got != 1 || r->source.inflater ||
		pread(r->source.fd, last, sizeof(last), at) != sizeof(last) || last[6] || last[7] ||
		memcmp(last, delimiter, sizeof(last)) == 0)
		return false;
	while (got == 1)
		got = dicom_reader_skip(r, e) < 0 ? -1 : dicom_reader_next(r, e);
	return got == 0 && dicom_source_left(&r->source) > 0;
}

static bool uncompressed(const char *uid)
{
	return !uid[0] || strcmp(uid, IMPLICIT) == 0 || strcmp(uid, EXPLICIT) == 0 ||
	       strcmp(uid, BIG) == 0;
}

/* The data set decides between the uncompressed ones, and whether it is deflated at all. */
static void correct_syntax(const struct dicom_reader *r, struct dicom_object *o, int got)
{
	const char *seen = r->encoding.implicit ? (r->encoding.big_endian ? o->syntax : IMPLICIT)
			   : r->encoding.big_endian ? BIG
						    : EXPLICIT;

	if (got == 1 && (uncompressed(o->syntax) || (r->deflated && !r->source.inflater)))
		memmove(o->syntax, seen, strlen(seen) + 1);
	if (!o->syntax[0])
		memcpy(o->syntax, IMPLICIT, sizeof(IMPLICIT)); /* PS3.5 10.1 */
}

int dicom_read_object(int fd, struct dicom_object *object, struct dicom_error *error)
{
	static const uint64_t inflate_most = UINT64_C(1) << 20;
	struct dicom_reader r;
	struct dicom_element e;
	int rc, got = 0;

	*error = (struct dicom_error){ 0 };
	*object = (struct dicom_object){ 0 };
	rc = dicom_reader_open(&r, fd, inflate_most, error);
	if (rc == 0)
		rc = read_meta(&r, object, &e, &got);
	if (rc == 0) {
		correct_syntax(&r, object, got);
		got = read_names(&r, object, &e, got);
		object->padded = is_padded(&r, &e, got);
		object->note = r.note;
	}
	if (rc == 0 && r.source.error) {
		rc = -1;
		error->number = r.source.error;
	}
	dicom_reader_close(&r);
	return rc;
}
