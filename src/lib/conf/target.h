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

/* What keeps a file that a target names from being used by its sender, which runs as that user:
 * "there is no file X; make it"; secret: nobody else may read it. False: nothing, or it cannot be
 * looked at. */
bool target_file_is_wrong(const char *path, bool secret, uid_t user, char *why, size_t size);

/* How long the target may take for one answer, as its timeout says, in seconds; 0: it has none. */
long target_silence_s(const struct conf_target *target);

/* May a series be sent to it while it is still being received? */
bool target_takes_ahead(const struct conf_target *target);

/* How many jobs may be sent to the target at once. */
long target_jobs(const struct conf_target *target);

#endif
