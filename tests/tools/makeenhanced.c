/*
 * makeenhanced: makes one Enhanced CT image of many frames, for measurements.
 *
 * The functional groups are there for each frame, with sequences of undefined length; the pixel
 * data are a hole in the file, so that 105 MB cost nothing. Exits 100 when called wrongly, 111 when
 * it cannot write.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "element.h"
#include "base/log.h"

static const char usage[] = "usage: makeenhanced FILE FRAMES ROWS COLUMNS\n";

#define ENHANCED_CT "1.2.840.10008.5.1.4.1.1.2.1"
#define EXPLICIT    "1.2.840.10008.1.2.1"

enum { FRAMES, ROWS, COLUMNS, NUMBERS };

static void put_meta(struct buf *out)
{
	static const char preamble[128];
	struct buf b = { 0 };
	struct writer in = { .out = &b, .explicit_vr = true };
	struct writer w = { .out = out, .explicit_vr = true };

	put_text(&in, 0x0002, 0x0002, "UI", ENHANCED_CT);
	put_text(&in, 0x0002, 0x0003, "UI", "1.2.3.4");
	put_text(&in, 0x0002, 0x0010, "UI", EXPLICIT);
	buf_add(out, preamble, sizeof(preamble));
	buf_puts(out, "DICM");
	put_head(&w, 0x0002, 0x0000, "UL", 4);
	put_u32(&w, (uint32_t)b.length);
	buf_add(out, b.data, b.length);
	buf_free(&b);
}

static void put_frame(const struct writer *w, long frame)
{
	char text[32];

	put_item(w, LENGTH_UNDEFINED);
	put_head(w, 0x0020, 0x9111, "SQ", LENGTH_UNDEFINED); /* FrameContentSequence */
	put_item(w, LENGTH_UNDEFINED);
	put_text(w, 0x0018, 0x9074, "DT", "20261122140301.123456");
	put_head(w, 0x0020, 0x9157, "UL", 4);
	put_u32(w, (uint32_t)frame);
	put_item_end(w);
	put_sequence_end(w);
	put_head(w, 0x0020, 0x9113, "SQ", LENGTH_UNDEFINED); /* PlanePositionSequence */
	put_item(w, LENGTH_UNDEFINED);
	(void)snprintf(text, sizeof(text), "-200\\-200\\%ld.5", frame); /* fits */
	put_text(w, 0x0020, 0x0032, "DS", text);
	put_item_end(w);
	put_sequence_end(w);
	put_item_end(w);
}

static void put_data_set(const struct writer *w, const long number[NUMBERS])
{
	char text[32];

	put_text(w, 0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL\\NONE");
	put_text(w, 0x0008, 0x0016, "UI", ENHANCED_CT);
	put_text(w, 0x0008, 0x0018, "UI", "1.2.3.4");
	put_text(w, 0x0008, 0x0060, "CS", "CT");
	put_text(w, 0x0008, 0x103e, "LO", "enhanced");
	put_text(w, 0x0010, 0x0010, "PN", "Phantom^Enhanced");
	put_text(w, 0x0010, 0x0020, "LO", "PHANTOM");
	put_text(w, 0x0020, 0x000d, "UI", "1.2.3.4.1");
	put_text(w, 0x0020, 0x000e, "UI", "1.2.3.4.2");
	put_us(w, 0x0028, 0x0002, 1);
	(void)snprintf(text, sizeof(text), "%ld", number[FRAMES]); /* fits */
	put_text(w, 0x0028, 0x0008, "IS", text);
	put_us(w, 0x0028, 0x0010, (unsigned)number[ROWS]);
	put_us(w, 0x0028, 0x0011, (unsigned)number[COLUMNS]);
	put_us(w, 0x0028, 0x0100, 16);
	put_head(w, 0x5200, 0x9230, "SQ", LENGTH_UNDEFINED); /* PerFrameFunctionalGroupsSequence */
	for (long i = 1; i <= number[FRAMES]; i++)
		put_frame(w, i);
	put_sequence_end(w);
}

int main(int argc, char *argv[])
{
	struct buf file = { 0 };
	struct writer w = { .out = &file, .explicit_vr = true };
	long number[NUMBERS];
	off_t pixels;
	int fd;

	log_open(argv[0]);
	for (int i = 0; i < NUMBERS; i++)
		if (argc != 2 + NUMBERS || parse_long(argv[2 + i], 1, 16384, &number[i]) < 0)
			die(EXIT_PERMANENT, "unable to start: %s", usage);
	pixels = 2 * (off_t)number[FRAMES] * number[ROWS] * number[COLUMNS];
	if (pixels >= (off_t)LENGTH_UNDEFINED)
		die(EXIT_PERMANENT, "unable to write %jd bytes of pixel data: less than 4 GB",
			(intmax_t)pixels);
	put_meta(&file);
	put_data_set(&w, number);
	put_head(&w, 0x7fe0, 0x0010, "OW", (uint32_t)pixels);
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || file.failed || write(fd, file.data, file.length) != (ssize_t)file.length ||
		ftruncate(fd, (off_t)file.length + pixels) < 0 || close(fd) < 0)
		die(EXIT_TEMPORARY, "unable to write %s: %s", argv[1], strerror(errno));
	buf_free(&file);
	return 0;
}
