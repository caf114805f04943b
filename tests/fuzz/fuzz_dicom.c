/*
 * fuzz_dicom: libFuzzer's entry into the header reader: `make fuzz`.
 *
 * Each input is a file, read as a regular one and, every other time, as a pipe would be: in order.
 * Paths, private tags and numbers of all kinds are wanted besides the usual tags. What is read must
 * be valid JSON; whether it is right the other tests tell.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dicom/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char wanted[] =
	"StudyDate,Rows,PixelSpacing,SmallestImagePixelValue,0009,xx01,GEMS_IDEN_01,0009,1002,"
	"RequestAttributesSequence[0].ScheduledProcedureStepID,SourceImageSequence[1].PatientName,"
	"BeamSequence[0].ControlPointSequence[1].CumulativeMetersetWeight,"
	"0008,1140[0].0008,1199[0].0020,000e,0021,xx01,A B[0].0021,xx02,A "
	"B,FloatPixelData,7fe0,0010";

static void read_it(int fd)
{
	struct dicom_header header;
	struct dicom_error error;
	json_t *object;
	char *text;

	if (dicom_read_header(fd, &header, &error) < 0 && !*error.text)
		abort();
	object = dicom_json(&header);
	if (!object || dicom_json_problems(object, &header) < 0)
		abort();
	text = json_dumps(object, 0); /* NULL for what is not valid UTF-8 */
	if (!text || json_object_size(object) < dicom_tag_count)
		abort();
	free(text);
	json_decref(object);
	dicom_header_free(&header);
}

/* As much as a pipe holds. */
static void read_pipe(const uint8_t *data, size_t size)
{
	int fd[2];

	if (size > 65536)
		return;
	if (pipe(fd) < 0 || write(fd[1], data, size) != (ssize_t)size)
		abort();
	(void)close(fd[1]);
	read_it(fd[0]);
	(void)close(fd[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct dicom_want_error why;
	struct dicom_error error;

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		if (fd < 0 || dicom_want_list(wanted, &why) < 0)
			abort();
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	read_it(fd);
	if (dicom_walk(fd, &error) < 0 && !*error.text)
		abort();
	if (size % 2)
		read_pipe(data, size);
	return 0;
}
