/*
 * dispatcher: the process, and what its files do. Each file knows those below it in its column
 * only:
 *
 *   dcmspool-dispatcher.c    the loop: a look at all queues, a job, the next look
 *
 *   choosing                                      working
 *   turn.c      which priority, which target      work.c      sends a job, judges by its answers
 *   claim.c     outgoing/ becomes sending/        rounds.c    several runs of a sender, if need be
 *   again.c     what is to be sent again by hand  sending.c   runs the sender
 *   order.c     may this job go now?              said.c      what the sender writes
 *   expect.c    has an entry anything to send ahead?
 *   queue.c     a target's two directories        finish.c    success/, error/, discard/, or back
 *   roll.c      what waits in one, in order       split.c     what failed goes to error/ alone
 *   rolls.c     ... corrected by its events       given_up.c  which images that are, and why
 *   upstream.c  series that are in no queue yet   untold.c    what the journal lacks of error/
 *                                                 ahead.c     sends from a batch while it grows
 *                                                 answers.c   the images and their ledger
 *   strays.c    what nobody will ever take        blame.c     whose failure it is
 *
 *   both: pausing.c, a target that failed is left alone for a while; arriving.c, a series that is
 *   being received; chain.c, the sender's process, which may wait for the next job; claim.h, the
 *   job that was claimed by the one and is worked on by the other
 */
#ifndef DISPATCHER_H
#define DISPATCHER_H

#include "base/loop.h"
#include "base/rest.h"
#include "chain.h"
#include "conf/conf.h"
#include "expect.h"
#include "holds.h"
#include "queue.h"
#include "roll.h"
#include "spool/spool.h"
#include "turn.h"
#include "upstream.h"

/* What this process has seen of a target. */
enum { STRAY_SIZE = 256 };
struct seen {
	char broken[QUEUE_NAME_SIZE]; /* the job at which it broke off, if it answered nothing since
				       */
	char stray[STRAY_SIZE];       /* strays.h: the file that was told */
	struct hold held;
};

struct dispatcher {
	const struct conf *conf;
	struct spool spool;
	struct loop loop;
	struct turn turn;
	struct upstream upstream;
	struct expect expect;
	struct rolls rolls;
	struct rest resting;      /* jobs that we could not work on for a reason of our own */
	struct seen *seen;        /* for each of conf's targets */
	struct hold held;         /* all targets */
	struct disk_names strays; /* in outgoing/, that were told */
	struct chain chain;       /* the sender at work, or that waits for a job */
	int64_t let_go_us;        /* how long a job whose lock was held is left to its holder */
};

#endif
