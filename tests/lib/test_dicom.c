/* Unit tests of dicom.h: every encoding and every way that a file can be wrong. */
#define _GNU_SOURCE /* memfd_create() */
#include <errno.h>

#include <zlib.h>

#include "dicom_test.h"

/* Deflates what was added since from; bits is zlib's: -15 for a bare stream. */
static void deflate_from(struct writer *w, size_t from, int bits)
{
	z_stream z = { 0 };
	unsigned char out[4096];
	struct buf done = { 0 };
	int status;

	(void)deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (unsigned char *)w->b.data + from;
	z.avail_in = (uInt)(w->b.length - from);
	do {
		z.next_out = out;
		z.avail_out = sizeof(out);
		status = deflate(&z, Z_FINISH);
		buf_add(&done, out, sizeof(out) - z.avail_out);
	} while (status == Z_OK);
	(void)deflateEnd(&z);
	w->b.length = from;
	buf_add(&w->b, done.data, done.length);
	buf_free(&done);
}

/* A sequence whose items hold a SeriesInstanceUID that must not be taken, nested three deep. */
static void trap(struct writer *w, bool undefined)
{
	uint32_t inner = 8 + 4, item = 8 + inner, outer = (w->implicit ? 8 : 12) + item;

	head(w, 0x00081140, "SQxx", undefined ? UNDEFINED : 8 + outer);
	head(w, 0xfffee000, "", undefined ? UNDEFINED : outer);
	head(w, 0x00081199, "SQxx", undefined ? UNDEFINED : item);
	head(w, 0xfffee000, "", undefined ? UNDEFINED : inner);
	text(w, 0x0020000e, "UI", "6.6");
	for (int i = 0; undefined && i < 2; i++) {
		head(w, 0xfffee00d, "", 0);
		head(w, 0xfffee0dd, "", 0);
	}
}

static void data_set(struct writer *w)
{
	text(w, 0x00080005, "CS", "ISO_IR 100");
	text(w, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
	text(w, 0x00080060, "CS", "CT");
	trap(w, true);
	trap(w, false);
	head(w, 0x00091001, "OBxx", 9000);
	for (int i = 0; i < 900; i++)
		buf_puts(&w->b, "0123456789");
	text(w, 0x00100010, "PN", "M\xfcller^J\xf6rg ");
	text(w, 0x0020000e, "UI", SERIES);
	text(w, 0x7fe00010, "OWxx", "pixels");
}

static void test_encodings(void)
{
	static const struct {
		const char *name, *syntax;
		bool implicit, big, deflated;
		const char *note;
	} cases[] = {
		{ "implicit", IMPLICIT, true, false, false, NULL },
		{ "explicit", EXPLICIT, false, false, false, NULL },
		{ "big endian", BIG, false, true, false, NULL },
		{ "deflated", DEFLATED, false, false, true, NULL },
		{ "encapsulated", JPEG, false, false, false, NULL },
		{ "says explicit, is implicit", EXPLICIT, true, false, false,
			"is implicit little" },
		{ "says implicit, is explicit", IMPLICIT, false, false, false,
			"is explicit little" },
		{ "says implicit, is big endian", IMPLICIT, false, true, false, "is explicit big" },
		{ "says deflated, is not", DEFLATED, false, false, false, "is not deflated" },
		{ "private, is implicit", "1.2.840.113619.5.2", true, false, false, NULL },
		{ "no meta header, implicit", NULL, true, false, false, NULL },
		{ "no meta header, explicit", NULL, false, false, false, NULL },
		{ "no meta header, big endian", NULL, false, true, false, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct writer w = { .implicit = cases[i].implicit, .big = cases[i].big };
		size_t from;

		if (cases[i].syntax)
			meta(&w, cases[i].syntax);
		from = w.b.length;
		data_set(&w);
		if (cases[i].deflated)
			deflate_from(&w, from, -15);
		run(&w);
		ok(!header.note == !cases[i].note &&
				(!header.note || strstr(header.note, cases[i].note)) &&
				got("SeriesInstanceUID", SERIES) &&
				got("PatientName", "M\xc3\xbcller^J\xc3\xb6rg") &&
				got("Modality", "CT") && got("StudyInstanceUID", "") &&
				!header.charset_problem &&
				got("TransferSyntaxUID", cases[i].syntax ? cases[i].syntax : ""),
			cases[i].name);
		walk(&w);
		ok(rc == 0, "and it is whole");
	}
}

static void test_beginnings(void)
{
	struct writer w = { .big = false };

	meta(&w, EXPLICIT);
	data_set(&w);
	run_bytes(w.b.data + 128, w.b.length - 128, false);
	ok(got("SeriesInstanceUID", SERIES), "DICM without preamble");
	run_bytes(w.b.data + 132, w.b.length - 132, false);
	ok(got("SeriesInstanceUID", SERIES), "meta header without DICM");
	w.b.data[140] = 99;
	run(&w);
	ok(got("SeriesInstanceUID", SERIES), "wrong group length of the meta header");
	run_bytes("", 0, false);
	ok(failed("ends before its first element"), "an empty file");
	run_bytes(w.b.data, 132, false);
	ok(failed("ends before its first element"), "a preamble alone");
	run_bytes("This is text, and not DICOM at all.", 35, false);
	ok(failed("not DICOM"), "a text");
	memset(w.b.data, 0, w.b.length);
	run(&w);
	ok(failed("not DICOM"), "zeros");
	buf_free(&w.b);
}

/* Cut anywhere: never a crash, and never both whole and shorter, unless between two elements. */
static void test_truncation(void)
{
	bool header_told = true;
	struct writer w = { .big = false };
	size_t whole = 0;

	meta(&w, EXPLICIT);
	text(&w, 0x00080060, "CS", "CT");
	trap(&w, true);
	trap(&w, false);
	text(&w, 0x0020000e, "UI", SERIES);
	for (size_t n = 0; n < w.b.length; n++) {
		run_bytes(w.b.data, n, true);
		whole += rc == 0;
		run_bytes(w.b.data, n, false);
		if (rc == 0 && header.value[dicom_tag_index("SeriesInstanceUID")])
			header_told = false;
	}
	ok(whole == 5, "a file cut inside an element, sequence or value is not whole");
	ok(header_told, "nor does half a value count");
	buf_free(&w.b);
}

static void unknown_sequence(struct writer *w, bool implicit)
{
	head(w, 0x00091002, "UNxx", UNDEFINED);
	head(w, 0xfffee000, "", UNDEFINED);
	w->implicit = implicit;
	trap(w, true);
	if (implicit) { /* a length that would pass for a VR of blanks */
		head(w, 0x00091003, "", 0x2020);
		for (int i = 0; i < 0x2020 / 8; i++)
			buf_puts(&w->b, "somebyte");
	}
	text(w, 0x0020000e, "UI", "6.6");
	w->implicit = false;
	head(w, 0xfffee00d, "", 0);
	head(w, 0xfffee0dd, "", 0);
}

static void deep(struct writer *w, int depth)
{
	for (int i = 0; i < depth; i++) {
		head(w, 0x00081140, "SQxx", UNDEFINED);
		head(w, 0xfffee000, "", UNDEFINED);
	}
	for (int i = 0; i < depth; i++) {
		head(w, 0xfffee00d, "", 0);
		head(w, 0xfffee0dd, "", 0);
	}
}

static void test_structure(void)
{
	struct writer w = { .big = false };

	AROUND(&w, unknown_sequence(&w, true));
	ok(got("SeriesInstanceUID", SERIES), "UN of undefined length is implicit inside");
	AROUND(&w, unknown_sequence(&w, false));
	ok(got("SeriesInstanceUID", SERIES),
		"UN of undefined length that is explicit all the same");
	AROUND(&w, deep(&w, 100000));
	ok(got("SeriesInstanceUID", SERIES), "100000 nested sequences");
	AROUND(&w, text(&w, 0x00091001, "QZxx", "new"));
	ok(got("SeriesInstanceUID", SERIES), "a VR that is not invented yet");
	AROUND(&w, text(&w, 0x00091001, "??", "odd"));
	ok(got("SeriesInstanceUID", SERIES), "no VR, but room for one");
	AROUND(&w, w.implicit = true; text(&w, 0x00091001, "", "implicit"); w.implicit = false);
	ok(got("SeriesInstanceUID", SERIES), "an implicit element in an explicit data set");
	AROUND(&w, head(&w, 0xfffee00d, "", 0); head(&w, 0xfffee0dd, "", 0));
	ok(got("SeriesInstanceUID", SERIES), "delimiters left over");
	AROUND(&w, head(&w, 0x00081140, "SQxx", UNDEFINED); head(&w, 0xfffee000, "", UNDEFINED);
		head(&w, 0xfffee0dd, "", 0));
	ok(got("SeriesInstanceUID", SERIES), "an item's delimiter that is missing");
	AROUND(&w, head(&w, 0x00081140, "SQxx", 16); head(&w, 0xfffee000, "", 4000000000);
		put(&w, 0, 4); put(&w, 0, 4));
	ok(got("SeriesInstanceUID", SERIES), "an item that claims more than its sequence");
	AROUND(&w, head(&w, 0x00091001, "OBxx", 2000000000));
	ok(failed("claims 2000000000 bytes, but the file has only 20 more"),
		"a value beyond the end of the file");
	AROUND(&w, head(&w, 0x00081140, "SQxx", 10); head(&w, 0xfffee000, "", 0); put(&w, 0, 2));
	ok(failed("where an item"), "a sequence that ends inside an item");
	AROUND(&w, head(&w, 0x00081140, "SQxx", UNDEFINED); text(&w, 0x00080060, "CS", "MR"));
	ok(failed("where an item"), "a sequence without items");
	AROUND(&w, head(&w, 0x00081140, "SQxx", 12); head(&w, 0xfffee000, "", UNDEFINED);
		head(&w, 0xfffee00d, "", 0));
	ok(failed("contradicts its items"), "a sequence shorter than its items");
	AROUND(&w, for (int i = 0; i < 1000; i++) put(&w, 0, 4));
	ok(failed("(0000,0000)"), "a hole of zeros");
	AROUND(&w, head(&w, 0x00081140, "SQxx", UNDEFINED); head(&w, 0xfffee000, "", UNDEFINED));
	ok(failed("ends inside sequence"), "a sequence without end");
	buf_free(&w.b);
}

static void test_deflated(void)
{
	struct writer w = { .big = false };
	size_t from;
	char *zeros = calloc(1, 1 << 20);

	meta(&w, DEFLATED);
	from = w.b.length;
	data_set(&w);
	deflate_from(&w, from, 15);
	run(&w);
	ok(got("SeriesInstanceUID", SERIES), "deflated with a zlib header");
	run_bytes(w.b.data, w.b.length - 20, false);
	ok(failed("inside the deflated") || got("SeriesInstanceUID", SERIES), "cut");
	run_bytes(w.b.data, w.b.length - 20, true);
	ok(failed("inside the deflated data set"), "cut: not whole");
	w.b.data[from + 30] ^= 0x55;
	walk(&w);
	ok(failed("(inflated)"), "damaged");

	meta(&w, DEFLATED);
	from = w.b.length;
	text(&w, 0x00080060, "CS", "CT");
	head(&w, 0x00091001, "OBxx", 70 << 20);
	for (int i = 0; i < 70; i++)
		buf_add(&w.b, zeros, 1 << 20);
	deflate_from(&w, from, -15);
	run(&w);
	ok(failed("more than is allowed") && strcmp(dicom_get(&header, "Modality"), "CT") == 0,
		"a bomb ends at the bound, with the tags before it");
	walk(&w);
	ok(rc == 0, "and can be walked");
	free(zeros);
}

static void test_walk(void)
{
	struct writer w = { .big = false };

	meta(&w, EXPLICIT);
	text(&w, 0x00080060, "CS", "SR");
	put(&w, 0, 1);
	walk(&w);
	ok(rc == 0, "a zero at the end");
	meta(&w, JPEG);
	text(&w, 0x00080060, "CS", "CT");
	head(&w, 0x7fe00010, "OBxx", UNDEFINED);
	head(&w, 0xfffee000, "", 0);
	head(&w, 0xfffee000, "", 6);
	buf_puts(&w.b, "pixels");
	run_bytes(w.b.data, w.b.length, true);
	ok(failed("inside sequence (7fe0,0010)"), "fragments without end");
	run_bytes(w.b.data, w.b.length - 1, true);
	ok(failed("claims 6 bytes"), "a fragment that was cut");
	head(&w, 0xfffee0dd, "", 0);
	run_bytes(w.b.data, w.b.length, true);
	ok(rc == 0, "fragments with end");
	put(&w, 0, 3);
	run_bytes(w.b.data, w.b.length, true);
	ok(rc == 0, "zeros after the pixel data");
	put(&w, 0x55, 3);
	walk(&w);
	ok(failed("ends inside an element's tag"), "but nothing else");
}

/* A pipe cannot seek: all is read in order. */
static void test_pipe(void)
{
	struct writer w = { .big = false };
	int fd[2];

	meta(&w, EXPLICIT);
	data_set(&w);
	dicom_header_free(&header);
	if (pipe(fd) < 0 || write(fd[1], w.b.data, w.b.length) != (ssize_t)w.b.length ||
		close(fd[1]) < 0)
		abort();
	rc = dicom_read_header(fd[0], &header, &error);
	ok(got("SeriesInstanceUID", SERIES), "from a pipe");
	(void)close(fd[0]);
	buf_free(&w.b);
	dicom_header_free(&header);
	rc = dicom_read_header(-1, &header, &error);
	ok(rc == -1 && error.number == EBADF, "an error of the system is told apart");
}

/* Bytes changed at random, always the same ones: nothing to see but that we come back. */
static void test_damage(void)
{
	struct writer w = { .big = false };
	uint32_t random = 1;

	for (int i = 0; i < 3000; i++) {
		w.implicit = i % 3 == 0;
		w.big = i % 3 == 1;
		meta(&w, i % 4 == 3 ? DEFLATED : EXPLICIT);
		data_set(&w);
		for (int k = 0; k < 4; k++) {
			random = random * 1664525 + 1013904223;
			w.b.data[128 + (random >> 8) % 400] = (char)(random >> 24);
		}
		run(&w);
		walk(&w);
	}
	ok(true, "damaged files");
}

int main(void)
{
	test_encodings();
	test_beginnings();
	test_truncation();
	test_structure();
	test_deflated();
	test_walk();
	test_pipe();
	test_damage();
	dicom_header_free(&header);
	return tap_done();
}
