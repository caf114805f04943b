/* test_decide: what the rules say about a series, image by image. In a directory of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "decide/decide.h"
#include "decide/rules.h"
#include "dicom_test.h"
#include "base/disk.h"
#include "spool/job.h"

static int dir; /* where the images are */
static struct conf *conf;
static struct decision decision;
static struct disk_names images;

static void write_file(const char *name, const void *data, size_t length)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, length) != (ssize_t)length || close(fd) < 0)
		abort();
}

/* An image with a number (NULL: none) and a description. */
static void image(const char *name, const char *number, const char *description)
{
	struct writer w = { .implicit = false };

	meta(&w, EXPLICIT);
	text(&w, 0x00080060, "CS", "MR");
	text(&w, 0x0008103e, "LO", description);
	text(&w, 0x0020000e, "UI", SERIES);
	if (number)
		text(&w, 0x00200013, "IS", number);
	write_file(name, w.b.data, w.b.length);
	buf_free(&w.b);
}

static void no_images(void)
{
	struct disk_names names;

	if (disk_list(dir, ".", &names) < 0)
		abort();
	for (size_t i = 0; i < names.count; i++)
		(void)unlinkat(dir, names.name[i], 0);
	disk_names_free(&names);
}

/* A configuration with the targets a, b, c and these rules. */
static void rules(const char *rules_text)
{
	struct buf b = { 0 };

	buf_printf(&b,
		"spool = \"/sp\"\n"
		"target \"a\" { type = folder path = \"/a\" }\n"
		"target \"b\" { type = folder path = \"/b\" }\n"
		"target \"c\" { type = folder path = \"/c\" }\n%s\n",
		rules_text);
	write_file("conf", b.data, b.length);
	buf_free(&b);
	decide_free(conf ? conf : &(struct conf){ 0 }, &decision);
	conf_free(conf);
	conf = conf_load("conf", rules_check);
	if (!conf)
		abort();
}

/* Decides on all images. */
static int asked(const json_t *series)
{
	decide_free(conf, &decision);
	disk_names_free(&images);
	if (job_images(dir, &images) < 0)
		abort();
	return decide(conf, dir, images.name, images.count, series, &decision);
}

static bool is(const char *got_text, const char *expected)
{
	if (got_text && expected && strcmp(got_text, expected) == 0)
		return true;
	if (!got_text && !expected)
		return true;
	printf("# \"%s\" instead of \"%s\"\n", got_text ? got_text : "NULL",
		expected ? expected : "NULL");
	return false;
}

/* The decision in one line: a letter for each rule, then its image; "|"; the targets with
 * priorities. */
static bool came(const char *expected)
{
	struct buf b = { 0 };
	bool same;

	for (size_t i = 0; i < conf->rule_count; i++)
		buf_printf(&b, "%c:%s ", "-nYf"[decision.rule[i].state],
			decision.rule[i].image ? decision.rule[i].image : "");
	buf_puts(&b, "|");
	for (size_t i = 0; i < decision.target_count; i++)
		buf_printf(&b, " %s%s", decision.target[i].name,
			job_suffix(decision.target[i].priority));
	if (decision.discarded_by)
		buf_printf(&b, " discarded by %s", decision.discarded_by->name);
	same = is(b.data, expected);
	buf_free(&b);
	return same;
}

static bool first_is(const char *name)
{
	return asked(NULL) == 0 && is(decision.first, name);
}

static void check_order(void)
{
	rules("rule \"r\" { match = \"tags.SeriesDescription == 'first'\" targets = { a } }");
	image("a.dcm", "10", "x");
	image("b.dcm", "9", "first");
	ok(first_is("b.dcm") && came("Y:b.dcm | a"), "9 before 10: numbers, not text");
	image("c.dcm", " 2 ", "first");
	ok(first_is("c.dcm"), "blanks do not count");
	image("d.dcm", "-3", "first");
	ok(first_is("d.dcm") && came("Y:d.dcm | a"), "a negative number");
	image("0.dcm", NULL, "x");
	image("1.dcm", "", "x");
	image("2.dcm", "x1", "x");
	image("3.dcm", "-4.5", "x");
	image("4.dcm", "-9\\-8", "x");
	image("5.dcm", "-99999999999999999999999", "x");
	write_file("6.dcm", "no DICOM", 8);
	ok(first_is("d.dcm") && is(decision.damaged, "6.dcm"), "what has no number comes last");
	image("d0.dcm", "-3", "x");
	ok(first_is("d.dcm"), "the same number: by name");
	image("c9.dcm", "-03", "x");
	ok(first_is("c9.dcm") && came("n:c9.dcm |"), "the same number in other words");
	no_images();
	image("2.dcm", NULL, "x");
	image("1.dcm", NULL, "first");
	ok(first_is("1.dcm") && came("Y:1.dcm | a"), "no numbers at all: by name");
	no_images();
	image("1.dcm", NULL, "first");
	ok(first_is("1.dcm") && came("Y:1.dcm | a") && !decision.damaged, "a single one");
	no_images();
}

static void check_any(void)
{
	image("1.dcm", "3", "7");
	image("2.dcm", "1", "x");
	image("3.dcm", "2", "5");
	rules("rule \"first\" { match = \"tags.SeriesDescription == '5'\" targets = { a } }\n"
	      "rule \"any\" { match = \"tags.SeriesDescription == '5'\" targets = { b } on = any "
	      "}\n"
	      "rule \"none\" { match = \"tags.SeriesDescription == '6'\" targets = { c } on = any "
	      "}");
	ok(asked(NULL) == 0 && came("n:2.dcm Y:3.dcm n:1.dcm | b"),
		"on = any applies when it applies to one; it has seen all when to none");
	rules("rule \"later\" { match = \"float(tags.SeriesDescription) > 6\" targets = { a } on = "
	      "any }\n"
	      "rule \"never\" { match = \"float(tags.SeriesDescription) > 8\" targets = { b } on = "
	      "any }\n"
	      "rule \"once\" { match = \"float(tags.SeriesDescription) > 6\" targets = { c } }");
	ok(asked(NULL) == 0 && came("Y:1.dcm f:2.dcm f:2.dcm | a"),
		"fails on one and applies to another: applies; applies to none: has failed");
	ok(!decision.rule[0].why && is(decision.rule[1].why, decision.rule[2].why) &&
			strstr(decision.rule[1].why, "could not convert string to float"),
		"the failure is the first one");
	no_images();
}

static void check_discard(void)
{
	image("1.dcm", "1", "x");
	image("2.dcm", "2", "5");
	rules("rule \"before\" { match = \"True\" targets = { a } }\n"
	      "rule \"fails\" { match = \"float(tags.SeriesDescription)\" targets = { a } }\n"
	      "rule \"no\" { match = \"True\" action = discard }\n"
	      "rule \"after\" { match = \"True\" targets = { b } }\n"
	      "rule \"also\" { match = \"True\" action = discard fallback = true }");
	ok(asked(NULL) == 0 && came("Y:1.dcm f:1.dcm Y:1.dcm -: -: | discarded by no"),
		"discard ends it");
	rules("rule \"late\" { match = \"tags.SeriesDescription == '5'\" action = discard on = any "
	      "}\n"
	      "rule \"failed\" { match = \"float('x')\" targets = { b } }\n"
	      "rule \"applied\" { match = \"True\" targets = { b } }\n"
	      "rule \"no\" { match = \"True\" action = discard }");
	ok(asked(NULL) == 0 && came("Y:2.dcm -: -: -: | discarded by late"),
		"also by a later image: what rules behind it said of the first is forgotten");
	ok(!decision.rule[1].why, "a failure, too");
	rules("rule \"off\" { match = \"True\" action = discard disabled = true }\n"
	      "rule \"a\" { match = \"tags.SeriesDescription == '5'\" targets = { a } on = any }\n"
	      "rule \"no\" { match = \"tags.SeriesDescription == 'x'\" action = discard }");
	ok(asked(NULL) == 0 && came("-: Y:2.dcm Y:1.dcm | discarded by no"),
		"a disabled rule is not asked; one before the discard rule sees all images");
	no_images();
}

static void check_fallback(void)
{
	image("1.dcm", "1", "x");
	image("2.dcm", "2", "5");
	rules("rule \"fallback\" { match = \"True\" targets = { a } fallback = true }\n"
	      "rule \"other\" { match = \"tags.SeriesDescription == '5'\" targets = { b } on = any "
	      "}");
	ok(asked(NULL) == 0 && came("-: Y:2.dcm | b"), "a fallback that is not needed");
	rules("rule \"fallback\" { match = \"tags.SeriesDescription == '5'\" targets = { a } "
	      "fallback = true on = any }\n"
	      "rule \"other\" { match = \"tags.SeriesDescription == '5'\" targets = { b } }\n"
	      "rule \"failed\" { match = \"float('x')\" targets = { b } }");
	ok(asked(NULL) == 0 && came("Y:2.dcm n:1.dcm f:1.dcm | a"),
		"a fallback when none applied, a failed one neither");
	rules("rule \"fallback\" { match = \"True\" action = discard fallback = true }\n"
	      "rule \"behind\" { match = \"True\" targets = { a } fallback = true }\n"
	      "rule \"failed\" { match = \"float('x')\" targets = { b } }");
	ok(asked(NULL) == 0 && came("Y:1.dcm -: f:1.dcm | discarded by fallback"),
		"one that discards ends the fallback rules, the others were asked before");
	rules("");
	ok(asked(NULL) == 0 && came("|") && is(decision.first, "1.dcm"), "no rules");
	no_images();
}

static void check_targets(void)
{
	image("1.dcm", "1", "x");
	rules("rule \"1\" { match = \"True\" targets = { b, c } priority = offpeak }\n"
	      "rule \"2\" { match = \"True\" targets = { a, b } }\n"
	      "rule \"3\" { match = \"True\" targets = { c } priority = urgent }\n"
	      "rule \"4\" { match = \"False\" targets = { a } priority = urgent }\n"
	      "rule \"5\" { match = \"True\" targets = { c, a } priority = offpeak }");
	ok(asked(NULL) == 0 && came("Y:1.dcm Y:1.dcm Y:1.dcm n:1.dcm Y:1.dcm | b c.urgent a"),
		"targets once each, in the order of the rules, as urgent as one of them says");
	rules("rule \"1\" { match = \"True\" targets = { a } priority = offpeak }");
	ok(asked(NULL) == 0 && came("Y:1.dcm | a.offpeak"), "off-peak when all say so");
	no_images();
}

static void check_tags(void)
{
	json_t *series = json_pack("{s:{s:s,s:s,s:i}}", "tags", "SenderAET", "CT1", "Modality",
		"US", "ReceiverAET", 1);
	json_t *tags;

	image("1.dcm", "1", "x");
	tags = decide_tags(dir, "1.dcm", series);
	ok(tags && is(decide_tag(tags, "senderaet"), "CT1"), "the sender's, of series.json");
	ok(is(decide_tag(tags, "MODALITY"), "MR"), "all others are the image's");
	ok(is(decide_tag(tags, "ReceiverAET"), "") && is(decide_tag(tags, "PatientID"), ""),
		"what is absent or no text is empty");
	json_decref(tags);
	rules("rule \"1\" { match = \"tags.SenderAET == 'CT1' and tags.Modality == 'MR'\" targets "
	      "= { a } "
	      "}\n"
	      "rule \"2\" { match = \"tags.SenderAET == 'CT1' and tags.Modality == ''\" targets = "
	      "{ b } }");
	ok(asked(series) == 0 && came("Y:1.dcm n:1.dcm | a"), "rules see both");
	no_images();
	ok(asked(series) == 0 && came("n: Y: | b") && !decision.first,
		"without images, the sender's only");
	json_decref(series);
}

static void check_damage(void)
{
	json_t *tags;

	rules("rule \"1\" { match = \"tags.Modality == 'MR'\" targets = { a } on = any }\n"
	      "rule \"2\" { match = \"tags.Modality == ''\" targets = { b } on = any }");
	image("1.dcm", "1", "x");
	write_file("2.dcm", "", 0);
	if (symlinkat("1.dcm", dir, "3.dcm") < 0 || mkfifoat(dir, "4.dcm", 0600) < 0 ||
		mkdirat(dir, "5.dcm", 0700) < 0)
		abort();
	ok(asked(NULL) == 0 && came("Y:1.dcm Y:2.dcm | a b"), "a damaged image has no tags");
	ok(is(decision.damaged, "2.dcm") && is(decision.first, "1.dcm"), "it is told");
	(void)unlinkat(dir, "1.dcm", 0);
	ok(asked(NULL) == 0 && came("n:5.dcm Y:2.dcm | b"),
		"nor has a link, a FIFO or a directory");
	tags = decide_tags(dir, "3.dcm", NULL);
	ok(tags && is(decide_tag(tags, "Modality"), ""), "nothing of it is shown");
	json_decref(tags);
	(void)unlinkat(dir, "5.dcm", AT_REMOVEDIR);
	no_images();
}

/* What fails now may work later: nothing is decided. */
static void check_failures(void)
{
	char names[][9] = { "1.dcm", "gone.dcm" }, *gone[] = { names[0], names[1] };
	struct rlimit limit, none;
	int result, number;

	image("1.dcm", "1", "x");
	image("2.dcm", "2", "x");
	rules("rule \"1\" { match = \"True\" targets = { a } }");
	ok(asked(NULL) == 0, "all is well");
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = (rlim_t)dir + 1;
	decide_free(conf, &decision);
	(void)setrlimit(RLIMIT_NOFILE, &none);
	result = decide(conf, dir, images.name, images.count, NULL, &decision);
	number = errno;
	ok(result < 0 && number == EMFILE && is(decision.unreadable, "1.dcm"), "no descriptors");
	ok(!decide_tags(dir, "1.dcm", NULL) && errno == EMFILE, "no tags either");
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	decide_free(conf, &decision);
	ok(decide(conf, dir, gone, 2, NULL, &decision) < 0 && errno == ENOENT &&
			is(decision.unreadable, "gone.dcm"),
		"an image that has gone");
	no_images();
}

int main(void)
{
	char folder[] = "test_decide.XXXXXX"; /* in the current directory */

	dir = mkdtemp(folder) && chdir(folder) == 0 ? open(".", O_RDONLY | O_DIRECTORY) : -1;
	if (dir < 0)
		return 1;
	check_order();
	check_any();
	check_discard();
	check_fallback();
	check_targets();
	check_tags();
	check_damage();
	check_failures();
	decide_free(conf, &decision);
	conf_free(conf);
	disk_names_free(&images);
	(void)unlinkat(dir, "conf", 0);
	if (chdir("..") < 0 || rmdir(folder) < 0)
		return 1;
	return tap_done();
}
