/*
 * part10: opens a DICOM file and finds where its data set begins (PS3.10 7.1), for the suite's
 * tools.
 *
 * The file is mapped, the data set is not looked at. A file without "DICM" at 128 is taken as a
 * bare data set: meta is false and the UIDs are "". Broken meta headers are read as far as they go.
 */
#ifndef PART10_H
#define PART10_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct part10 {
	void *map;
	size_t size;
	const uint8_t *data; /* the data set, length bytes of it */
	size_t length;
	bool meta;
	char *sop_class, *sop_instance, *syntax;
};

static inline uint32_t part10_number(const uint8_t *p, int bytes)
{
	uint32_t n = 0;

	for (int i = 0; i < bytes; i++)
		n |= (uint32_t)p[i] << 8 * i;
	return n;
}

/* A UID without its padding; the caller frees. */
static inline char *part10_uid(const uint8_t *value, size_t length)
{
	while (length && (value[length - 1] == '\0' || value[length - 1] == ' '))
		length--;
	return strndup((const char *)value, length);
}

/* Reads one element of group 0002 at p, explicit little endian. Returns its size, 0 when there is
 * none. Asked for UIDs are put into file. */
static inline size_t part10_element(struct part10 *file, const uint8_t *p, size_t left)
{
	struct {
		uint32_t element;
		char **uid;
	} wanted[] = { { 2, &file->sop_class }, { 3, &file->sop_instance },
		{ 0x10, &file->syntax } };
	size_t head, length;

	if (left < 8 || part10_number(p, 2) != 2)
		return 0;
	head = memcmp(p + 4, "OB", 2) ? 8 : 12;
	if (left < head)
		return 0;
	length = head == 8 ? part10_number(p + 6, 2) : part10_number(p + 8, 4);
	if (length > left - head)
		return 0;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (part10_number(p + 2, 2) == wanted[i].element && !*wanted[i].uid)
			*wanted[i].uid = part10_uid(p + head, length);
	return head + length;
}

static inline void part10_close(struct part10 *file)
{
	if (file->map)
		(void)munmap(file->map, file->size); /* our own mapping: cannot fail */
	free(file->sop_class);
	free(file->sop_instance);
	free(file->syntax);
	*file = (struct part10){ 0 };
}

/* The group length, when there, decides where the data set begins: a deflated one may begin with
 * bytes that look like group 0002. */
static inline void part10_parse(struct part10 *file)
{
	const uint8_t *begin = file->map, *p = begin, *end = begin + file->size;
	size_t n;

	if (file->size >= 132 && !memcmp(begin + 128, "DICM", 4)) {
		file->meta = true;
		p += 132;
		if (end - p >= 12 && !memcmp(p, "\2\0\0\0UL\4", 8) &&
			part10_number(p + 8, 4) <= (size_t)(end - p) - 12)
			end = p + 12 + part10_number(p + 8, 4);
		while ((n = part10_element(file, p, (size_t)(end - p))))
			p += n;
	}
	file->data = p;
	file->length = file->size - (size_t)(p - begin);
}

static inline int part10_default(char **uid)
{
	if (!*uid)
		*uid = strdup("");
	return *uid ? 0 : -1;
}

/* Returns 0, or -1 with errno. part10_close() in both cases. */
static inline int part10_open(struct part10 *file, const char *path)
{
	struct stat st;
	int result = -1, fd;

	*file = (struct part10){ 0 };
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st))
		goto out;
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		errno = EINVAL;
		goto out;
	}
	file->size = (size_t)st.st_size;
	file->map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file->map == MAP_FAILED) {
		file->map = NULL;
		goto out;
	}
	part10_parse(file);
	if (!part10_default(&file->sop_class) && !part10_default(&file->sop_instance) &&
		!part10_default(&file->syntax))
		result = 0;
out:
	close(fd);
	return result;
}

#endif
