/*
 * target: how the sender of a target is started: its program and its environment,
 * dcmspool-sender(7).
 */
#ifndef TARGET_H
#define TARGET_H

#include "conf/conf.h"

/* "TARGET_HOST=10.0.0.5" and so on, and DCMSPOOL_TARGET; with a job DCMSPOOL_JOB as well. Ends with
 * NULL; target_environment_free() frees it. NULL when memory is short. */
char **target_environment(const struct conf_target *target, const char *job);
void target_environment_free(char **environment);

/* The path of send-<type> beside the running program, in memory that the caller frees; NULL with
 * errno. */
char *target_program(const struct conf_target *target);

/* How long the target may take for one answer, as its timeout says, in seconds; 0: it has none. */
long target_silence_s(const struct conf_target *target);

/* How many jobs may be sent to the target at once. */
long target_jobs(const struct conf_target *target);

#endif
