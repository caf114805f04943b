/* item and ahead: a job that moves on while somebody looks at it is followed; files of many are
 * read ahead. In the working directory, a spool. */
#include "spool/item.h"

#include "base/disk.h"
#include "spool/ahead.h"
#include "spool/series.h"
#include "spool/walk.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOB "20261122T140301.123456Z.3f9a1c2b.77d0aa1e"
enum { MANY = 80 };

static struct spool spool;

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)mkdir(dir, 0700); /* it may be there */
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		exit(1);
}

/* A walk finds it in one place, it moves to another (NULL: it is removed), and its files are asked
 * for. */
static bool is_followed(const char *from, const char *to, bool *gone)
{
	struct walk walk;
	const json_t *series;
	bool found;

	put(from, "series.json", "{\"tags\": {\"PatientID\": \"4711\"}}");
	put(from, "1.dcm", "1");
	if (walk_spool(&spool, &walk) < 0 || walk.count != 1)
		exit(1);
	if (rename(from, to ? to : "elsewhere") < 0)
		exit(1);
	series = item_series(&spool, &walk.item[0]);
	found = series && strcmp(series_tag(series, "PatientID"), "4711") == 0;
	*gone = walk.item[0].gone;
	walk_free(&walk);
	if (system("rm -rf elsewhere outgoing/*/2* sending/*/2* success/2* error/2* discard/2*") <
		0)
		exit(1);
	return found;
}

static void test_follow(void)
{
	bool gone;

	ok(is_followed("outgoing/a/" JOB, "sending/a/" JOB, &gone) && !gone, "it is being sent");
	ok(is_followed("sending/a/" JOB, "success/" JOB ".a", &gone) && !gone, "it was sent");
	ok(is_followed("outgoing/a/" JOB, "success/" JOB ".a", &gone) && !gone, "and at once");
	ok(is_followed("sending/a/" JOB, "error/" JOB ".a", &gone) && !gone, "it failed");
	ok(is_followed("outgoing/a/" JOB ".urgent", "discard/" JOB ".urgent.a", &gone) && !gone,
		"it was cancelled");
	ok(is_followed("success/" JOB ".a", "outgoing/a/" JOB, &gone) && !gone, "it goes again");
	ok(is_followed("sending/a/" JOB, "outgoing/a/" JOB, &gone) && !gone, "it is back");
	ok(!is_followed("outgoing/a/" JOB, NULL, &gone) && gone, "it has gone");
	ok(!is_followed("outgoing/a/" JOB, "sending/b/" JOB, &gone) && gone,
		"another target's is another");
	ok(!is_followed("discard/" JOB, "success/" JOB, &gone) && gone,
		"of no target nobody follows it");
}

/* Who traces us sees what was opened. */
static void read_ahead(void)
{
	struct walk walk;
	char dir[128];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(
			dir, sizeof(dir), "success/20261122T140301.%06dZ.00000000.00000000.a", i);
		put(dir, "series.json", "{}");
		put(dir, "1.dcm", "1");
	}
	if (walk_spool(&spool, &walk) < 0 || walk.count != MANY)
		exit(1);
	(void)write(STDOUT_FILENO, "now\n", 4); /* to be seen in the trace, too */
	ahead_read(&spool, walk.item, walk.count);
	walk_free(&walk);
}

int main(int argc, char *argv[])
{
	spool_open(&spool, ".");
	if (argc > 1 && strcmp(argv[1], "ahead") == 0) {
		read_ahead();
		return 0;
	}
	if (mkdir("outgoing/a", 0700) < 0 || mkdir("sending/a", 0700) < 0 ||
		mkdir("sending/b", 0700) < 0)
		return 1;
	test_follow();
	return tap_done();
}
