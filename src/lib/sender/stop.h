/*
 * stop: SIGTERM, "The end" of dcmspool-sender(7): an image that is on its way is sent to its end
 * and told, nothing else is begun. Between two images the signal kills, as it does everybody.
 */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>
#include <sys/types.h>

/* An image begins: SIGTERM and SIGINT wait. */
void stop_hold(void);
/* Has one come meanwhile? The line of the image is written: the caller ends what it has open. */
bool stop_wanted(void);
/* It is at its end: whoever was to stop dies here. */
void stop_let(void);

/* For one that only waits for children which send: both go on to these until stop_pass(NULL, 0),
 * and then kill the caller if one has come. A child calls stop_own() before anything else. */
void stop_pass(const pid_t *child, size_t count);
void stop_own(void);

#endif
