/*
 * tree: the spool's side of an account: what waits and what rests.
 */
#ifndef TREE_H
#define TREE_H

#include "account.h"

/* Sees to it that the journal knows what has come to rest, as dcmspool-journal(5) says. false: of
 * something it may not, which was said. */
bool tree_tell(const struct spool *spool);

/* Counts what is there. Dies when it cannot be looked at. */
void tree_read(struct account *account);

#endif
