#define _GNU_SOURCE /* fallocate */
#include "spool/ledger.h"

#include "base/disk.h"
#include "base/str.h"
#include "spool/file.h"
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEDGER_MAX = 1 << 28, ANSWER_BYTES = 400 };
enum { TIME, TARGET, RESULT, STATUS, IMAGE, TRY, TEXT, FIELDS };

static const char stored[] = "stored", failed[] = "failed", never[] = "never", doubt[] = "doubt",
		  again[] = "again";

/* Cuts line at its tabs. Returns whether it has exactly FIELDS fields. */
static bool split(char *line, char *field[FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		char *tab = strchr(line, '\t');

		field[i] = line;
		if (!tab != (i == FIELDS - 1))
			return false;
		if (tab) {
			*tab = '\0';
			line = tab + 1;
		}
	}
	return true;
}

/* Is this line, of length bytes, the target's "again"? */
static bool is_again(const char *line, size_t length, const char *target)
{
	const char *end = line + length, *name = memchr(line, '\t', length), *word;

	word = name ? memchr(name + 1, '\t', (size_t)(end - name - 1)) : NULL;
	return word && (size_t)(word - name - 1) == strlen(target) &&
	       strncmp(name + 1, target, strlen(target)) == 0 &&
	       (size_t)(end - word - 1) == strlen(again) &&
	       strncmp(word + 1, again, strlen(again)) == 0;
}

/* What counts for the target begins behind its last "again". */
static char *begin_of(char *text, const char *target)
{
	char *begin = text, *end;

	for (char *at = text; target && (end = strchr(at, '\n')); at = end + 1)
		if (is_again(at, (size_t)(end - at), target))
			begin = end + 1;
	return begin;
}

int ledger_read(int job, const char *target, ledger_take *take, void *context)
{
	char *text = disk_read_file(job, file_name(FILE_LEDGER), LEDGER_MAX, NULL), *end;
	char *field[FIELDS];

	if (!text)
		return errno == ENOENT ? 0 : -1;
	for (char *at = begin_of(text, target); (end = strchr(at, '\n')); at = end + 1) {
		struct ledger_line line = { 0 };

		*end = '\0';
		if (!split(at, field) || (target && strcmp(field[TARGET], target) != 0) ||
			parse_long(field[TRY], 0, LONG_MAX, &line.tries) < 0)
			continue;
		line.time = field[TIME];
		line.target = field[TARGET];
		line.stored = strcmp(field[RESULT], stored) == 0;
		line.never = strcmp(field[RESULT], never) == 0;
		line.doubt = strcmp(field[RESULT], doubt) == 0;
		line.status = field[STATUS];
		line.image = field[IMAGE];
		line.text = field[TEXT];
		take(context, &line);
	}
	free(text);
	return 0;
}

int ledger_agains(int job, const char *target)
{
	char *text = disk_read_file(job, file_name(FILE_LEDGER), LEDGER_MAX, NULL), *end;
	int count = 0;

	if (!text)
		return errno == ENOENT ? 0 : -1;
	for (char *at = text; (end = strchr(at, '\n')); at = end + 1)
		count += is_again(at, (size_t)(end - at), target);
	free(text);
	return count;
}

int ledger_exists(int job)
{
	return file_exists(job, FILE_LEDGER);
}

static int append(int job, struct buf *text)
{
	int result = -1;

	if (text->failed)
		errno = ENOMEM;
	else
		result = disk_append(job, file_name(FILE_LEDGER), text->data, text->length);
	buf_free(text);
	return result;
}

int ledger_append(int job, const struct ledger_line *line)
{
	char stamp[SPOOL_STAMP_SIZE];
	struct buf text = { 0 };

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	buf_printf(&text, "%s\t%s\t%s\t%s\t%s\t%ld\t%s\n", stamp, line->target,
		line->stored  ? stored
		: line->never ? never
		: line->doubt ? doubt
			      : failed,
		line->status, line->image, line->tries, line->text);
	return append(job, &text);
}

int ledger_again(int job, const char *target)
{
	char stamp[SPOOL_STAMP_SIZE];
	struct buf text = { 0 };

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	buf_printf(&text, "%s\t%s\t%s\n", stamp, target, again);
	return append(job, &text);
}

int ledger_reserve(int job, size_t answers)
{
	int fd = openat(
		job, file_name(FILE_LEDGER), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
	int result = -1, saved;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0)
		result = fallocate(
			fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)answers * ANSWER_BYTES);
	if (result < 0 && errno == EOPNOTSUPP)
		result = 0; /* a file system that cannot promise room */
	saved = errno;
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	errno = saved;
	return result;
}

int ledger_sync(int job)
{
	int fd = openat(job, file_name(FILE_LEDGER), O_RDWR | O_NOFOLLOW | O_CLOEXEC), result;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	result = fstat(fd, &st) < 0 || ftruncate(fd, st.st_size) < 0 ? -1 : fsync(fd);
	(void)close(fd); /* only synced */
	return result;
}
