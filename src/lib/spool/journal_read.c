#include "spool/journal_read.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/str.h"
#include "spool/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY_LENGTH = sizeof("2026-11-22") - 1 };
/* Seeking ends when so few bytes are left to choose from; lines of one moment may be so far from
 * each other, as several programs write. */
enum { NEAR = 1 << 16, LINE = 1 << 12, APART_US = 60000000 };

void journal_reader_open(
	struct journal_reader *reader, const struct spool *spool, int64_t from_us, int64_t until_us)
{
	*reader =
		(struct journal_reader){ .spool = spool, .from_us = from_us, .until_us = until_us };
}

static void close_stream(struct journal_reader *reader)
{
	if (reader->stream)
		(void)fclose(reader->stream); /* only read */
	reader->stream = NULL;
}

void journal_reader_close(struct journal_reader *reader)
{
	close_stream(reader);
	free(reader->text);
	reader->text = NULL;
}

/* "2026-11-22", UTC, as the files are called. */
static void day_of(int64_t time_us, char day[DAY_LENGTH + 1])
{
	char stamp[SPOOL_STAMP_SIZE];

	spool_stamp(time_us, stamp, sizeof(stamp));
	(void)snprintf(day, DAY_LENGTH + 1, "%.4s-%.2s-%.2s", stamp, stamp + 4, stamp + 6);
}

static bool is_wanted(const struct journal_reader *reader, const char *name)
{
	char day[DAY_LENGTH + 1];

	if (!journal_is_file(name) || strlen(name) != JOURNAL_FILE_SIZE - 1)
		return false;
	day_of(reader->from_us, day);
	if (strncmp(name, day, DAY_LENGTH) < 0)
		return false;
	day_of(reader->until_us, day);
	return reader->until_us == 0 || strncmp(name, day, DAY_LENGTH) <= 0;
}

/* The first file of the range behind the one that is read. 1, 0: there is none, -1 with errno. */
static int next_file(const struct journal_reader *reader, char file[JOURNAL_FILE_SIZE])
{
	struct disk_names names;
	int found = 0;

	if (disk_list(reader->spool->dir[SPOOL_JOURNAL], ".", &names) < 0)
		return -1;
	for (size_t i = 0; !found && i < names.count; i++) {
		found = strcmp(names.name[i], reader->file) > 0 && is_wanted(reader, names.name[i]);
		if (found)
			(void)snprintf(file, JOURNAL_FILE_SIZE, "%s", names.name[i]);
	}
	disk_names_free(&names);
	return found;
}

/* Opens the reader's file where it was left. 1; 0: somebody has taken it away, -1 with errno. */
static int open_stream(struct journal_reader *reader)
{
	int fd = openat(
		reader->spool->dir[SPOOL_JOURNAL], reader->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	reader->stream = fdopen(fd, "r");
	if (!reader->stream) {
		(void)close(fd); /* nothing was read */
		return -1;
	}
	return fseeko(reader->stream, reader->offset, SEEK_SET) < 0 ? -1 : 1;
}

/* Is what is open still the file of its name, and as long as we know it? Else it was put aside, or
 * cut off by whoever keeps the logs of a host: what is there now is read from its beginning. 1: it
 * is, 0: not, -1 with errno. */
static int is_the_file(struct journal_reader *reader)
{
	struct stat named, open;

	if (fstatat(reader->spool->dir[SPOOL_JOURNAL], reader->file, &named, AT_SYMLINK_NOFOLLOW) <
		0)
		return errno == ENOENT ? 1 : -1; /* there is no other */
	if (fstat(fileno(reader->stream), &open) < 0)
		return -1;
	if (disk_same_file(&named, &open) && named.st_size >= reader->offset)
		return 1;
	close_stream(reader);
	reader->offset = 0;
	return 0;
}

/* The next line of the open stream in reader->text. last: also one without its end. 1, 0, -1 with
 * errno. */
static int take_line(struct journal_reader *reader, bool last)
{
	ssize_t length;

	errno = 0;
	length = getline(&reader->text, &reader->size, reader->stream);
	if (length < 0 && !feof(reader->stream))
		return -1;
	if (length > 0 && (last || reader->text[length - 1] == '\n')) {
		reader->length = (size_t)length;
		reader->offset += length;
		return 1;
	}
	clearerr(reader->stream);
	return fseeko(reader->stream, reader->offset, SEEK_SET) < 0 ? -1 : 0;
}

/* The same of the reader's file. */
static int take_text(struct journal_reader *reader, bool last)
{
	int found, same;

	for (;;) {
		found = reader->stream ? 1 : open_stream(reader);
		if (found > 0)
			found = take_line(reader, last);
		if (found != 0 || !reader->stream)
			return found;
		same = is_the_file(reader);
		if (same != 0)
			return same < 0 ? -1 : 0;
	}
}

/* The next line of any file. */
static int next_text(struct journal_reader *reader)
{
	char file[JOURNAL_FILE_SIZE];
	int found = *reader->file ? take_text(reader, false) : 0, another;

	while (found == 0) {
		another = next_file(reader, file);
		/* looked at once more: whoever began the next day's may have written here before */
		if (another > 0 && *reader->file)
			found = take_text(reader, true);
		if (another <= 0 || found != 0)
			return another <= 0 ? another : found;
		close_stream(reader);
		memcpy(reader->file, file, sizeof(file));
		reader->offset = 0;
		found = take_text(reader, false);
	}
	return found;
}

static int64_t time_of(const char *text)
{
	char stamp[SPOOL_RFC3339_SIZE];

	if (strlen(text) != strlen("2026-11-22T14:03:01.123456Z"))
		return spool_stamp_time(text); /* as it was written before RFC 3339 */
	(void)snprintf(stamp, sizeof(stamp), "%.4s%.2s%.2sT%.2s%.2s%s", text, text + 5, text + 8,
		text + 11, text + 14, text + 17);
	return spool_stamp_time(stamp);
}

/* The time in a line that may be of any form; -1: it cannot be told. */
static int64_t time_in(const char *text)
{
	static const char key[] = "\"time\":\"";
	const char *time = strstr(text, key);
	char copy[SPOOL_RFC3339_SIZE];

	if (!time)
		return -1;
	time += sizeof(key) - 1;
	(void)snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(time, "\""), time);
	return time_of(copy);
}

/* The first line that begins behind at: its place in *begin, its time; -1: not known. */
static int64_t time_behind(int fd, off_t at, off_t *begin)
{
	char text[LINE + 1], *line;
	ssize_t n = pread(fd, text, LINE, at);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	line = strchr(text, '\n');
	if (!line)
		return -1;
	*begin = at + (line + 1 - text);
	return time_in(line + 1);
}

int journal_reader_seek(struct journal_reader *reader)
{
	off_t low = 0, high, begin = 0, middle;
	char day[DAY_LENGTH + 1];
	struct stat st;
	int64_t time_us;
	int fd;

	day_of(reader->from_us, day);
	(void)snprintf(reader->file, sizeof(reader->file), "%s.jsonl", day);
	fd = openat(
		reader->spool->dir[SPOOL_JOURNAL], reader->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		*reader->file = '\0'; /* the first there is */
		return errno == ENOENT ? 0 : -1;
	}
	if (fstat(fd, &st) < 0)
		return disk_close(fd, -1);
	for (high = st.st_size; high - low > NEAR;) {
		middle = low + (high - low) / 2;
		time_us = time_behind(fd, middle, &begin);
		if (time_us >= 0 && time_us < reader->from_us - APART_US)
			low = reader->offset = begin;
		else
			high = middle;
	}
	return disk_close(fd, 0);
}

static bool is_one_of(const char *text, const char *const *events)
{
	static const char key[] = "\"event\":\"";
	const char *event = strstr(text, key);
	size_t length;

	if (!event)
		return true; /* not as we write it */
	event += sizeof(key) - 1;
	length = strcspn(event, "\"");
	for (; *events; events++)
		if (strlen(*events) == length && memcmp(*events, event, length) == 0)
			return true;
	return false;
}

int journal_reader_next(struct journal_reader *reader, json_t **line)
{
	json_error_t error;
	int64_t time_us;
	int found;

	while ((found = next_text(reader)) > 0) {
		if (reader->length == 1)
			continue; /* an empty one: what a crash had cut off was ended there */
		if (reader->only && !is_one_of(reader->text, reader->only))
			continue;
		*line = json_loadb(reader->text, reader->length, JSON_REJECT_DUPLICATES, &error);
		if (!*line && json_error_code(&error) == json_error_out_of_memory) {
			reader->offset -= (off_t)reader->length; /* to be read again */
			close_stream(reader);
			errno = ENOMEM;
			return -1;
		}
		time_us = journal_time_us(*line);
		if (!json_is_object(*line) || time_us < 0)
			reader->skipped++;
		else if (time_us >= reader->from_us &&
			 (reader->until_us == 0 || time_us < reader->until_us))
			return 1;
		json_decref(*line);
	}
	*line = NULL;
	return found;
}

const char *journal_text(const json_t *line, const char *key)
{
	return jsonfile_text(line, key);
}

long journal_number(const json_t *line, const char *key)
{
	long value = 0;

	return parse_long(journal_text(line, key), 0, LONG_MAX, &value) < 0 ? 0 : value;
}

int64_t journal_time_us(const json_t *line)
{
	return time_of(journal_text(line, "time"));
}
