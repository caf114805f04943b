#define _GNU_SOURCE
#include "correct.h"

#include "base/disk.h"
#include "base/str.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* PS3.10 7.1: preamble, "DICM", then group 0002 in explicit little endian, its length first.
 * storescp's is some 300 bytes, in this order; META_MAX is beyond what UIDs and AE titles can make
 * of it. */
enum {
	PREAMBLE = 128,
	GROUP_LENGTH = PREAMBLE + 4, /* where this element is */
	META = GROUP_LENGTH + 12,    /* and what it counts from */
	META_MAX = 4096,
	GROUP = 0x0002,
	TRANSFER_SYNTAX = 0x0010,
	UID_MAX = 64,
};

static const unsigned char group_length_head[] = { 2, 0, 0, 0, 'U', 'L', 4, 0 };

struct meta {
	unsigned char data[META_MAX];
	size_t end;                  /* where the data set begins */
	size_t element, element_end; /* the transfer syntax, with tag, VR and length */
	char uid[UID_MAX + 1];
};

static size_t number(const unsigned char *p, int bytes)
{
	size_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | p[bytes];
	return n;
}

/* The length of tag, VR and length of the element at p (PS3.5 7.1.2), and of its value. */
static size_t head_length(const unsigned char *p, size_t *value)
{
	static const char *const wide[] = { "OB", "OW", "UN", "UT" };

	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (memcmp(p + 4, wide[i], 2) == 0) {
			*value = number(p + 8, 4);
			return 12;
		}
	*value = number(p + 6, 2);
	return 8;
}

static void take_uid(struct meta *m, const unsigned char *value, size_t length)
{
	while (length > 0 && (value[length - 1] == '\0' || value[length - 1] == ' '))
		length--;
	if (length <= UID_MAX) {
		memcpy(m->uid, value, length);
		m->uid[length] = '\0';
	}
}

/* Finds the transfer syntax in the first got bytes of a file. False when there is none. */
static bool find_syntax(struct meta *m, size_t got)
{
	size_t at = META, head, value;

	m->uid[0] = '\0';
	if (got < META + 12 || memcmp(m->data + PREAMBLE, "DICM", 4) != 0 ||
		memcmp(m->data + GROUP_LENGTH, group_length_head, sizeof(group_length_head)) != 0)
		return false;
	m->end = META + number(m->data + GROUP_LENGTH + sizeof(group_length_head), 4);
	if (m->end > got)
		return false;
	for (; m->end - at >= 12; at += head + value) {
		head = head_length(m->data + at, &value);
		if (value > m->end - at - head)
			return false;
		if (number(m->data + at, 2) == GROUP &&
			number(m->data + at + 2, 2) == TRANSFER_SYNTAX) {
			m->element = at;
			m->element_end = at + head + value;
			take_uid(m, m->data + at + head, value);
			break;
		}
	}
	return m->uid[0];
}

/* The bytes before the data set, with this transfer syntax. */
static void make_head(const struct meta *m, const char *real, struct buf *out)
{
	const size_t length = strlen(real), padded = length + length % 2;
	const unsigned char element[] = { GROUP, 0, TRANSFER_SYNTAX, 0, 'U', 'I',
		(unsigned char)padded, 0 };
	size_t count;

	buf_add(out, m->data, m->element);
	buf_add(out, element, sizeof(element));
	buf_add(out, real, padded); /* its NUL pads it (PS3.5 9.1) */
	buf_add(out, m->data + m->element_end, m->end - m->element_end);
	count = out->length - META;
	for (size_t i = 0; !out->failed && i < 4; i++)
		out->data[GROUP_LENGTH + sizeof(group_length_head) + i] = (char)(count >> (8 * i));
}

/* The file's times are those of its arrival, also of the copy. */
static int write_copy(int from, size_t end, const struct buf *head, int dir)
{
	struct stat st;
	int fd = -1, result = -1;

	if (fstat(from, &st) < 0 || file_remove(dir, FILE_CORRECTED) < 0)
		return -1;
	fd = openat(dir, file_name(FILE_CORRECTED),
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, st.st_mode & 0777);
	if (fd < 0)
		return -1;
	if (disk_write_all(fd, head->data, head->length) == 0 &&
		disk_copy(from, (off_t)end, fd) == 0)
		result = futimens(fd, (const struct timespec[]){ st.st_atim, st.st_mtim });
	return disk_close(fd, result);
}

static int replace(const struct meta *m, const char *real, int from, int dir, const char *name)
{
	struct buf head = { 0 };
	int result = -1, saved;

	make_head(m, real, &head);
	if (head.failed)
		errno = ENOMEM;
	else if (write_copy(from, m->end, &head, dir) == 0)
		result = renameat(dir, file_name(FILE_CORRECTED), dir, name); /* commits */
	saved = errno;
	if (result < 0)
		(void)file_remove(
			dir, FILE_CORRECTED); /* room on a full disk; else the next one does */
	buf_free(&head);
	errno = saved;
	return result;
}

int correct_syntax(const json_t *stand_ins, int dir, const char *name)
{
	struct meta m;
	const char *real;
	int fd, result = -1, saved;
	ssize_t got;

	if (!stand_ins)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) /* what it cannot open either filing_file() quarantines */
		return errno == ELOOP || errno == EACCES || errno == ENXIO ? 0 : -1;
	got = pread(fd, m.data, sizeof(m.data), 0);
	if (got < 0)
		goto out;
	result = 0;
	if (!find_syntax(&m, (size_t)got))
		goto out;
	real = json_string_value(json_object_get(stand_ins, m.uid));
	if (real && strlen(real) <= UID_MAX)
		result = replace(&m, real, fd, dir, name);
out:
	saved = errno;
	(void)close(fd); /* only read */
	errno = saved;
	return result;
}
