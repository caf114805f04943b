#include "dicom/element.h"

#include <errno.h>
#include <string.h>

enum { PREAMBLE = 128, META_GROUP = 0x0002, STRAYS_MAX = 16, ELEMENT_MIN = 8 };
enum { META_LENGTH = 0x00020000, TRANSFER_SYNTAX = 0x00020010, PIXEL_DATA = 0x7fe00010 };

/* Takes the first bytes of a meta header or data set for an element; false if they are none. */
static bool guess_encoding(
	const struct dicom_reader *r, const unsigned char *p, struct dicom_encoding *encoding)
{
	uint32_t little = dicom_number16(p, false), big = dicom_number16(p, true), length;
	uint32_t group = little < big ? little : big;

	*encoding = (struct dicom_encoding){ .implicit = !dicom_vr_known(p + 4) };
	/* Data sets begin with group 0008 or soon after, a DICOMDIR with 0004. A file without
	 * "DICM" is held to that, or any text would pass for DICOM. */
	if (!r->magic && (group < 0x0002 || group > 0x0020))
		return false;
	if (!encoding->implicit) {
		encoding->big_endian = group < 0x0100 ? big < little : r->syntax.big_endian;
		return true;
	}
	length = dicom_number32(p + 4, false);
	return little > 0 && little < 0x8000 &&
	       (length <= dicom_source_left(&r->source) || (r->magic && length == DICOM_UNDEFINED));
}

static int fail_not_dicom(struct dicom_reader *r, const unsigned char *p)
{
	return dicom_reader_fail(r, r->source.offset,
		"not DICOM: bytes %02x %02x %02x %02x %02x %02x %02x %02x are no data element",
		p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]);
}

/* A meta header that lies does no harm, but somebody should know. What a private transfer syntax
 * says nobody knows. */
static void note_lie(struct dicom_reader *r, struct dicom_encoding found)
{
	static const char *const notes[2][2] = {
		{ "TransferSyntaxUID is wrong: the data set is explicit little endian",
			"TransferSyntaxUID is wrong: the data set is explicit big endian" },
		{ "TransferSyntaxUID is wrong: the data set is implicit little endian",
			"TransferSyntaxUID is wrong: the data set is implicit big endian" },
	};

	if (!r->standard)
		return;
	if (r->deflated && !r->source.inflater)
		r->note = "TransferSyntaxUID is wrong: the data set is not deflated";
	else if (found.implicit != r->syntax.implicit || found.big_endian != r->syntax.big_endian)
		r->note = notes[found.implicit][found.big_endian];
}

/* Settles the encoding of the data set, which begins here. Returns 0 or -1. */
static int begin_data_set(struct dicom_reader *r)
{
	struct dicom_encoding found = { 0 };
	const unsigned char *p;
	size_t n = dicom_source_peek(&r->source, ELEMENT_MIN, &p);
	bool plain = n == ELEMENT_MIN && guess_encoding(r, p, &found);

	r->in_meta = false;
	if (n == 0)
		return 0; /* dicom_element_read() tells whether that is an error */
	if (r->deflated && !(plain && !found.implicit)) {
		if (dicom_source_inflate(&r->source, r->inflate_limit) < 0) {
			r->source.error = errno;
			return dicom_reader_fail(r, r->source.offset, "system error");
		}
		n = dicom_source_peek(&r->source, ELEMENT_MIN, &p);
		plain = n == ELEMENT_MIN && guess_encoding(r, p, &found);
	}
	if (n < ELEMENT_MIN)
		return dicom_reader_fail(
			r, r->source.offset, "the file ends inside its first element");
	if (!plain &&
		!(r->magic && r->declared && dicom_number16(p, r->syntax.big_endian) == 0x0008))
		return fail_not_dicom(r, p);
	r->encoding = plain ? found : r->syntax;
	note_lie(r, r->encoding);
	return 0;
}

/* Notes what the meta header says about the data set; the value is not handed out. */
static void note_meta(struct dicom_reader *r, const struct dicom_element *e)
{
	static const struct {
		const char *uid;
		struct dicom_encoding encoding;
		bool deflated;
	} syntaxes[] = {
		{ "1.2.840.10008.1.2", { .implicit = true }, false },
		{ "1.2.840.10008.1.2.2", { .big_endian = true }, false },
		{ "1.2.840.10008.1.2.1.99", { 0 }, true },
		{ "1.2.840.10008.1.2.4.95", { 0 }, true },  /* JPIP referenced deflate */
		{ "1.2.840.10008.1.2.4.205", { 0 }, true }, /* JPIP HTJ2K referenced deflate */
	};
	static const char standard[] = "1.2.840.10008.1.2";
	const unsigned char *p;
	size_t n = dicom_source_peek(&r->source, e->length < 64 ? e->length : 64, &p);

	if (e->tag == META_LENGTH && n == 4)
		r->meta_end = r->source.offset + 4 + dicom_number32(p, r->encoding.big_endian);
	if (e->tag != TRANSFER_SYNTAX || r->declared) /* the first counts */
		return;
	r->declared = n > 0;
	r->standard = n >= strlen(standard) && memcmp(p, standard, strlen(standard)) == 0;
	while (n > 0 && (p[n - 1] == 0 || p[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < sizeof(syntaxes) / sizeof(*syntaxes); i++) {
		if (strlen(syntaxes[i].uid) == n && memcmp(p, syntaxes[i].uid, n) == 0) {
			r->syntax = syntaxes[i].encoding;
			r->deflated = syntaxes[i].deflated;
		}
	}
}

/* The group's number ends the meta header, because its length is often wrong; except where deflated
 * bytes follow, which may look like anything. */
static bool meta_goes_on(struct dicom_reader *r)
{
	const unsigned char *p;

	if (r->deflated && r->source.offset == r->meta_end)
		return false;
	return dicom_source_peek(&r->source, 2, &p) == 2 &&
	       dicom_number16(p, r->encoding.big_endian) == META_GROUP;
}

/* Writers and tapes fill files up with zeros. They are no damage after the pixel data, up to a
 * piece of them, and elsewhere while they are too few for an element; more could be a hole in the
 * file. */
static bool only_padding_left(struct dicom_reader *r)
{
	size_t most = r->last < PIXEL_DATA ? ELEMENT_MIN : DICOM_SOURCE_PIECE, n;
	const unsigned char *p;

	if (r->last == 0)
		return false;
	n = dicom_source_peek(&r->source, most, &p);
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return n > 0 && n < most && !r->source.error && !r->source.broken;
}

/* Delimiters without a beginning, and the zeros that follow one whose length is not 0, do no harm
 * between elements. Zeros without end are a hole in the file. */
static bool is_stray(const struct dicom_element *e)
{
	return e->tag == DICOM_ITEM_END || e->tag == DICOM_SEQUENCE_END ||
	       (e->tag == 0 && e->length == 0);
}

int dicom_reader_next(struct dicom_reader *r, struct dicom_element *e)
{
	int rc, strays = STRAYS_MAX;

	if (r->in_meta && !meta_goes_on(r) && begin_data_set(r) < 0)
		return -1;
	if (only_padding_left(r))
		return 0;
	do
		rc = dicom_element_read(r, e);
	while (rc == 1 && is_stray(e) && --strays > 0);
	if (rc <= 0)
		return rc;
	if (strays == 0 || e->tag == DICOM_ITEM)
		return dicom_reader_fail(r, e->offset, "(%04x,%04x) where an element belongs",
			e->tag >> 16, e->tag & 0xffff);
	if (dicom_element_check(r, e) < 0)
		return -1;
	if (r->in_meta)
		note_meta(r, e);
	r->last = e->tag;
	return 1;
}

/* Skips preamble and "DICM" (PS3.10 7.1). Some writers leave out the preamble, some both. */
static bool skip_magic(struct dicom_reader *r)
{
	const unsigned char *p;
	size_t n = dicom_source_peek(&r->source, PREAMBLE + 4, &p), skip;

	if (n == PREAMBLE + 4 && memcmp(p + PREAMBLE, "DICM", 4) == 0)
		skip = PREAMBLE + 4;
	else if (n >= 4 && memcmp(p, "DICM", 4) == 0)
		skip = 4;
	else
		return false;
	return dicom_source_skip(&r->source, skip);
}

int dicom_reader_open(
	struct dicom_reader *r, int fd, uint64_t inflate_limit, struct dicom_error *error)
{
	const unsigned char *p;
	size_t n;

	memset(r, 0, offsetof(struct dicom_reader, source));
	r->error = error;
	r->inflate_limit = inflate_limit;
	if (dicom_source_open(&r->source, fd) < 0) {
		r->source.error = errno;
		return dicom_reader_fail(r, 0, "system error");
	}
	r->magic = skip_magic(r);
	n = dicom_source_peek(&r->source, ELEMENT_MIN, &p);
	if (n < ELEMENT_MIN)
		return dicom_reader_fail(
			r, r->source.offset, "the file ends before its first element");
	if (dicom_number16(p, false) != META_GROUP && dicom_number16(p, true) != META_GROUP)
		return begin_data_set(r);
	if (!guess_encoding(r, p, &r->encoding))
		return fail_not_dicom(r, p);
	r->in_meta = true;
	return 0;
}

void dicom_reader_close(struct dicom_reader *r)
{
	dicom_source_close(&r->source);
}
