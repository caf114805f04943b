/*
 * try: what only shows when a job is sent, looked at before.
 */
#ifndef TRY_H
#define TRY_H

#include "conf/conf.h"

/* Are the senders of all targets there, and can what their targets name be read by this user?
 * Tells each that is not. Returns an exit code. */
int try_targets(const struct conf *conf);

#endif
