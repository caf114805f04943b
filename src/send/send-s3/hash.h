/*
 * hash: the SHA-256 of files, by sha256sum(1).
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>

enum { HASH_SIZE = 65 };

/* Takes the hash, in hexadecimal, of the file with this name. */
typedef void hash_fn(void *context, const char *file, const char *sha256);

/* Hashes files of the working directory, whose names are plain ones of dcmspool-sender(7). One
 * that cannot be read gets no call of take, and sha256sum says why. Returns 0, or -1 with errno
 * when it could not be run. */
int hash_files(const char *const *file, size_t count, hash_fn *take, void *context);

#endif
