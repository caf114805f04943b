/* Unit tests of dicom.h: tags that are wanted besides the usual ones. */
#define _GNU_SOURCE /* memfd_create() */
#include "dicom/json.h"
#include "dicom_test.h"

static struct dicom_want_error why;

static bool refused(const char *name, const char *reason)
{
	size_t before = dicom_tag_count;
	bool as_expected =
		dicom_want(name, &why) < 0 && strstr(why.text, reason) && dicom_tag_count == before;

	if (!as_expected)
		printf("# \"%s\": \"%s\"\n", name, why.text);
	return as_expected;
}

static void test_names(void)
{
	char many[16];
	bool all = true;

	ok(dicom_want("studydate", &why) == 0 && dicom_tag_index("StudyDate") == 46 &&
			strcmp(dicom_tags[46].keyword, "StudyDate") == 0 &&
			strcmp(dicom_tags[46].vr, "DA") == 0,
		"a keyword, in any case, is shown as the standard writes it");
	ok(dicom_want("Modality", &why) == 0 && dicom_tag_count == 47, "a tag that is there");
	ok(dicom_want("StudyIDIssuer", &why) == 0, "a retired keyword");
	ok(dicom_want("OverlayRows", &why) == 0 && dicom_tags[48].group == 0x6000,
		"a keyword of a repeating group");
	ok(dicom_want_list("6002,0011,0008,0000,0009,0010", &why) == 0 &&
			strcmp(dicom_tags[49].vr, "US") == 0 &&
			strcmp(dicom_tags[50].vr, "UL") == 0 &&
			strcmp(dicom_tags[51].vr, "LO") == 0,
		"repeating groups, group lengths, creators");
	dicom_want_none();
	ok(dicom_want_list("0019,xx0c,SIEMENS MR HEADER,0008,0020,Rows,SourceImageSequence[12]."
			   "0019,xx01,A.B[1].0019,xx02,A.B,PatientAge",
		   &why) == 0 &&
			dicom_tag_count == 51 &&
			dicom_tag_index("SourceImageSequence[12].0019,xx01,A.B[1].0019,xx02,A.B") ==
				49,
		"a list");
	dicom_want_none();
	ok(dicom_tag_count == 46 && dicom_tag_index("StudyDate") < 0, "forgotten");
	ok(refused("StudyDat", "no keyword StudyDat") && strcmp(why.keyword, "StudyDat") == 0,
		"an unknown keyword");
	ok(refused("0010,xx0c,A", "not private"), "a creator in a group of the standard");
	ok(refused("0019,xx0c,", "1 to 64"), "no creator");
	ok(refused("PatientAge[1]", "ends with an element"), "a path that ends with an item");
	ok(refused("PatientAge[a].Rows", "not expected"), "an index that is no number");
	ok(refused("PatientAge.", "missing"), "a path that ends early");
	ok(refused("", "missing"), "nothing");
	ok(refused("SourceImageSequence", "no value"), "a sequence");
	ok(refused("Rows,Columns", "not expected"), "two names where one belongs");
	ok(refused("A.A.A.A.A.A.A.A.A", "no keyword A"), "unknown in a path");
	ok(refused("0008,1140.0008,1140.0008,1140.0008,1140.0008,1140.0008,1140.0008,1140.0008,"
		   "1140.Rows",
		   "at most 8 steps"),
		"a path too deep");
	ok(refused("0019,xx01,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa[0]."
		   "0019,xx01,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa[0]."
		   "0019,xx01,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa[0]."
		   "0019,xx01,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa[0]."
		   "0019,xx01,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		   "too long"),
		"a name too long");
	ok(dicom_want_list("Rows,Nonsense", &why) < 0 && strcmp(why.keyword, "Nonsense") == 0,
		"a list with an unknown keyword");
	dicom_want_none();
	for (int i = 0; i < 64; i++) {
		(void)snprintf(many, sizeof(many), "0019,%04x", i + 0x1000);
		all &= dicom_want(many, &why) == 0;
	}
	ok(all && refused("Rows", "more than 64"), "64 and no more");
	dicom_want_none();
}

/* An item with a creator, a private element, a name of its own character set and a nested item. */
static void item(struct writer *w, bool undefined, const char *creator, const char *value)
{
	struct writer in = { .implicit = w->implicit, .big = w->big };

	text(&in, 0x00080005, "CS", "ISO_IR 144");
	text(&in, 0x00100010, "PN", "\xbb\xee\xda");
	text(&in, 0x00190010, "LO", "OTHER");
	text(&in, 0x00190011, "LO", creator);
	text(&in, 0x00190012, "LO", creator);
	text(&in, 0x00191001, "LO", "wrong");
	text(&in, 0x00191101, "LO", value);
	text(&in, 0x00191201, "LO", "of a second block");
	if (strcmp(value, "second") == 0)
		text(&in, 0x00191202, "LO", "not in the first item");
	head(&in, 0x00081199, "SQxx", undefined ? UNDEFINED : 18);
	head(&in, 0xfffee000, "", undefined ? UNDEFINED : 10);
	text(&in, 0x00200011, "IS", "7 ");
	if (undefined) {
		head(&in, 0xfffee00d, "", 0);
		head(&in, 0xfffee0dd, "", 0);
	}
	head(w, 0xfffee000, "", undefined ? UNDEFINED : (uint32_t)in.b.length);
	buf_add(&w->b, in.b.data, in.b.length);
	if (undefined)
		head(w, 0xfffee00d, "", 0);
	buf_free(&in.b);
}

static void sequence(struct writer *w, uint32_t tag, const char *vr, bool undefined)
{
	struct writer in = { .implicit = w->implicit, .big = w->big };

	item(&in, undefined, "ACME", "first");
	item(&in, !undefined, "ACME", "second");
	head(w, tag, vr, undefined ? UNDEFINED : (uint32_t)in.b.length);
	buf_add(&w->b, in.b.data, in.b.length);
	if (undefined)
		head(w, 0xfffee0dd, "", 0);
	buf_free(&in.b);
}

static void want(const char *list)
{
	dicom_want_none();
	if (dicom_want_list(list, &why) < 0)
		abort();
}

/* With and without a meta header, in every encoding, with defined and undefined lengths. */
static void test_paths(void)
{
	static const struct {
		const char *syntax;
		bool implicit, big;
	} cases[] = { { EXPLICIT, false, false }, { IMPLICIT, true, false }, { BIG, false, true } };

	want("0008,1140[1].0019,xx01,ACME,ReferencedImageSequence[0].0019,xx01,ACME,"
	     "0008,1140[1].PatientName,0008,1140.ReferencedSOPSequence[0].SeriesNumber,"
	     "0008,1140[2].PatientName,0008,1140[1].0008,1199[1].SeriesNumber,Rows,"
	     "0008,1140[0].0008,1199[0].0020,0011[0].SeriesNumber,0008,1140[1].0019,xx01,NONE,0008,"
	     "1140[0].0019,1202");
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		struct writer w = { .implicit = cases[i / 2].implicit, .big = cases[i / 2].big };

		meta(&w, cases[i / 2].syntax);
		text(&w, 0x00080060, "CS", "CT");
		sequence(&w, 0x00081140, "SQxx", i % 2);
		text(&w, 0x00100010, "PN", "Top");
		head(&w, 0x00280010, "US", 2);
		put(&w, 512, 2);
		run(&w);
		ok(got("0008,1140[1].0019,xx01,ACME", "second") &&
				got("ReferencedImageSequence[0].0019,xx01,ACME", "first") &&
				got("0008,1140[1].PatientName", "\xd0\x9b\xd1\x8e\xd0\xba") &&
				got("0008,1140.ReferencedSOPSequence[0].SeriesNumber", "7") &&
				got("0008,1140[2].PatientName", "") &&
				got("0008,1140[1].0008,1199[1].SeriesNumber", "") &&
				got("0008,1140[1].0019,xx01,NONE", "") &&
				got("0008,1140[0].0019,1202", "") && got("Rows", "512") &&
				got("PatientName", "Top") && got("SeriesNumber", "") &&
				got("SpecificCharacterSet", ""),
			cases[i / 2].syntax);
		buf_free(&w.b);
	}
}

static void test_damage(void)
{
	struct writer w = { .big = false }, in = { .implicit = true };

	want("0009,1001[0].0019,xx01,ACME,0008,1140[0].SeriesNumber,0008,1199[0].SeriesNumber");
	sequence(&in, 0, "", true);
	AROUND(&w, head(&w, 0x00091001, "UNxx", (uint32_t)in.b.length - 8);
		buf_add(&w.b, in.b.data + 8, in.b.length - 8));
	ok(got("0009,1001[0].0019,xx01,ACME", "first") && got("SeriesInstanceUID", SERIES),
		"items in a UN of defined length");
	AROUND(&w, head(&w, 0x00091001, "UNxx", UNDEFINED);
		buf_add(&w.b, in.b.data + 8, in.b.length - 8));
	ok(got("0009,1001[0].0019,xx01,ACME", "first") && got("SeriesInstanceUID", SERIES),
		"items in a UN of undefined length");
	buf_free(&in.b);
	head(&in, 0xfffee000, "", UNDEFINED);
	head(&in, 0x00190010, "", 0x2020); /* would pass for a VR of blanks */
	for (int i = 0; i < 0x2020 / 8; i++)
		buf_puts(&in.b, "somebyte");
	text(&in, 0x00190011, "LO", "ACME");
	text(&in, 0x00191101, "LO", "implicit");
	head(&in, 0xfffee0dd, "", 0);
	AROUND(&w, head(&w, 0x00091001, "UNxx", UNDEFINED); buf_add(&w.b, in.b.data, in.b.length));
	ok(got("0009,1001[0].0019,xx01,ACME", "implicit") && got("SeriesInstanceUID", SERIES),
		"UN is implicit inside");
	buf_free(&in.b);
	AROUND(&w, head(&w, 0x00081140, "SQxx", 28); head(&w, 0xfffee000, "", 20);
		text(&w, 0x00200011, "IS", "8 "); head(&w, 0x00200012, "IS", 500); put(&w, 0, 2));
	ok(got("0008,1140[0].SeriesNumber", "8") && got("SeriesInstanceUID", SERIES),
		"an element that claims more than its item");
	AROUND(&w, head(&w, 0x00081140, "SQxx", 18); head(&w, 0xfffee000, "", 4000);
		text(&w, 0x00200011, "IS", "8 "));
	ok(got("0008,1140[0].SeriesNumber", "8") && got("SeriesInstanceUID", SERIES),
		"an item that claims more than its sequence");
	AROUND(&w, head(&w, 0x00081140, "SQxx", UNDEFINED); head(&w, 0xfffee000, "", UNDEFINED);
		text(&w, 0x00200011, "IS", "8 "); head(&w, 0xfffee0dd, "", 0));
	ok(got("0008,1140[0].SeriesNumber", "8") && got("SeriesInstanceUID", SERIES),
		"an item's delimiter that is missing");
	AROUND(&w, head(&w, 0x00081140, "SQxx", 10); text(&w, 0x00200011, "IS", "8 "));
	ok(got("0008,1140[0].SeriesNumber", "") && got("SeriesInstanceUID", SERIES),
		"no items, but a length: skipped");
	AROUND(&w, head(&w, 0x00081140, "SQxx", UNDEFINED); text(&w, 0x00200011, "IS", "8 "));
	ok(failed("where an item"), "no items, and no length");
	AROUND(&w, head(&w, 0x00081140, "SQxx", UNDEFINED); head(&w, 0xfffee000, "", UNDEFINED);
		head(&w, 0xfffee000, "", 0));
	ok(failed("where an element"), "an item in an item");
	AROUND(&w, head(&w, 0x00081140, "SQxx", 20); head(&w, 0xfffee000, "", UNDEFINED);
		head(&w, 0x00081111, "SQxx", UNDEFINED); head(&w, 0xfffee0dd, "", 0));
	ok(failed("contradicts its items"), "a nested sequence that reaches beyond the outer one");
	AROUND(&w, head(&w, 0x00081140, "SQxx", UNDEFINED); head(&w, 0xfffee000, "", UNDEFINED);
		text(&w, 0x00200011, "IS", "8 "));
	ok(failed("ends inside sequence (0008,1140)"), "a sequence without end");
	AROUND(&w, text(&w, 0x00081140, "LO", "text"); text(&w, 0x00081199, "UNxx", "some text"));
	ok(got("0008,1140[0].SeriesNumber", "") && got("SeriesInstanceUID", SERIES),
		"no sequence where a path leads into");
	buf_free(&w.b);
}

static void test_values(void)
{
	struct writer w = { .implicit = true };

	want("Rows,SmallestImagePixelValue,PixelSpacing,FrameIncrementPointer,StudyDate,"
	     "0009,1001,0009,1002,0009,1003,OverlayData,0008,0020,PixelPaddingValue");
	meta(&w, IMPLICIT);
	text(&w, 0x00080005, "CS", "ISO_IR 100");
	text(&w, 0x00080020, "DA", "20261122");
	text(&w, 0x00091001, "", "M\xfcller ");
	element(&w, 0x00091002, "", "\1\2\3\4", 4);
	text(&w, 0x00091003, "", "");
	head(&w, 0x00280009, "", 4);
	put_tag(&w, 0x00181063);
	head(&w, 0x00280010, "", 2);
	put(&w, 65535, 2);
	head(&w, 0x00280103, "", 2);
	put(&w, 1, 2);
	head(&w, 0x00280106, "", 2);
	put(&w, 0xffff, 2);
	text(&w, 0x00280120, "", "");
	element(&w, 0x60003000, "", "a\0b\0", 4);
	run(&w);
	ok(got("Rows", "65535") && got("SmallestImagePixelValue", "-1") &&
			got("FrameIncrementPointer", "00181063"),
		"numbers in implicit VR");
	ok(got("StudyDate", "20261122") && got("0008,0020", "20261122"), "a tag by two names");
	ok(got("0009,1001", "M\xc3\xbcller") && got("0009,1003", "") &&
			got("PixelPaddingValue", ""),
		"private text without VR");
	ok(got("0009,1002", "") && got("OverlayData", "") && !header.charset_problem,
		"bytes that are no text are not shown");
	buf_free(&w.b);
	want("0029,xx10,SIEMENS CSA HEADER,0009,1001,0009,1002,0009,1003,Rows");
	w.implicit = false;
	AROUND(&w, text(&w, 0x00290010, "LO", "SIEMENS CSA HEADER");
		text(&w, 0x00291010, "LO", "behind the usual tags"));
	ok(got("0029,xx10,SIEMENS CSA HEADER", "behind the usual tags"), "a group further on");
	AROUND(&w, element(&w, 0x00091001, "FD", "\0\0\0\0\0\0\xf8\77", 8);
		element(&w, 0x00091002, "US", "\5\0", 2); text(&w, 0x00091003, "UNxx", "text"));
	ok(got("0009,1001", "1.5") && got("0009,1002", "5") && got("0009,1003", "text"),
		"private elements with VR");
	AROUND(&w, element(&w, 0x00280010, "OWxx", "\5\0\6\0", 4));
	ok(got("SeriesInstanceUID", SERIES) && got("Rows", "5\\6"), "numbers under VR OW");
	buf_free(&w.b);
}

static void test_json(void)
{
	struct dicom_header none = { 0 };
	struct writer w = { .implicit = true };
	json_t *object;

	want("Rows");
	object = dicom_json(&none);
	ok(json_object_size(object) == 47 &&
			strcmp(json_string_value(json_object_get(object, "Rows")), "") == 0,
		"JSON of a header that was not read");
	json_decref(object);
	meta(&w, EXPLICIT);
	text(&w, 0x00080060, "CS", "CT");
	text(&w, 0x00100010, "PN", "M\xfc");
	run(&w);
	object = dicom_json(&header);
	ok(dicom_json_problems(object, &header) == 0 &&
			json_is_true(json_object_get(object, "charset_problem")) &&
			strstr(json_string_value(json_object_get(object, "note")),
				"implicit little endian"),
		"problems are told");
	json_decref(object);
	buf_free(&w.b);
}

int main(void)
{
	test_names();
	test_paths();
	test_damage();
	test_values();
	test_json();
	dicom_header_free(&header);
	return tap_done();
}
