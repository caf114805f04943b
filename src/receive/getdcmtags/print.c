#include "print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dicom/json.h"
#include "base/log.h"

/* Trying again helps when a call failed, unless it failed because of the name. */
static int exit_code(int number)
{
	switch (number) {
	case 0:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return EXIT_PERMANENT;
	default:
		return EXIT_TEMPORARY;
	}
}

/* Returns the descriptor of path, or -1 with errno after having reported why not. */
static int open_file(const char *path)
{
	int fd, number;

	if (strcmp(path, "-") == 0)
		return STDIN_FILENO;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		number = errno;
		log_error("unable to open %s: %s", path, strerror(number));
		errno = number;
	}
	return fd;
}

static void close_file(int fd)
{
	if (fd != STDIN_FILENO)
		(void)close(fd); /* it was only read from */
}

static int report(const char *verb, const char *path, const struct dicom_error *error)
{
	log_error("unable to %s %s: %s", verb, path, error->text);
	return exit_code(error->number);
}

static int write_line(const struct dicom_header *header)
{
	json_t *object = dicom_json(header);
	int rc = 0;

	if (!object || dicom_json_problems(object, header) < 0) {
		log_error("unable to print tags: no memory");
		rc = EXIT_TEMPORARY;
	} else if (json_dumpf(object, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF ||
		   fflush(stdout) == EOF) {
		log_error("unable to write to standard output: %s", strerror(errno));
		rc = EXIT_TEMPORARY;
	}
	json_decref(object);
	return rc;
}

int print_tags(const char *path)
{
	struct dicom_header header;
	struct dicom_error error;
	int fd = open_file(path), rc;

	if (fd < 0)
		return exit_code(errno);
	if (dicom_read_header(fd, &header, &error) < 0)
		rc = report("read", path, &error);
	else
		rc = write_line(&header);
	dicom_header_free(&header);
	close_file(fd);
	return rc;
}

/* From a pipe, which is read once, the kind of what is whole is not told. */
int check_whole(const char *path)
{
	struct dicom_header header = { 0 };
	struct dicom_error error;
	int fd = open_file(path), rc = 0;

	if (fd < 0)
		return exit_code(errno);
	if (dicom_walk(fd, &error) < 0) {
		rc = report("check", path, &error);
	} else if (dicom_read_header(fd, &header, &error) == 0 && dicom_no_image(&header)) {
		log_error("%s %s", path, dicom_no_image(&header));
		rc = EXIT_PERMANENT;
	}
	dicom_header_free(&header);
	close_file(fd);
	return rc;
}
