/*
 * path: where in a target that holds files an image goes: TARGET_LAYOUT (layout.h) filled in
 * with the tags of the image, and with those of the association from series.json.
 */
#ifndef SENDER_PATH_H
#define SENDER_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct layout_path;

/* Checks the layout and takes it into use: tags that it names beyond those that are always read are
 * read from now on. Dies with 100 on one that is wrong. Called once, after sender_open(). */
void sender_path_open(const char *layout);

/* We are in the directory of another job. */
void sender_path_again(void);

/* Reads the image (a name in the working directory) and makes its path; layout_free() frees it in
 * any case. False: this image cannot be read, it fails with why. */
bool sender_path(const char *image, struct layout_path *path, char *why, size_t size);

#endif
