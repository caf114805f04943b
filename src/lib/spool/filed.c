#include "spool/filed.h"

#include "base/disk.h"
#include "base/str.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BOOT = 8, OPEN_MAX_BATCHES = 8, FILE_MAX = 1 << 30 };

/* A batch's file that is open. While it is, no other has its number. */
struct appended {
	struct stat st;
	int fd;
};

/* Which boot this is, in digits. */
static int this_boot(char boot[BOOT + 1])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC), saved;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, boot, BOOT);
	saved = n < 0 ? errno : EIO;
	(void)close(fd); /* only read */
	if (n != BOOT) {
		errno = saved;
		return -1;
	}
	boot[BOOT] = '\0';
	return 0;
}

static int open_file(int batch, struct appended *file)
{
	int fd = openat(batch, file_name(FILE_FILED),
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);

	if (fd >= 0 && fstat(fd, &file->st) < 0)
		return disk_close(fd, -1);
	file->fd = fd;
	return fd < 0 ? -1 : 0;
}

/* The batch's file, open for appending; it stays open until others have taken its place. */
static int append_to(int batch)
{
	static struct appended files[OPEN_MAX_BATCHES];
	static size_t used, next;
	struct appended new;
	struct stat st;

	if (fstatat(batch, file_name(FILE_FILED), &st, AT_SYMLINK_NOFOLLOW) == 0)
		for (size_t i = 0; i < used; i++)
			if (disk_same_file(&files[i].st, &st))
				return files[i].fd;
	if (open_file(batch, &new) < 0)
		return -1;
	if (used == OPEN_MAX_BATCHES)
		(void)close(files[next].fd); /* each write has been checked */
	else
		used++;
	files[next] = new;
	next = (next + 1) % OPEN_MAX_BATCHES;
	return new.fd;
}

/* size: as text. */
static int add(int batch, const char *name, const char *size, const char *association)
{
	static char boot[BOOT + 1]; /* does not change while we live */
	char line[BOOT + 32 + 2 * NAME_MAX];
	int length, fd;
	ssize_t n;

	if (!*boot && this_boot(boot) < 0)
		return -1;
	fd = append_to(batch);
	if (fd < 0)
		return -1;
	length = snprintf(line, sizeof(line), "%s %s %s %s\n", boot, size, name,
		association); /* name_ok(): fits */
	do
		n = write(fd, line, (size_t)length);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && n < length) {
		(void)write(
			fd, "\n", 1); /* else the next line is lost, too: that image is walked */
		errno = ENOSPC;
		return -1;
	}
	return n < 0 ? -1 : 0;
}

int filed_add(int batch, const char *name, off_t size, const char *association)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%lld", (long long)size);
	return add(batch, name, digits, association);
}

int filed_take_back(int batch, const char *name, const char *association)
{
	return add(batch, name, "-1", association);
}

/* Takes a line apart, in place; false when it is none: the disk was full, or the power went. */
static bool parse(char *text, const char *boot, struct filed_line *line)
{
	char *end, *blank;

	if (strlen(text) <= BOOT || text[BOOT] != ' ' ||
		((text[BOOT + 1] < '0' || text[BOOT + 1] > '9') &&
			strncmp(text + BOOT + 1, "-1 ", 3) != 0))
		return false;
	errno = 0;
	line->size = strtoll(text + BOOT + 1, &end, 10);
	line->name = end + 1;
	if (errno != 0 || *end != ' ')
		return false;
	blank = strchr(line->name, ' ');
	line->association = blank ? blank + 1 : "";
	if (blank)
		*blank = '\0';
	line->now = strncmp(text, boot, BOOT) == 0;
	return name_ok(line->name) && (!blank || name_ok(line->association));
}

static int by_name(const void *a, const void *b)
{
	const struct filed_line *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	return order ? order : (left->at > right->at) - (left->at < right->at);
}

/* Has the association that wrote this one of a name's lines taken it back? */
static bool is_taken_back(const struct filed_line *line, const struct filed_line *end)
{
	for (const struct filed_line *later = line; later < end; later++)
		if (later->size < 0 && strcmp(later->association, line->association) == 0)
			return true;
	return false;
}

/* The lines of a name, in the order of writing: the one that counts; NULL: none. */
static const struct filed_line *last_of(const struct filed_line *line, const struct filed_line *end)
{
	for (const struct filed_line *last = end; last > line; last--)
		if (!is_taken_back(last - 1, end))
			return last - 1;
	return NULL;
}

static void keep_last_of_each(struct filed *f)
{
	const struct filed_line *last;
	size_t kept = 0, end;

	qsort(f->line, f->count, sizeof(*f->line), by_name);
	for (size_t i = 0; i < f->count; i = end) {
		for (end = i + 1; end < f->count; end++)
			if (strcmp(f->line[i].name, f->line[end].name) != 0)
				break;
		last = last_of(f->line + i, f->line + end);
		if (last)
			f->line[kept++] = *last;
	}
	f->count = kept;
}

int filed_load(int batch, struct filed *f)
{
	char boot[BOOT + 1], *rest, *text;
	size_t lines = 0;

	*f = (struct filed){ 0 };
	if (this_boot(boot) < 0)
		return -1;
	f->text = disk_read_lines(batch, file_name(FILE_FILED), FILE_MAX);
	if (!f->text)
		return errno == ENOENT ? 0 : -1;
	for (const char *p = f->text; (p = strchr(p, '\n')); p++)
		lines++;
	f->line = calloc(lines + 1, sizeof(*f->line));
	if (!f->line) {
		filed_free(f);
		errno = ENOMEM;
		return -1;
	}
	for (text = f->text; (rest = strchr(text, '\n')); text = rest + 1) {
		*rest = '\0';
		f->line[f->count].at = f->count;
		f->count += parse(text, boot, &f->line[f->count]);
	}
	keep_last_of_each(f);
	return 0;
}

void filed_free(struct filed *f)
{
	free(f->line);
	free(f->text);
	*f = (struct filed){ 0 };
}

static int to_line(const void *name, const void *line)
{
	return strcmp(name, ((const struct filed_line *)line)->name);
}

const struct filed_line *filed_find(const struct filed *f, const char *name)
{
	return f->count ? bsearch(name, f->line, f->count, sizeof(*f->line), to_line) : NULL;
}

enum filed_word filed_word(const struct filed *f, const char *name, off_t size)
{
	const struct filed_line *line = filed_find(f, name);

	if (!line)
		return FILED_NOT;
	return line->now && line->size == (long long)size ? FILED_BELIEVED : FILED_DOUBTED;
}

int filed_tail_open(struct filed_tail *tail, int batch)
{
	*tail = (struct filed_tail){ .fd = -1 };
	if (this_boot(tail->boot) < 0)
		return -1;
	tail->fd = openat(
		batch, file_name(FILE_FILED), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	return tail->fd >= 0 || errno == ENOENT ? 0 : -1;
}

/* The whole lines of a text, which is cut at its newlines; *used: their length. */
static int take_lines(char *text, const char *boot, filed_take *take, void *context, size_t *used)
{
	char *line = text, *end;
	int result = 0;

	for (; result == 0 && (end = strchr(line, '\n')); line = end + 1) {
		struct filed_line one;

		*end = '\0';
		if (parse(line, boot, &one) && one.now)
			result = take(context, one.name, (off_t)one.size);
	}
	*used = (size_t)(line - text);
	return result;
}

int filed_tail_read(struct filed_tail *tail, filed_take *take, void *context)
{
	char text[16384];
	size_t used = 1;
	int result = 0;
	ssize_t n;

	while (tail->fd >= 0 && result == 0 && used > 0) {
		n = pread(tail->fd, text, sizeof(text) - 1, tail->at);
		if (n <= 0)
			return n < 0 && errno != EINTR ? -1 : 0;
		text[n] = '\0';
		result = take_lines(text, tail->boot, take, context, &used);
		tail->at += (off_t)used;
	}
	return result;
}

void filed_tail_close(struct filed_tail *tail)
{
	if (tail->fd >= 0)
		(void)close(tail->fd); /* only read */
	tail->fd = -1;
}
