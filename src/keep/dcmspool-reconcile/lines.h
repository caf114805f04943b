/*
 * lines: the journal's side of an account.
 */
#ifndef LINES_H
#define LINES_H

#include "account.h"

/* Reads the lines from a day before on, so that who sent in the night is known. Dies when the
 * journal cannot be read. */
void lines_read(struct account *account);

#endif
