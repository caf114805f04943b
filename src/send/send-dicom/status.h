/*
 * status: what a target's answer to a C-STORE request means.
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>

/* True for success and for the three warnings: the target has the image. */
bool status_stored(int status);

/* The meaning in words. */
const char *status_text(int status);

#endif
