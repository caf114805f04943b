/* journal_read: the lines of the journal, while they are being written, too. */
#include "spool/journal_read.h"

#include "base/disk.h"
#include "base/str.h"
#include "spool/journal.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct spool spool;

static void put(const char *file, const char *text)
{
	int fd = openat(spool.dir[SPOOL_JOURNAL], file, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || disk_write_all(fd, text, strlen(text)) < 0 || close(fd) < 0)
		exit(1);
}

static bool next_is(struct journal_reader *reader, const char *job)
{
	json_t *line = NULL;
	bool is = journal_reader_next(reader, &line) == 1 &&
		  strcmp(journal_text(line, "job"), job) == 0;

	json_decref(line);
	return is;
}

static bool none_is_left(struct journal_reader *reader)
{
	json_t *line = NULL;

	return journal_reader_next(reader, &line) == 0 && !line;
}

static const char monday[] = "2026-11-23.jsonl", tuesday[] = "2026-11-24.jsonl";

static void test_order(void)
{
	struct journal_reader reader;

	put("2026-11-24.jsonl.gz",
		"{\"time\":\"2026-11-24T00:00:00.000000Z\",\"job\":\"packed\"}\n");
	put(monday,
		"{\"time\":\"2026-11-23T23:59:59.000000Z\",\"event\":\"sent\",\"job\":\"a\"}\n");
	put(monday, "{\"time\":\"2026-11-23T23:5\n[1]\nnothing\n{\"event\":\"sent\"}\n\n");
	put(tuesday,
		"{\"time\":\"2026-11-24T00:00:01.000000Z\",\"event\":\"sent\",\"job\":\"b\"}\n");
	put(tuesday, "{\"time\":\"20261124T000002.000000Z\",\"event\":\"sent\",\"job\":\"c\"}\n");
	put(tuesday, "{\"time\":\"2026-11-24T00:00:03.000000Z\",");
	journal_reader_open(&reader, &spool, 0, 0);
	ok(next_is(&reader, "a") && next_is(&reader, "b"), "over midnight");
	ok(reader.skipped == 4, "what is no line is skipped and counted");
	ok(next_is(&reader, "c"), "a time as it was written before");
	ok(none_is_left(&reader) && none_is_left(&reader),
		"one that is being written is not taken");
	put(tuesday, "\"job\":\"d\"}\n");
	ok(next_is(&reader, "d") && none_is_left(&reader), "until it is whole");
	put(tuesday, "{\"time\":\"2026-11-24T00:00:04.000000Z\",\"job\":\"e\"}");
	put("2026-11-26.jsonl", "{\"time\":\"2026-11-26T00:00:00.000000Z\",\"job\":\"f\"}\n");
	ok(next_is(&reader, "e") && next_is(&reader, "f") && none_is_left(&reader),
		"or another day has begun");
	ok(reader.skipped == 4, "and nothing more was skipped, nor an empty line");
	journal_reader_close(&reader);
}

static void test_range(void)
{
	const int64_t tuesday_us = spool_stamp_time("20261124T000000.000000Z");
	struct journal_reader reader, further;

	journal_reader_open(&reader, &spool, tuesday_us, tuesday_us + 3000000);
	ok(next_is(&reader, "b") && next_is(&reader, "c") && none_is_left(&reader),
		"from a moment on, before another");
	journal_reader_open(&further, &spool, 0, 0);
	memcpy(further.file, tuesday, sizeof(tuesday));
	further.offset = 0;
	ok(next_is(&further, "b"), "from a file's beginning");
	journal_reader_close(&further);
	memcpy(further.file, reader.file, sizeof(further.file));
	further.offset = reader.offset;
	journal_reader_close(&reader);
	ok(next_is(&further, "e") && next_is(&further, "f"), "from where another was");
	journal_reader_close(&further);
}

static void test_written(void)
{
	struct journal_reader reader;
	json_t *line;

	journal_write(&spool, "failed", "job", "now", "images", "12", NULL);
	journal_reader_open(&reader, &spool, spool_now_us() - 60 * INT64_C(1000000), 0);
	ok(journal_reader_next(&reader, &line) == 1 && journal_number(line, "images") == 12 &&
			journal_number(line, "job") == 0 && *journal_text(line, "none") == '\0',
		"texts and numbers of what journal_write() wrote");
	ok(llabs(journal_time_us(line) - spool_now_us()) < 60 * INT64_C(1000000), "and its time");
	json_decref(line);
	journal_reader_close(&reader);
}

static void test_put_aside(void)
{
	static const char day[] = "2026-11-27.jsonl", noon[] = "2026-11-27T12:00:00.000000Z";
	char first[100], second[100];
	struct journal_reader reader;
	int fd;

	(void)snprintf(first, sizeof(first), "{\"time\":\"%s\",\"job\":\"first\"}\n", noon);
	(void)snprintf(second, sizeof(second), "{\"time\":\"%s\",\"job\":\"2nd\"}\n", noon);
	put(day, first);
	journal_reader_open(&reader, &spool, 0, 0);
	memcpy(reader.file, day, sizeof(day));
	ok(next_is(&reader, "first") && none_is_left(&reader), "a day that is being written");
	(void)unlinkat(spool.dir[SPOOL_JOURNAL], day, 0);
	ok(none_is_left(&reader), "is put aside");
	put(day, second);
	ok(next_is(&reader, "2nd") && none_is_left(&reader), "and begun anew");
	fd = openat(spool.dir[SPOOL_JOURNAL], day, O_WRONLY | O_TRUNC);
	(void)close(fd);
	ok(none_is_left(&reader), "or cut off");
	put(day, first);
	ok(next_is(&reader, "first") && none_is_left(&reader), "and begun anew there");
	(void)unlinkat(spool.dir[SPOOL_JOURNAL], day, 0);
	journal_reader_close(&reader);
	journal_reader_open(&reader, &spool, 0, 0);
	memcpy(reader.file, day, sizeof(day));
	ok(none_is_left(&reader), "one that has gone is none");
	journal_reader_close(&reader);
	put("zzzz-zz-zz.jsonl", first);
	journal_reader_open(&reader, &spool, spool_stamp_time("20261127T000000.000000Z"), 0);
	ok(none_is_left(&reader), "nor is what is no day");
	journal_reader_close(&reader);
}

/* What a power failure leaves of a last line. */
static void test_cut_off(void)
{
	struct journal_reader reader;
	char file[64], stamp[SPOOL_RFC3339_SIZE];

	spool_rfc3339(spool_now_us(), stamp, sizeof(stamp));
	(void)snprintf(file, sizeof(file), "%.10s.jsonl", stamp);
	put(file, "{\"time\":\"2026-");
	journal_write(&spool, "sent", "job", "whole", NULL);
	journal_write(&spool, "sent", "job", "next", NULL);
	journal_reader_open(&reader, &spool, spool_now_us() - 60 * INT64_C(1000000), 0);
	ok(next_is(&reader, "now") && next_is(&reader, "whole") && next_is(&reader, "next") &&
			none_is_left(&reader) && reader.skipped == 1,
		"what was cut off takes no line along");
	journal_reader_close(&reader);
}

/* A day of 20,000 lines, one each four seconds, some of them damaged or of another form. */
static void put_long_day(void)
{
	struct buf text = { 0 };

	for (int i = 0; i < 20000; i++) {
		int s = i * 4;

		if (i % 1000 == 77)
			buf_puts(&text, "half of a li\n\n");
		buf_printf(&text,
			i % 1000 == 99 ? "{\"time\":\"20261127T%02d%02d%02d.000000Z\","
				       : "{\"time\":\"2026-11-27T%02d:%02d:%02d.000000Z\",",
			s / 3600, s / 60 % 60, s % 60);
		buf_printf(&text, "\"event\":\"%s\",\"job\":\"%d\",\"text\":\"%0200d\"}\n",
			i % 2 ? "sent" : "routed", i, i);
	}
	put("2026-11-27.jsonl", text.data);
	buf_free(&text);
}

static void test_seek(void)
{
	static const char *const sent[] = { "failed", "sent", NULL };
	struct journal_reader reader;
	bool all = true;
	char job[16];

	put_long_day();
	for (int i = 0; i < 20000; i += 997) {
		journal_reader_open(&reader, &spool,
			spool_stamp_time("20261127T000000.000000Z") + i * INT64_C(4000000), 0);
		all &= journal_reader_seek(&reader) == 0;
		(void)snprintf(job, sizeof(job), "%d", i);
		/* 60 s and 64 kB before, at the most */
		all &= (i < 1000 || reader.offset > 250 * (i - 16 - 400)) && next_is(&reader, job);
		journal_reader_close(&reader);
	}
	ok(all, "what was written before is not read, and all from then on is");
	journal_reader_open(&reader, &spool, spool_stamp_time("20261127T220000.000000Z"), 0);
	reader.only = sent;
	ok(journal_reader_seek(&reader) == 0 && next_is(&reader, "19801") &&
			next_is(&reader, "19803"),
		"of some events only");
	journal_reader_close(&reader);
	journal_reader_open(&reader, &spool, spool_stamp_time("20261125T120000.000000Z"), 0);
	ok(journal_reader_seek(&reader) == 0 && next_is(&reader, "f"), "a day without a file");
	journal_reader_close(&reader);
}

int main(void)
{
	spool.dir[SPOOL_JOURNAL] = disk_open_dir(AT_FDCWD, ".");
	test_order();
	test_range();
	test_put_aside();
	test_seek();
	test_written();
	test_cut_off();
	return tap_done();
}
