/* The layout of folder targets: what is refused, and that no value makes an unsafe name. */
#include "dicom/layout.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static const char *given; /* the value of every keyword */

static const char *value(const void *context, const char *keyword)
{
	(void)context;
	(void)keyword;
	return given;
}

static bool good(const char *layout)
{
	char why[256] = "";

	return layout_check(layout, why, sizeof(why)) == 0;
}

static bool bad(const char *layout, const char *part)
{
	char why[256] = "";

	if (layout_check(layout, why, sizeof(why)) == 0 || !strstr(why, part)) {
		printf("# '%s': '%s'\n", layout, why);
		return false;
	}
	return true;
}

/* The first name for a value, compared. A '*' at the end of expected stands for any 8 digits. */
static bool becomes(const char *layout, const char *text, const char *expected)
{
	struct layout_path path;
	size_t length = strlen(expected);
	bool same = false;

	given = text;
	if (layout_expand(layout, value, NULL, &path) == 0) {
		same = strcmp(path.name[0], expected) == 0;
		if (expected[length - 1] == '*')
			same = strncmp(path.name[0], expected, length - 1) == 0 &&
			       strlen(path.name[0]) == length + 7;
		if (!same)
			printf("# '%s'\n", path.name[0]);
	}
	layout_free(&path);
	return same;
}

static bool safe(const char *name)
{
	if (!*name || *name == '.' || strlen(name) > 245)
		return false;
	for (; *name; name++)
		if ((unsigned char)*name < 0x20 || *name == 0x7f || *name == '/')
			return false;
	return true;
}

/* Every string of up to three bytes of these, as a value. */
static bool all_safe(void)
{
	static const char bytes[] = "./\\ ~\n\x7f\x80\xc2\x85\xc3\xed\xa0\xf4\xff-A";
	size_t n = sizeof(bytes); /* the NUL included */
	struct layout_path path;
	char text[4] = "";
	bool result = true;

	given = text;
	for (size_t i = 0; i < n * n * n && result; i++) {
		text[0] = bytes[i % n];
		text[1] = bytes[i / n % n];
		text[2] = bytes[i / n / n];
		result = layout_expand("{PatientID}/x", value, NULL, &path) == 0 &&
			 path.count == 2 && safe(path.name[0]);
		layout_free(&path);
	}
	return result;
}

static void test_check(void)
{
	char why[256];

	ok(good("{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm"),
		"the usual layout");
	ok(good("in/{Modality}-{SenderAET}/{senderaddress}/{ReceiverAET}_{InstanceNumber}"),
		"text, association, any case");
	ok(good("{StudyDate}/{rows}/{SOPInstanceUID}"), "every keyword of the standard");
	ok(bad("{Foo}/{SOPInstanceUID}", "unknown keyword {Foo}"), "an unknown keyword");
	ok(bad("{0019,0010}/{SOPInstanceUID}", "unknown keyword"), "a private tag");
	ok(bad("{PixelData}/{SOPInstanceUID}", "unknown keyword"), "bytes");
	ok(bad("{SourceImageSequence}/{SOPInstanceUID}", "unknown keyword"), "a sequence");
	ok(bad("{Modality}/x.dcm", "tells images apart"), "nothing that tells images apart");
	ok(bad("/{SOPInstanceUID}", "separated by single '/'"), "absolute");
	ok(bad("a//{SOPInstanceUID}", "separated by single '/'"), "an empty name");
	ok(bad("{SOPInstanceUID}/", "separated by single '/'"), "a '/' at the end");
	ok(bad("", "separated by single '/'"), "empty");
	ok(bad("../{SOPInstanceUID}", "begin with '.'"), "out of the folder");
	ok(bad("a/.b{SOPInstanceUID}", "begin with '.'"), "hidden");
	ok(bad("{SOPInstanceUID", "enclose"), "no closing brace");
	ok(bad("{SOPInstanceUID}}", "enclose"), "a brace too many");
	ok(bad("{}{SOPInstanceUID}", "enclose"), "no keyword");
	ok(bad("{a/b}{SOPInstanceUID}", "enclose"), "a '/' in a keyword");
	ok(bad("a\n{SOPInstanceUID}", "control character"), "a newline");
	ok(layout_check_directories("{PatientID}/{StudyDate}", why, sizeof(why)) == 0,
		"directories need not tell images apart");
	ok(layout_check_directories("../{PatientID}", why, sizeof(why)) < 0,
		"directories stay inside");
	ok(bad("1/2/3/4/5/6/7/8/9/10/11/12/{SOPInstanceUID}", "too many"), "too deep");
}

static void test_values(void)
{
	char text[5001];

	ok(becomes("{PatientID}", "12345", "12345"), "a plain value");
	ok(becomes("{PatientID}", "M\xc3\xbcller^Anna", "M\xc3\xbcller^Anna"), "UTF-8");
	ok(becomes("{PatientID}", " 12 ", "12"), "padding");
	ok(becomes("{PatientID}", "", "unknown"), "no value");
	ok(becomes("{PatientID}", "  ", "unknown"), "blanks only");
	ok(becomes("{PatientID}", "..", "__~*"), "dots");
	ok(becomes("{PatientID}", "../../x", "_._.._x~*"), "a path");
	ok(becomes("{PatientID}", "a\nb", "a_b~*"), "a newline");
	ok(becomes("{PatientID}", "a\xff", "a_~*"), "invalid UTF-8");
	ok(becomes("{PatientID}", ".x.dcm", "_x.dcm~*"), "hidden");
	memset(text, 'x', 5000);
	text[5000] = '\0';
	given = text;
	text[111] = '\0';
	ok(becomes("{PatientID}", text, text), "111 characters stay");
	text[111] = 'x';
	for (size_t i = 0; i + 1 < 5000; i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	struct layout_path path;
	ok(layout_expand("{PatientID}{PatientID}{PatientID}.dcm", value, NULL, &path) == 0 &&
			safe(path.name[0]) && strstr(path.name[0], ".dcm"),
		"5,000 characters, three times, keep the extension");
	layout_free(&path);
	ok(layout_expand("{PatientID}/x", value, NULL, &path) == 0 &&
			strlen(path.name[0]) == 110 + 9 && path.name[0][110] == '~',
		"cut between characters");
	layout_free(&path);
	ok(all_safe(), "no value is unsafe");
}

static bool numbered(const char *name, unsigned n, const char *expected)
{
	char *got = layout_numbered(name, n);
	bool same = got && strcmp(got, expected) == 0;

	free(got);
	return same;
}

int main(void)
{
	test_check();
	test_values();
	ok(numbered("a.dcm", 1, "a.dcm"), "the first of a name");
	ok(numbered("a.dcm", 2, "a~2.dcm"), "the second of a name");
	ok(numbered("a", 3, "a~3"), "without extension");
	return tap_done();
}
