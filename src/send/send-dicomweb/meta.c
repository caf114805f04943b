#include "meta.h"

#include "dicom/implementation.h"

#include <string.h>
#include <unistd.h>

enum { PREAMBLE = 128, MAGIC = 4, GROUP = 0x0002 };

static const char magic[] = "DICM";

int meta_has(int fd)
{
	char found[MAGIC];
	ssize_t n = pread(fd, found, MAGIC, PREAMBLE);

	return n < 0 ? -1 : n == MAGIC && memcmp(found, magic, MAGIC) == 0;
}

static void put16(struct buf *out, unsigned number)
{
	unsigned char bytes[2] = { number & 0xff, number >> 8 & 0xff };

	buf_add(out, bytes, sizeof(bytes));
}

/* Tag, VR and length, in explicit little endian, as this group always is. */
static void put_head(struct buf *out, unsigned element, const char *vr, size_t length)
{
	put16(out, GROUP);
	put16(out, element);
	buf_add(out, vr, 2);
	put16(out, (unsigned)length);
}

/* A UID, padded to an even length by a NUL (PS3.5 9.1). */
static void put_uid(struct buf *out, unsigned element, const char *uid)
{
	size_t length = strlen(uid);

	put_head(out, element, "UI", length + length % 2);
	buf_add(out, uid, length + length % 2);
}

void meta_make(const struct dicom_object *object, struct buf *out)
{
	static const char preamble[PREAMBLE];
	/* OB has a length of 32 bits behind two reserved bytes; the value is the version, 1. */
	static const char version[] = { 2, 0, 1, 0, 'O', 'B', 0, 0, 2, 0, 0, 0, 0, 1 };
	struct buf group = { 0 };

	buf_add(&group, version, sizeof(version));
	put_uid(&group, 0x0002, object->sop_class);
	put_uid(&group, 0x0003, object->instance);
	put_uid(&group, 0x0010, object->syntax);
	put_uid(&group, 0x0012, DICOM_IMPLEMENTATION_UID);
	buf_add(out, preamble, PREAMBLE);
	buf_add(out, magic, MAGIC);
	put_head(out, 0x0000, "UL", 4);
	put16(out, (unsigned)group.length); /* some hundred bytes */
	put16(out, 0);
	buf_add(out, group.data, group.length);
	out->failed |= group.failed;
	buf_free(&group);
}
