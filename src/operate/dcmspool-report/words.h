/*
 * words: numbers with their units, short.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <stdint.h>

enum { WORDS_SIZE = 64 };

/* "0.8 s", "14 s", "3.5 min", "2.1 h", "3.0 d"; "" for what is not known (-1). */
void words_delay(int64_t us, char out[WORDS_SIZE]);
/* "812 B", "1.4 MB": powers of 1000. */
void words_bytes(long long bytes, char out[WORDS_SIZE]);
/* "12 345"; what stands between the thousands: " ". */
void words_number(long long number, const char *between, char out[WORDS_SIZE]);

#endif
