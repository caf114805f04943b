/*
 * watcher: how the programs that run until they are told to end begin and end.
 */
#ifndef CLI_WATCHER_H
#define CLI_WATCHER_H

#include "base/loop.h"
#include "conf/conf.h"

/* It works from now on, with this configuration: says so to whoever waits (service.h). */
void watcher_ready(const struct conf *conf);

/* What main() returns when the loop has come to its end; begins anew when that was asked for. */
int watcher_end(const struct loop *loop);

#endif
