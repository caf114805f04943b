/* clock, rest, sorted, memory, text and log: what everybody has one of. */
#define _GNU_SOURCE /* SYS_clock_gettime */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rest.h"
#include "base/sorted.h"
#include "base/str.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long wall_s, passed_s; /* the clock on the wall was set by, and so long has passed */

/* In the C library's place, so that time passes without waiting. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	long result = syscall(SYS_clock_gettime, clock, now);

	now->tv_sec += passed_s + (clock == CLOCK_REALTIME ? wall_s : 0);
	return (int)result;
}

static void test_clock(void)
{
	struct stat st = { .st_mtim = { 5, 6999 }, .st_ctim = { 7, 8000 } };
	int64_t now_us = clock_now_us();

	ok(now_us / 1000000 - time(NULL) <= 1, "now");
	ok(clock_mtime_us(&st) == 5000006 && clock_ctime_us(&st) == 7000008, "a file's times");
	ok(clock_earlier(0, 0) == 0 && clock_earlier(0, 5) == 5 && clock_earlier(5, 0) == 5 &&
			clock_earlier(7, 5) == 5 && clock_earlier(5, 7) == 5,
		"the earlier moment; 0 is never");
	ok(!clock_is_due(0, 10) && clock_is_due(now_us, 10), "never, and now");
	ok(!clock_is_due(now_us + 60000000, 120000000), "in a minute");
	wall_s = -3600;
	ok(clock_is_due(now_us + 60000000, 120000000), "a clock set back makes nothing wait");
	wall_s = 0;
	ok(clock_wall_us(clock_monotonic_ms() + 5000) > clock_now_us() + 4000000 &&
			clock_wall_us(clock_monotonic_ms() - 5000) < clock_now_us() - 4000000,
		"a moment by the clock on the wall");
	ok(clock_left_ms(clock_monotonic_ms() - 1) == 0 &&
			clock_left_ms(clock_monotonic_ms() + 5000) > 4000 &&
			clock_left_ms(INT64_MAX) == INT_MAX,
		"what is left for poll(2)");
}

static void test_rest(void)
{
	struct rest rest = { .length_ms = 30000 };
	char name[32];
	int64_t first_us;
	bool all = true;

	ok(rest_until(&rest, "a", NULL) == 0 && rest_count(&rest, &first_us) == 0 && first_us == 0,
		"nothing rests");
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%d", i * 7919 % 1000);
		all &= rest_add(&rest, name, "target") == 0;
	}
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		all &= rest_until(&rest, name, "target") > clock_now_us() + 29000000;
	}
	ok(all && rest_count(&rest, NULL) == 1000, "a thousand things rest");
	ok(rest_until(&rest, "1000", "target") == 0 && rest_until(&rest, "7", "other") == 0 &&
			rest_until(&rest, "7", NULL) == 0,
		"and nothing else does");
	wall_s = -3600;
	ok(rest_until(&rest, "7", "target") <= clock_now_us() + 30000000,
		"a clock set back makes no rest longer");
	wall_s = 0;
	passed_s = 20;
	ok(rest_add(&rest, "7", "target") == 0 && rest_add(&rest, "late", NULL) == 0 &&
			rest_count(&rest, &first_us) == 1001 && first_us > clock_now_us() &&
			first_us <= clock_now_us() + 10000000,
		"the first of them will have rested");
	passed_s = 40;
	ok(rest_until(&rest, "8", "target") == 0 && rest_until(&rest, "7", "target") > 0 &&
			rest_count(&rest, NULL) == 2,
		"what has rested; what failed again");
	ok(rest_add(&rest, "8", "target") == 0 && rest.count == 3, "it is forgotten");
	passed_s = 0;
	rest_free(&rest);
}

struct number {
	struct sorted_node node;
	int value;
};

static int by_value(const struct sorted_node *a, const struct sorted_node *b)
{
	return SORTED_OF(a, struct number, node)->value - SORTED_OF(b, struct number, node)->value;
}

/* Are exactly those in it that this step leaves, in order? */
static bool has_each(const struct sorted *set, int from, int to, int step)
{
	struct sorted_node *at = sorted_first(set);

	for (int value = from; value < to; value += step) {
		struct number key = { .value = value };

		if (!at || SORTED_OF(at, struct number, node)->value != value ||
			sorted_find(set, &key.node) != at)
			return false;
		at = sorted_after(set, &key.node);
	}
	return !at;
}

static void test_sorted(void)
{
	enum { MANY = 5000 };
	static struct number number[MANY];
	struct sorted set = { .compare = by_value };
	struct number key = { .value = 2 };

	ok(!sorted_first(&set) && !sorted_find(&set, &key.node) && !sorted_after(&set, &key.node),
		"an empty set");
	for (int i = 0; i < MANY; i++) {
		number[i].value = i * 7919 % MANY;
		sorted_put(&set, &number[i].node);
	}
	ok(set.count == MANY && has_each(&set, 0, MANY, 1), "whatever the order of what comes");
	for (int i = 0; i < MANY; i++)
		if (number[i].value % 2 == 0)
			sorted_take(&set, &number[i].node);
	ok(set.count == MANY / 2 && has_each(&set, 1, MANY, 2), "every second is taken out");
	ok(!sorted_find(&set, &key.node) && sorted_from(&set, &key.node) &&
			SORTED_OF(sorted_from(&set, &key.node), struct number, node)->value == 3,
		"the first that is not before one that is out");
	for (int i = 0; i < MANY; i++)
		if (number[i].value % 2 == 0)
			sorted_put(&set, &number[i].node);
	ok(has_each(&set, 0, MANY, 1), "and in again");
	while (set.root)
		sorted_take(&set, set.root);
	ok(set.count == 0, "all are taken");
}

static void test_memory(void)
{
	struct buf text = { 0 }, content = { 0 };
	char path[MEMORY_PATH_SIZE], byte;
	int fd = memory_file("test", "abc", 3, false), other;

	memory_path(fd, path);
	other = open(path, O_RDONLY | O_CLOEXEC);
	ok(fd >= 0 && other >= 0 && read(fd, &byte, 1) == 1 && byte == 'a',
		"a file of memory, to be read from its beginning");
	ok(memory_read(other, &text) == 0 && strcmp(text.data, "abc") == 0,
		"all of it, by its path");
	ok(fcntl(fd, F_GETFD) == FD_CLOEXEC, "not inherited");
	(void)close(fd);
	buf_free(&text);
	fd = memory_file("test", NULL, 0, true);
	ok(fd >= 0 && fcntl(fd, F_GETFD) == 0, "inherited, and empty");
	ok(memory_read(fd, &text) == 0 && text.length == 0, "nothing is read");
	(void)close(fd);
	buf_puts(&content, "xy");
	fd = memory_buf("test", &content, false);
	ok(fd >= 0 && !content.data && memory_read(fd, &text) == 0 && text.length == 2,
		"of a buffer");
	(void)close(fd);
	buf_free(&text);
	content.failed = true;
	ok(memory_buf("test", &content, false) < 0 && errno == ENOMEM, "of one that has failed");
}

static void test_text(void)
{
	char text[] = "a\tb\n\x7f\xc3\xa4\xff", c1[] = "\xc2\x80\xc2\x9f\xc2\xa0\xc2";

	ok(text_has_control(text) && !text_has_control("a b\xc3\xa4\xc2\xa0") &&
			text_has_control("\x7f") && text_has_control("\xc2\x9b"),
		"control characters are seen");
	text_clean(text);
	ok(strcmp(text, "a b  \xc3\xa4?") == 0, "one line of UTF-8");
	text_clean(c1);
	ok(strcmp(c1, "    \xc2\xa0?") == 0, "C1 control characters become blanks");
}

/* With this descriptor closed: 0 when it is /dev/null afterwards and fails as a closed one. */
static int start_without(int fd)
{
	struct stat st;
	char byte = 'x';

	(void)close(fd);
	log_open("test");
	if (fstat(fd, &st) < 0 || st.st_rdev != makedev(1, 3))
		return 1;
	if (fd == 0 && read(fd, &byte, 1) >= 0)
		return 2;
	if (fd == 1 && write(fd, &byte, 1) >= 0)
		return 3;
	return open("/", O_RDONLY | O_CLOEXEC) > STDERR_FILENO ? 0 : 4;
}

static void test_standard_descriptors(void)
{
	int status = 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(start_without(fd));
		ok(waitpid(pid, &status, 0) == pid && status == 0,
			"a closed standard descriptor is taken");
	}
}

/* A program that ends with 100 stays down: what may pass is never that. */
static void test_failure_code(void)
{
	static const int pass[] = { EMFILE, ENFILE, ENOMEM, EIO, EACCES, ENOSPC, EAGAIN, EROFS };

	ok(failure_code(ENOENT) == EXIT_PERMANENT && failure_code(ELOOP) == EXIT_PERMANENT,
		"what only a person can mend is permanent");
	for (size_t i = 0; i < sizeof(pass) / sizeof(pass[0]); i++)
		ok(failure_code(pass[i]) == EXIT_TEMPORARY, "what may pass is temporary");
}

/* What a full disk does not take is told. */
static void test_output(void)
{
	int status = 0, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	pid_t pid = fork();

	if (pid == 0) {
		(void)dup2(full, STDOUT_FILENO);
		(void)dup2(full, STDERR_FILENO); /* TAP has enough lines */
		(void)setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
		(void)printf("lost\n");
		output_flush();
		_exit(0);
	}
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			WEXITSTATUS(status) == EXIT_TEMPORARY,
		"output that cannot be written");
	(void)close(full);
}

int main(void)
{
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	test_clock();
	test_rest();
	test_sorted();
	test_memory();
	test_text();
	test_standard_descriptors();
	test_failure_code();
	test_output();
	return tap_done();
}
