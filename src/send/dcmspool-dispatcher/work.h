/*
 * work: a claimed job, from its claim to where it goes.
 */
#ifndef WORK_H
#define WORK_H

struct dispatcher;
struct claimed;

/* Sends what is to be sent and brings the job where it belongs. */
void work_run(struct dispatcher *dispatcher, struct claimed *claimed);

#endif
