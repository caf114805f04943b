/*
 * states: what may lie where in a spool. The table is spool-layout/states; STATES.md says what the
 * states are.
 */
#ifndef SPOOL_STATES_H
#define SPOOL_STATES_H

#include <stdbool.h>

#include "spool_states.h" /* enum state_place: STATE_SPOOL, STATE_RECEIVING ... STATE_PLACES */

struct state {
	enum state_place place;
	const char *name; /* pattern; NULL: the place's own row */
	enum state_place
		kind;       /* STATE_A_FILE, STATE_ANYTHING, or a directory: the place that it is */
	bool must;          /* it is always there */
	const char *states; /* "I1,I3"; NULL: none of its own */
	const char *made_by, *gone_by; /* NULL: nobody */
	const char *text; /* "what it means when it is missing; what is to be done"; of a
			     place's own row: when something else lies there. May be NULL */
};

/* The table, ends with a row whose place is STATE_PLACES. */
extern const struct state spool_state[];

/* The first row of a place; the others follow it. */
const struct state *state_of_place(enum state_place place);

/* The row by which a name may lie in a place, or NULL. */
const struct state *state_find(enum state_place place, const char *name);

/* Is that a pattern of this row? */
bool state_fits(const struct state *state, const char *name);

/* The stages in the spool itself: the place of the one of this name, or STATE_PLACES. */
enum state_place state_stage(const char *name);

/* What a directory is, of which only its contents tell it: a batch may be a resend, or dropped by
 * hand; a claimed job may be planned already; what lies in error/ may be a job. -1 with errno. */
int state_look(enum state_place by_name, int dir);

#endif
