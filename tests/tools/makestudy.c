/*
 * makestudy: makes a study of DICOM Part 10 files, fast, for tests, measurements and `make demo`.
 *
 * Writes OUTDIR/SE0001/IM00001.dcm and so on, overwriting. With -S the same files byte for byte
 * every time. Values given are written as they are, however hostile: it is for the reader to
 * survive them. With -P the pixel data are cut into fragments, but not coded as that transfer
 * syntax would have it. Exits 100 when called wrongly, 111 when it cannot write.
 */
#define _GNU_SOURCE
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"

static const char usage[] =
	"usage: makestudy OUTDIR [-vpM] [-s series] [-n images per series] [-r rows] [-c columns]\n"
	"       [-m modality] [-x evle|ivle|evbe|deflated] [-P transfer syntax UID, encapsulated]\n"
	"       [-d SeriesDescription] [-i PatientID] [-y StudyInstanceUID] [-u "
	"SeriesInstanceUID]\n"
	"       [-o SOPInstanceUID] [-q SOP class UID] [-S seed]\n"
	"-v prints a line per file: file, study, series and SOP instance UID, separated by tabs;\n"
	"-p adds private elements and sequences of undefined length; -M leaves out the file meta "
	"header\n";

static const struct syntax syntaxes[] = {
	{ "evle", "1.2.840.10008.1.2.1", false, true, false },
	{ "ivle", "1.2.840.10008.1.2", false, false, false },
	{ "evbe", "1.2.840.10008.1.2.2", true, true, false },
	{ "deflated", "1.2.840.10008.1.2.1.99", false, true, true },
};

static const char *const sop_classes[][2] = {
	{ "CT", "1.2.840.10008.5.1.4.1.1.2" },
	{ "MR", "1.2.840.10008.5.1.4.1.1.4" },
	{ "PT", "1.2.840.10008.5.1.4.1.1.128" },
	{ "US", "1.2.840.10008.5.1.4.1.1.6.1" },
};

enum { UID_SIZE = 65 };

/* "2.25." and a random UUID as a decimal number (PS3.5 B.2). */
static void make_uid(uint64_t *state, char uid[UID_SIZE])
{
	uint32_t limb[4];
	char digits[40];
	int n = sizeof(digits) - 1;

	for (int i = 0; i < 4; i++)
		limb[i] = (uint32_t)random_next(state);
	limb[0] |= 0x80000000u; /* never a leading zero */
	limb[1] = (limb[1] & 0xffff0fffu) | 0x4000u;
	limb[2] = (limb[2] & 0x3fffffffu) | 0x80000000u;
	digits[n] = '\0';
	while (limb[0] | limb[1] | limb[2] | limb[3]) {
		uint64_t rest = 0;

		for (int i = 0; i < 4; i++) {
			rest = rest << 32 | limb[i];
			limb[i] = (uint32_t)(rest / 10);
			rest %= 10;
		}
		digits[--n] = (char)('0' + rest);
	}
	(void)snprintf(uid, UID_SIZE, "2.25.%s", digits + n); /* 44 characters at most */
}

/* Deflates data into file: a bare stream without zlib's header, of even length (PS3.5 A.5). */
static void put_deflated(struct study *s)
{
	z_stream z = { 0 };
	uint8_t piece[65536];
	int done;

	if (deflateInit2(&z, 1, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		die(EXIT_TEMPORARY, "unable to start zlib");
	z.next_in = (uint8_t *)s->data.data;
	z.avail_in = (uInt)s->data.length;
	s->deflated.length = 0;
	do {
		z.next_out = piece;
		z.avail_out = sizeof(piece);
		done = deflate(&z, Z_FINISH);
		buf_add(&s->deflated, piece, sizeof(piece) - z.avail_out);
	} while (done == Z_OK);
	(void)deflateEnd(&z); /* nothing left to lose: the stream is complete or unusable */
	if (done != Z_STREAM_END || s->deflated.failed)
		die(EXIT_TEMPORARY, "unable to deflate: zlib returned %d", done);
	buf_add(&s->file, s->deflated.data, s->deflated.length);
	if (s->deflated.length & 1)
		buf_add(&s->file, "", 1);
}

static void write_file(const char *path, const struct buf *file)
{
	const char *p = file->data;
	size_t left = file->length;
	int fd;

	if (file->failed)
		die(EXIT_TEMPORARY, "unable to make %s: not enough memory", path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd == -1)
		die(EXIT_TEMPORARY, "unable to create %s: %s", path, strerror(errno));
	while (left) {
		ssize_t n = write(fd, p, left);

		if (n == -1)
			die(EXIT_TEMPORARY, "unable to write %s: %s", path, strerror(errno));
		p += n;
		left -= (size_t)n;
	}
	if (close(fd))
		die(EXIT_TEMPORARY, "unable to write %s: %s", path, strerror(errno));
}

static void make_directory(const char *path)
{
	if (mkdir(path, 0777) && errno != EEXIST)
		die(EXIT_TEMPORARY, "unable to make the directory %s: %s", path, strerror(errno));
}

static void make_image(struct study *s, const struct image *im)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/SE%04ld/IM%05ld.dcm", s->outdir, im->series,
		    im->number) >= (int)sizeof(path))
		die(EXIT_PERMANENT, "unable to use %s: the path is too long", s->outdir);
	s->file.length = s->data.length = 0;
	put_image(s, im);
	if (!s->bare)
		put_meta(s, im);
	if (s->syntax->deflated)
		put_deflated(s);
	else
		buf_add(&s->file, s->data.data, s->data.length);
	s->file.failed |= s->data.failed;
	write_file(path, &s->file);
	if (s->verbose)
		printf("%s\t%s\t%s\t%s\n", path, im->study_uid, im->series_uid, im->sop_uid);
}

static void make_study(struct study *s)
{
	char study_uid[UID_SIZE], series_uid[UID_SIZE], sop_uid[UID_SIZE], path[4096];
	struct image im = {
		.study_uid = s->study_uid ? s->study_uid : study_uid,
		.series_uid = s->series_uid ? s->series_uid : series_uid,
		.sop_uid = s->sop_uid ? s->sop_uid : sop_uid,
	};

	make_directory(s->outdir);
	make_uid(&s->random, study_uid);
	for (im.series = 1; im.series <= s->series; im.series++) {
		if (snprintf(path, sizeof(path), "%s/SE%04ld", s->outdir, im.series) >=
			(int)sizeof(path))
			die(EXIT_PERMANENT, "unable to use %s: the path is too long", s->outdir);
		make_directory(path);
		make_uid(&s->random, series_uid);
		for (im.number = 1; im.number <= s->images; im.number++) {
			make_uid(&s->random, sop_uid);
			make_image(s, &im);
		}
	}
}

static void prepare(struct study *s)
{
	s->pixels = malloc((size_t)(s->rows * s->columns) * sizeof(*s->pixels));
	s->noise = malloc(NOISE_SIZE);
	if (!s->pixels || !s->noise)
		die(EXIT_TEMPORARY, "unable to start: not enough memory");
	s->random = (uint64_t)s->seed;
	if (s->seed < 0 && getrandom(&s->random, sizeof(s->random), 0) != sizeof(s->random))
		die(EXIT_TEMPORARY, "unable to get a random number: %s", strerror(errno));
	for (size_t i = 0; i < NOISE_SIZE; i++)
		s->noise[i] = random_next(&s->random) & 31;
	for (size_t i = 0; !s->sop_class && i < sizeof(sop_classes) / sizeof(sop_classes[0]); i++)
		if (!strcmp(sop_classes[i][0], s->modality))
			s->sop_class = sop_classes[i][1];
	if (!s->sop_class)
		s->sop_class = SECONDARY_CAPTURE;
	if (s->encapsulated) /* PS3.5 A.4: encapsulated is explicit little endian */
		s->syntax = &syntaxes[0];
}

static const struct syntax *find_syntax(const char *name)
{
	for (size_t i = 0; i < sizeof(syntaxes) / sizeof(syntaxes[0]); i++)
		if (!strcmp(syntaxes[i].name, name))
			return &syntaxes[i];
	die(EXIT_PERMANENT, "unable to use -x %s: use evle, ivle, evbe or deflated", name);
}

static void set_number(int letter, long min, long max, long *to)
{
	if (parse_long(optarg, min, max, to))
		die(EXIT_PERMANENT, "unable to use -%c %s: give a number from %ld to %ld", letter,
			optarg, min, max);
}

static void set_option(struct study *s, int letter)
{
	const struct {
		int letter;
		const char **text;
	} texts[] = {
		{ 'm', &s->modality },
		{ 'd', &s->description },
		{ 'i', &s->patient_id },
		{ 'y', &s->study_uid },
		{ 'u', &s->series_uid },
		{ 'o', &s->sop_uid },
		{ 'q', &s->sop_class },
		{ 'P', &s->encapsulated },
	};
	const struct {
		int letter;
		long min, max, *number;
	} numbers[] = {
		{ 's', 1, 9999, &s->series },
		{ 'n', 1, 99999, &s->images },
		{ 'r', 1, 16384, &s->rows },
		{ 'c', 1, 16384, &s->columns },
		{ 'S', 0, LONG_MAX, &s->seed },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].letter == letter) {
			if (strlen(optarg) >
				65534) /* must fit into the 16 bits of an explicit length */
				die(EXIT_PERMANENT, "unable to use -%c: give at most 65534 bytes",
					letter);
			*texts[i].text = optarg;
			return;
		}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].letter == letter) {
			set_number(letter, numbers[i].min, numbers[i].max, numbers[i].number);
			return;
		}
	s->verbose |= letter == 'v';
	s->private |= letter == 'p';
	s->bare |= letter == 'M';
	if (letter == 'x')
		s->syntax = find_syntax(optarg);
	if (letter == '?') {
		fputs(usage, stderr);
		exit(EXIT_PERMANENT);
	}
}

int main(int argc, char *argv[])
{
	struct study s = {
		.modality = "CT",
		.patient_id = "PHANTOM",
		.syntax = &syntaxes[0],
		.series = 1,
		.images = 10,
		.rows = 256,
		.columns = 256,
		.seed = -1,
	};
	int letter;

	log_open(argv[0]);
	while ((letter = getopt(argc, argv, "vpMs:n:r:c:m:x:d:i:S:y:u:o:q:P:")) != -1)
		set_option(&s, letter);
	if (argc - optind != 1)
		set_option(&s, '?');
	s.outdir = argv[optind];
	prepare(&s);
	make_study(&s);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_TEMPORARY, "unable to write to standard output: %s", strerror(errno));
	buf_free(&s.data);
	buf_free(&s.deflated);
	buf_free(&s.file);
	free(s.pixels);
	free(s.noise);
	return 0;
}
