/*
 * capture: runs a program to its end, and keeps what it says.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>

#include "base/str.h"

/* argv[0] as in run.h; in: what it reads, or -1; both: standard error is kept as well, else it is
 * ours. One that has not ended after timeout_ms is killed. Returns its run_status(), or -1 with
 * errno: ENOENT: there is no such program, ETIMEDOUT: it was killed. The caller frees out. */
int capture(const char *const argv[], int in, bool both, long timeout_ms, struct buf *out);

#endif
