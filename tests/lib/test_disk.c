/* disk, str, spool, job: the small parts on which everything stands. */
#include "base/disk.h"
#include "spool/job.h"
#include "spool/file.h"
#include "spool/ledger.h"
#include "spool/spool.h"
#include "base/str.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_names(void)
{
	static const char *const bad[] = { "", ".", "..", ".x", "-x", "~x", "a/b", "a b", "a\n",
		"\xc3\xa4", "a;b", "a*", "a\\b", "$(x)" };
	char text[300];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!name_ok(bad[i]) && !uid_ok(bad[i]), "a bad name is refused");
	ok(name_ok("1.2.840~2.dcm") && !uid_ok("1.2~2"), "'~' in a name, not in a UID");
	memset(text, '1', sizeof(text));
	text[64] = '\0';
	ok(uid_ok(text), "a UID of 64 characters");
	text[64] = '1';
	text[65] = '\0';
	ok(!uid_ok(text) && name_ok(text), "a UID of 65 characters is none, but a name");
	text[65] = '1';
	text[201] = '\0';
	ok(!name_ok(text), "a name of 201 characters is refused");
	ok(file_is_image("1.2.dcm") && !file_is_image("1.2.dcm.x") && !file_is_image(".dcm") &&
			!file_is_image(".new.dcm"),
		"what is an image by its name");
}

static void test_numbers(void)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1e3",
		"99999999999999999999" };
	long value = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(parse_long(bad[i], 0, 100, &value) < 0 && value == 7, "a bad number is refused");
	ok(parse_long("100", 0, 100, &value) == 0 && value == 100, "the greatest number");
	ok(parse_long("101", 0, 100, &value) < 0 && errno == ERANGE, "one more is out of range");
}

static void test_times(void)
{
	char stamp[SPOOL_STAMP_SIZE], job[JOB_NAME_SIZE];

	spool_stamp(INT64_C(1795354181123456), stamp, sizeof(stamp));
	ok(strcmp(stamp, "20261122T132941.123456Z") == 0, "a stamp");
	ok(spool_stamp_time(stamp) == INT64_C(1795354181123456), "and back");
	ok(spool_stamp_time("") < 0 && spool_stamp_time("20261122") < 0 &&
			spool_stamp_time("2026-11-22T14:03:01Z") < 0,
		"what is no stamp");
	job_name(job, sizeof(job), INT64_C(1795354181123456), "1.2.3", "1.2.3.4");
	ok(name_ok(job) && strncmp(job, stamp, strlen(stamp)) == 0,
		"a job's name begins with its time");
	ok(job_study(job) && strncmp(job_study(job), strrchr(job, '.') - 8, 8) == 0, "its study");
	ok(!job_study("by-hand") && !job_study("20261122T132941.123456Z") &&
			!job_study("20261122T132941.123456Z.short"),
		"names by hand have none");
}

/* What a job is called when it has come to rest. */
static void test_ended(void)
{
#define JOB "20261122T132941.123456Z.3f9a1c2b.77d0aa1e"
	static const char *const own[] = { JOB, JOB ".urgent", JOB ".offpeak", JOB "~2",
		JOB ".urgent~12", JOB ".", "by-hand.pacs",
		"20261122T132941.123456Z.3f9a1c2b.pacs" };
	static const char *const ended[][2] = { { JOB ".pacs", JOB }, { JOB ".pacs~2", JOB },
		{ JOB ".urgent.pacs", JOB ".urgent" }, { JOB ".offpeak~2.pacs", JOB ".offpeak~2" },
		{ JOB "~3.pacs", JOB "~3" }, { JOB ".urgently", JOB }, { JOB ".pacs.other", JOB } };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		ok(job_ended(own[i]) == 0, own[i]);
	for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++)
		ok(job_ended(ended[i][0]) == strlen(ended[i][1]), ended[i][0]);
}

static void count(void *context, const struct ledger_line *line)
{
	long *counts = context;

	counts[line->stored ? 0 : line->doubt ? 1 : 2]++;
}

static void test_ledger(int dir)
{
	struct ledger_line line = {
		.target = "pacs", .status = "-", .image = "1.dcm", .text = "so", .tries = 1
	};
	long pacs[3] = { 0 }, all[3] = { 0 };
	int fd;

	ok(ledger_read(dir, "pacs", count, pacs) == 0 && ledger_exists(dir) == 0, "no ledger");
	line.stored = true;
	ok(ledger_append(dir, &line) == 0 && ledger_again(dir, "other") == 0, "a line of each");
	ok(ledger_read(dir, "pacs", count, pacs) == 0 && pacs[0] == 1, "again is the other's");
	ok(ledger_again(dir, "pacs") == 0, "again");
	line.stored = false;
	line.doubt = true;
	ok(ledger_append(dir, &line) == 0, "a doubt");
	line.doubt = false;
	ok(ledger_append(dir, &line) == 0, "a refusal");
	memset(pacs, 0, sizeof(pacs));
	ok(ledger_read(dir, "pacs", count, pacs) == 0 && pacs[0] == 0 && pacs[1] == 1 &&
			pacs[2] == 1,
		"what was before counts for nothing");
	ok(ledger_read(dir, NULL, count, all) == 0 && all[0] == 1 && all[1] == 1 && all[2] == 1,
		"and stays");
	/* what a power failure leaves of the last line */
	fd = openat(dir, "sent.log", O_WRONLY | O_APPEND);
	ok(fd >= 0 && write(fd, "2026\0\0\0\0", 8) == 8 && close(fd) == 0 &&
			ledger_append(dir, &line) == 0,
		"a line behind one that was cut off");
	memset(pacs, 0, sizeof(pacs));
	ok(ledger_read(dir, "pacs", count, pacs) == 0 && pacs[1] == 1 && pacs[2] == 2, "counts");
	ok(ledger_agains(dir, "pacs") == 1 && ledger_agains(dir, "other") == 1, "agains");
}

static void test_files(int dir)
{
	char made[64], *text;
	size_t length;

	ok(disk_write_file(dir, "f", "one", 3) == 0 && disk_write_file(dir, "f", "three", 5) == 0,
		"a file is written and replaced");
	text = disk_read_file(dir, "f", 10, &length);
	ok(text && length == 5 && strcmp(text, "three") == 0, "and read");
	free(text);
	ok(!disk_read_file(dir, "f", 4, NULL) && errno == EFBIG, "not more than is allowed");
	ok(symlinkat("f", dir, "link") == 0 && !disk_read_file(dir, "link", 10, NULL) &&
			errno == ELOOP,
		"no link is followed");
	ok(disk_append(dir, "log", "a\n", 2) == 0 && disk_append(dir, "log", "b\n", 2) == 0,
		"appended");
	text = disk_read_file(dir, "log", 10, NULL);
	ok(text && strcmp(text, "a\nb\n") == 0, "both lines are there");
	free(text);
	ok(disk_append(dir, "cut", "half a li", 9) == 0 &&
			disk_append(dir, "cut", "next\n", 5) == 0,
		"a line after one that was cut off");
	text = disk_read_file(dir, "cut", 100, NULL);
	ok(text && strcmp(text, "half a li\nnext\n") == 0, "is a line of its own");
	free(text);
	ok(disk_rename(dir, "f", dir, "log") < 0 && errno == EEXIST, "nothing is overwritten");
	ok(disk_rename_unique(dir, "f", dir, "log", made, sizeof(made)) == 0 &&
			strcmp(made, "log~2") == 0,
		"another name is found");
	ok(disk_unlink(dir, "none") == 0 && disk_exists(dir, "none") == 0 &&
			disk_exists(dir, "link") == 1,
		"what is not there");
}

/* The child holds the lock until it is killed; the kernel lets it go. */
static void test_locks(int dir)
{
	int fd, pipes[2];
	char byte;
	pid_t pid;

	ok(disk_make_dir(dir, "locked") == 0 && disk_make_dir(dir, "locked") == 0,
		"made, or there already");
	if (pipe(pipes) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		fd = disk_lock_dir(dir, "locked", LOCK_EX);
		if (fd < 0 || write(pipes[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	ok(read(pipes[0], &byte, 1) == 1, "somebody has the lock");
	ok(disk_lock_dir(dir, "locked", LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK,
		"we do not get it");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fd = disk_lock_dir(dir, "locked", LOCK_EX | LOCK_NB);
	ok(fd >= 0, "it died with its process");
	close(fd);
	ok(disk_lock_dir(dir, "none", LOCK_EX) < 0 && errno == ENOENT,
		"what is not there cannot be locked");
	ok(disk_lock_dir(dir, "log", LOCK_EX) < 0 && errno == ENOTDIR, "nor can a file");
}

int main(void)
{
	char folder[] = "/tmp/test_disk.XXXXXX";
	int dir;

	dir = mkdtemp(folder) ? disk_open_dir(AT_FDCWD, folder) : -1;
	if (dir < 0)
		return 1;
	test_names();
	test_numbers();
	test_times();
	test_ended();
	test_ledger(dir);
	test_files(dir);
	test_locks(dir);
	if (fork() == 0)
		execlp("rm", "rm", "-rf", folder, (char *)NULL);
	return tap_done();
}
