/*
 * association_impl: what the files of association.h share.
 */
#ifndef ASSOCIATION_IMPL_H
#define ASSOCIATION_IMPL_H

#include "dicom/network/association.h"

enum { ASSOCIATION_OUT = 256 * 1024 };

/* The association ends for this reason, unless it had one. Returns -1. */
int association_fail(struct association *a, enum association_trouble trouble, const char *format,
	...) __attribute__((format(printf, 3, 4)));
/* The same for the reason that the connection has. */
int association_broken(struct association *a);

/* Waits for the next whole PDU; deadline as connection_read() has it, and no PDU takes longer than
 * the time-out from its first byte on. Returns 0 or -1. */
int association_next(
	struct association *a, int64_t deadline, unsigned int *type, struct wire_view *content);
void association_consume(struct association *a, const struct wire_view *content);

/* A PDU that does not belong here: the association ends. Returns -1. */
int association_unexpected(
	struct association *a, unsigned int type, const struct wire_view *content);

/* Looks at the input without taking it: -1 when it ends the association; *data when it is a
 * P-DATA-TF, which may be an answer. */
int association_glance(struct association *a, bool *data);

/* Reads the answer to the association request. Returns 0 or -1. */
int association_answer(struct association *a);

/* Writes all, with an eye on what comes in. Returns 0 or -1. */
int association_push(struct association *a, const void *data, size_t length);

#endif
