/*
 * transcript_impl: what transcript.c and transcript_fail.c share.
 */
#ifndef TRANSCRIPT_IMPL_H
#define TRANSCRIPT_IMPL_H

#include "transcript.h"

/* Ends work on the current image. */
void transcript_idle(struct transcript *t);
/* The same, and it fails. */
void transcript_fail(struct transcript *t, const char *text);
/* The target is to blame: current stays, so that the caller sees with which image it happened. */
void transcript_broken(struct transcript *t, const char *what);

/* What is called with the rest of a line, and may change it. */
void transcript_on_missing(struct transcript *t, char *text);
void transcript_on_bad_file(struct transcript *t, char *text);
void transcript_on_unreadable(struct transcript *t, char *text);
void transcript_on_incomplete(struct transcript *t, char *text);
void transcript_on_no_context(struct transcript *t, char *text);
void transcript_on_dimse_warning(struct transcript *t, char *text);
void transcript_on_send_failed(struct transcript *t, char *text);
void transcript_on_store_failed(struct transcript *t, char *text);
void transcript_on_store_failure(struct transcript *t, char *text);
void transcript_on_no_answer(struct transcript *t, char *text);
void transcript_on_wrong_command(struct transcript *t, char *text);
void transcript_on_detail(struct transcript *t, char *text);
void transcript_on_fatal(struct transcript *t, char *text);
void transcript_on_storescu_fatal(struct transcript *t, char *text);

#endif
