/* filed: which images of a batch are believed. */
#include "spool/filed.h"

#include "base/disk.h"
#include "spool/file.h"
#include "../lib/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int batch(const char *name)
{
	return disk_make_dir(AT_FDCWD, name) == 0 ? disk_open_dir(AT_FDCWD, name) : -1;
}

static enum filed_word word(int dir, const char *name, off_t size)
{
	struct filed filed;
	enum filed_word result;

	if (filed_load(dir, &filed) < 0)
		return (enum filed_word) - 1;
	result = filed_word(&filed, name, size);
	filed_free(&filed);
	return result;
}

static void test_words(int dir)
{
	ok(word(dir, "1.2.dcm", 7) == FILED_NOT, "no file, no line");
	ok(filed_add(dir, "1.3.dcm", 9, "a.1") == 0 && filed_add(dir, "1.2.dcm", 7, "a.1") == 0 &&
			filed_add(dir, "1.2~2.dcm", 8, "a.1") == 0,
		"three images");
	ok(word(dir, "1.2.dcm", 7) == FILED_BELIEVED && word(dir, "1.3.dcm", 9) == FILED_BELIEVED &&
			word(dir, "1.2~2.dcm", 8) == FILED_BELIEVED,
		"they are believed");
	ok(word(dir, "1.2.dcm", 6) == FILED_DOUBTED, "not with another size");
	ok(word(dir, "1.2", 7) == FILED_NOT && word(dir, "1.4.dcm", 7) == FILED_NOT,
		"one that was not filed");
	ok(filed_add(dir, "1.2.dcm", 5, "a.1") == 0 && word(dir, "1.2.dcm", 7) == FILED_DOUBTED &&
			word(dir, "1.2.dcm", 5) == FILED_BELIEVED,
		"the last line counts");
}

/* Which association has brought an image; a dcmspool of before did not say. */
static void test_associations(int dir)
{
	static const char before[] = "00000000 5 1.9.dcm\n00000000 5 1.8.dcm a b\n";
	struct filed filed;

	ok(disk_append(dir, file_name(FILE_FILED), before, strlen(before)) == 0 &&
			filed_add(dir, "1.7.dcm", 7, "20261122T140301.123456Z.12") == 0 &&
			filed_load(dir, &filed) == 0,
		"lines of both kinds");
	ok(strcmp(filed_find(&filed, "1.7.dcm")->association, "20261122T140301.123456Z.12") == 0 &&
			strcmp(filed_find(&filed, "1.2.dcm")->association, "a.1") == 0,
		"who brought it");
	ok(*filed_find(&filed, "1.9.dcm")->association == '\0' && !filed_find(&filed, "1.8.dcm"),
		"not said, and what is no line");
	filed_free(&filed);
}

static void test_damage(int dir)
{
	static const char text[] = "ffffffff 5 1.2.dcm\nnonsense\n\n00000000\n00000000 5\n"
				   "00000000 -5 1.2.dcm\n00000000 99999999999999999999 1.2.dcm\n"
				   "00000000 5 ../1.2.dcm\n00000000 5 1.5.dc";

	ok(disk_append(dir, file_name(FILE_FILED), text, strlen(text)) == 0, "lines that are none");
	ok(word(dir, "1.2.dcm", 5) == FILED_DOUBTED, "one of another boot is doubted");
	ok(word(dir, "1.3.dcm", 9) == FILED_BELIEVED, "the others are what they were");
	ok(word(dir, "1.5.dcm", 5) == FILED_NOT, "one that is cut off is none");
}

/* Three at the same moment: the last line is not the one that counts. */
static void test_taken_back(int dir)
{
	struct filed filed;
	const struct filed_line *line;

	ok(filed_add(dir, "7.dcm", 7, "first.1") == 0 &&
			filed_add(dir, "7.dcm", 7, "second.2") == 0 &&
			filed_add(dir, "7.dcm", 9, "third.3") == 0 &&
			filed_take_back(dir, "7.dcm", "first.1") == 0 &&
			filed_take_back(dir, "7.dcm", "third.3") == 0,
		"two of three came too late");
	ok(filed_load(dir, &filed) == 0 && (line = filed_find(&filed, "7.dcm")) &&
			strcmp(line->association, "second.2") == 0 &&
			filed_word(&filed, "7.dcm", 7) == FILED_BELIEVED,
		"the line of the other counts");
	filed_free(&filed);
	ok(filed_take_back(dir, "7.dcm", "second.2") == 0 && word(dir, "7.dcm", 7) == FILED_NOT,
		"and none when all did");
}

/* Batches in turn, more than are kept open; one that was claimed, and a new one of its name. */
static void test_batches(void)
{
	char name[] = "a";
	struct stat st;
	int dir[12], renamed;

	for (int i = 0; i < 24; i++) {
		name[0] = (char)('a' + i % 12);
		dir[i % 12] = batch(name);
		if (filed_add(dir[i % 12], i < 12 ? "1.dcm" : "2.dcm", i, "a.1") < 0)
			ok(false, "filed");
	}
	for (int i = 0; i < 12; i++)
		ok(word(dir[i], "1.dcm", i) == FILED_BELIEVED &&
				word(dir[i], "2.dcm", i + 12) == FILED_BELIEVED,
			"each batch has its own");
	renamed = rename("l", "claimed") == 0 && file_remove(dir[11], FILE_FILED) == 0;
	ok(renamed && filed_add(batch("l"), "3.dcm", 3, "a.1") == 0, "a new batch of that name");
	ok(fstatat(dir[11], "filed", &st, 0) < 0 && word(batch("l"), "3.dcm", 3) == FILED_BELIEVED,
		"has a file of its own");
}

int main(void)
{
	char dir[] = "filed.XXXXXX";

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	test_words(batch("words"));
	test_associations(disk_open_dir(AT_FDCWD, "words"));
	test_damage(disk_open_dir(AT_FDCWD, "words"));
	test_taken_back(batch("taken-back"));
	test_batches();
	return tap_done();
}
