/*
 * correct: puts the real transfer syntax into a file that was received under the name of another
 *one.
 *
 * Transfer syntaxes that storescp does not know come in under the UIDs
 *of others that the sender did not propose, its stand-ins; association.json lists them. In such an
 * association a file whose meta header has a stand-in was not corrected yet, and one that has not
 * needs nothing: so one rename(2) commits, and whoever finds us dead does it again.
 *
 *	NAME -> .corrected, a whole copy with another meta header -> renamed to NAME, replacing it
 *
 * A .corrected left behind is worth nothing: NAME is there. It is overwritten by the next one, and
 * removed with the association.
 */
#ifndef CORRECT_H
#define CORRECT_H

#include <jansson.h>

/* stand_ins: {"<stand-in>": "<real UID>", ...}, NULL when there are none. A file without a meta
 * header of storescp's is left alone. Returns 0; or -1 with errno, the file as it was. */
int correct_syntax(const json_t *stand_ins, int dir, const char *name);

#endif
