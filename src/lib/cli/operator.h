/*
 * operator: what the verbs have in common by which an operator changes the spool: dcmspool hold,
 * release, retry, cancel. Their answers go to standard output, what is wrong goes to the log.
 */
#ifndef OPERATOR_H
#define OPERATOR_H

#include <stdbool.h>

#include "conf/conf.h"
#include "spool/queues.h"
#include "spool/spool.h"

/* One at work. */
struct verb {
	const struct conf *conf;
	struct spool spool;
	bool yes;    /* not to be asked: -y */
	char by[64]; /* who is asking: the user, or whoever called sudo */
};

/* A verb. Functions that return int return an exit code, having said what is wrong. */
struct verb_kind {
	const char *usage;
	const char *missing; /* said when there is no operand: "the job is missing" */
	const char *letters; /* of options, and what takes them; may be NULL */
	void (*option)(int letter, const char *argument);

	/* One of these: what is done with each operand. target: NULL for all. */
	int (*on_target)(const struct verb *verb, const char *target);
	int (*on_job)(const struct verb *verb, const struct queued *meant);
	/* Beside on_job: NULL, or acting_query() (acting.h): the operands may be a query, and the
	 * next is done with each job in a queue that fits it, after asking whether to `ask`
	 * ("Cancel"). Returns -1 when they are none. */
	int (*on_query)(
		struct verb *verb, const struct verb_kind *kind, char *operand[], int count);
	int (*on_found)(const struct verb *verb, const struct queued *job);
	const char *ask;

	/* Is there such a target to act on? NULL: those of the configuration. */
	bool (*knows)(const struct verb *verb, const char *target);
	/* At the end; may be NULL. */
	void (*end)(const struct verb *verb);
};

/* The main() of a verb: its options, the configuration, the spool; then acts on each operand, on
 * none if one of them cannot be meant. Returns the greatest exit code. Dies when the spool belongs
 * to somebody else: what root or a colleague makes in it, its owner could not change, the journal
 * of a new day for example. */
int operator_main(int argc, char *argv[], const struct verb_kind *kind);

/* Opens the spool to change it, for a verb with a main() of its own. Dies like operator_main(). */
void operator_open(struct verb *verb, const struct conf *conf);
/* The same for one that tells nobody who asked. */
void operator_open_spool(struct spool *spool, const struct conf *conf);

/* Opens the spool for a verb that only looks, also that of another user, if that one lets it be
 * read. Dies, saying whose it is, where not. */
void operator_look(struct spool *spool, const struct conf *conf);
void operator_look_at(struct spool *spool, const char *path);

/* --receiver was given: on_target() is called with HELD_RECEIVER, and there are no operands. */
void operator_receiver(void);

/* Says that there is no such target, and which there are. Returns EXIT_PERMANENT. */
int operator_no_target(const struct conf *conf, const char *name);

/* When a target (NULL: all) is held: "NAME: IS (since ... by ...)", and if there is one the remedy
 * with the name behind it: "; end that with: dcmspool release NAME". */
void operator_tell_held(
	const struct verb *verb, const char *target, const char *is, const char *remedy);
/* The same of all that can be held, but for what is named in except. */
void operator_tell_all_held(const struct verb *verb, const struct disk_names *except,
	const char *is, const char *remedy);

#endif
