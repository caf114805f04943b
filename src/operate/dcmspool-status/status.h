/*
 * What dcmspool-status has seen in one look. Nothing is locked and nothing changed: the parts are
 * of about the same moment.
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/statvfs.h>

#include "base/str.h"
#include "cli/running.h"
#include "cli/services.h"
#include "conf/conf.h"
#include "lately.h"
#include "spool/pause.h"
#include "spool/spool.h"

/* receiving/<association>/ */
struct connection {
	char *name;
	json_t *assoc; /* NULL: who it is is not known */
	int64_t since_us;
	unsigned long images;
	bool dropped; /* brought by hand, and is being read */
	bool alive;   /* somebody works at it */
};

/* A target, or a queue of one that is no longer configured. */
struct queue {
	char *name;
	const struct conf_target *target; /* NULL: it is not configured */
	char *held;                       /* "", or " (since ... by ...)"; NULL: it is not held */
	bool paused;
	struct pause pause;
	size_t waiting, sending;
	int64_t oldest_us; /* when the first image of the oldest job that waits came; -1 */
};

struct disk {
	bool known;
	struct statvfs fs;
	double bytes_a_second; /* that come; 0: none, or it cannot be told */
	int64_t full_us;       /* when callers are refused at that rate; 0: not foreseen */
};

/* Something that waits for a person, and what that one is to type. */
struct problem {
	char *what, *remedy;
};

struct status {
	const struct spool *spool;
	const struct conf *conf; /* by which it is judged: that of what runs */
	int64_t now_us;
	struct running running;
	struct services services;
	struct connection *connection;
	size_t connections;
	char *receiver_held; /* as queue.held */
	size_t batches, batch_images, dropped, resent, routing;
	struct queue *queue; /* those of conf first, as there */
	size_t queues;
	char *all_held;
	size_t success, discard, failed, quarantined; /* that lie there */
	struct disk disk;
	struct lately *lately;
	struct problem *problem;
	size_t problems;
	bool incomplete; /* something could not be seen, which was told */
};

/* Looks at all of it. meant: the file of the configuration. lately is kept from look to look. Dies
 * without memory. */
void status_look(
	struct status *status, const struct spool *spool, const char *meant, struct lately *lately);
void status_free(struct status *status);

/* Its parts, each of which sets what its name says: services and configuration stand already. */
void look_at_receiving(struct status *status, const struct locks *locks);
void look_at_queues(struct status *status);
void look_at_disk(struct status *status);
void look_for_problems(struct status *status);

/* 0: well, 1: something waits for a person, 2: down; EXIT_TEMPORARY: it cannot be told. */
enum { STATUS_WELL, STATUS_WAITS, STATUS_DOWN };
int status_code(const struct status *status);
/* Down is told apart from what waits. */
bool status_is_down(const struct status *status);

/* Prints it, for people and for programs. */
void status_text(const struct status *status);
json_t *status_object(const struct status *status);

/* "41.2 GB" */
enum { SIZE_SIZE = 16 };
void size_text(double bytes, char out[SIZE_SIZE]);
/* "3 min": how long ago, or how long it takes */
void span_text(int64_t span_us, char out[SIZE_SIZE]);
/* "exit 1", "signal 9" */
void end_text(unsigned char how, char out[SIZE_SIZE]);

_Noreturn void no_memory(void);

#endif
