/*
 * services: what `dcmspool up` runs, by what s6 (2.11, 2.12) writes below .service in the spool. It
 * is only read, so whoever may read the spool can tell what is alive.
 */
#ifndef CLI_SERVICES_H
#define CLI_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/locks.h"
#include "spool/spool.h"

enum service_is {
	SERVICE_UP,
	SERVICE_STARTING, /* it has not said yet that it is ready, or is to be started again */
	SERVICE_ENDING,   /* dcmspool scale has told it to end after what it is at */
	SERVICE_STOPPED,  /* somebody wants it to be down */
	SERVICE_DOWN,     /* it exited 100 and is not started again */
	SERVICE_ALONE,    /* nobody looks after it: its supervisor has died */
	SERVICE_UNKNOWN,  /* what is known of it cannot be read */
};
/* "up" */
const char *service_is_name(enum service_is is);

struct service {
	char name[64]; /* "router-1" */
	int stage;     /* how much of the name is that of its stage */
	enum service_is is;
	pid_t pid;            /* 0: there is none */
	int64_t since_us;     /* since when its process, or its state, is there; -1: not known */
	long ends;            /* how often it ended since `up` was started: s6 counts to 100 */
	int64_t last_us;      /* when it did for the last time; -1: never */
	unsigned char last;   /* and how: run_status() */
	bool again_and_again; /* and was told so: three times within a minute */
	bool before;          /* it works with the configuration of before the last reload */
};

struct services {
	struct service *one; /* by name */
	size_t count;
	bool alive;       /* somebody looks after them, or it cannot be seen: `up` is there */
	bool before;      /* a reload is under way */
	bool left_before; /* or was killed before it came to its end */
};

/* What cannot be seen is unknown. Returns -1 without memory. services_free() frees. */
int services_look(const struct spool *spool, const struct locks *locks, struct services *out);
void services_free(struct services *services);

#endif
