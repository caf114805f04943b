/*
 * print: what getdcmtags does as a plain command, to one file. "-" is standard input.
 *
 * Both report a bad file on standard error and return the exit code: 0, EXIT_PERMANENT for a file
 * that is bad, EXIT_TEMPORARY for one that could not be read now.
 */
#ifndef PRINT_H
#define PRINT_H

/* Writes the tags as one JSON object on one line: {"Modality":"MR",...}. A tag that is absent is
 * "". "charset_problem":true is there only when text could not be converted faithfully, "note" only
 * when the meta header lies. */
int print_tags(const char *path);

/* Walks to the end of the data set and says nothing when it is whole. */
int check_whole(const char *path);

#endif
