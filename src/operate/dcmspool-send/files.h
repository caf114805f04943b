/*
 * files: the DICOM files that were named, and those below the directories, sorted by series.
 */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>

struct file {
	char *path;   /* absolute */
	char *series; /* its SeriesInstanceUID */
};

struct files {
	struct file *file;
	size_t count, capacity;
	bool refused; /* some were, which was told */
	bool failed;  /* some could not be read, which was told; it may pass */
};

/* Adds a file, or what lies in a directory and below. What is no image is refused. Dies without
 * memory. */
void files_add(struct files *files, const char *path);
/* Sorts them; to be called once, after the last. */
void files_sort(struct files *files);
void files_free(struct files *files);

/* Says why a file is not sent. */
void files_refuse(struct files *files, const char *path, const char *reason);
/* The same of a call that failed: is the file refused, or may it be read another time? */
void files_fail(struct files *files, const char *path, int number);

#endif
