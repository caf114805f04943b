/*
 * bucket: the target as curl gets to know it.
 */
#ifndef BUCKET_H
#define BUCKET_H

struct bucket {
	const char *url; /* without a '/' at its end */
	const char *region;
	const char *ca_file; /* NULL: the system's */
	char *user;          /* ACCESS:SECRET */
	long timeout_s;
	long rate; /* bytes per second, 0: no limit */
};

/* Reads the settings, or dies with 100. */
void bucket_open(struct bucket *bucket);
void bucket_close(struct bucket *bucket);

/* The URL of an object, whose key is given by its names "a/b/c", in memory that the caller frees.
 * NULL when memory is short. Every byte that RFC 3986 does not call unreserved is percent-encoded:
 * what curl 7.88 sends as the path is what it signs, and S3 signs that. */
char *bucket_object(const struct bucket *bucket, const char *directory, const char *name);

#endif
