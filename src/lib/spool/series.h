/*
 * series: series.json of a batch or job: when its first image arrived, who sent it, and that
 * image's tags. Written once.
 */
#ifndef SPOOL_SERIES_H
#define SPOOL_SERIES_H

#include <jansson.h>
#include <stdint.h>

/* The object of the file, which the caller decrefs; NULL with errno: ENOENT: there is none; EINVAL:
 * it is damaged, and may be made anew from an image. */
json_t *series_load(int dir);
/* Is there one, of whatever content? 1, 0, or -1 with errno. */
int series_exists(int dir);

/* sender: association.json's object, or NULL. Steals tags. The caller decrefs; NULL with errno. */
json_t *series_make(int64_t received_us, json_t *sender, json_t *tags);
/* Adds the tags SenderAddress, SenderAET and ReceiverAET, as far as the sender tells them. */
void series_tag_sender(json_t *tags, const json_t *sender);
/* Writes it durably in the place of a damaged one. */
int series_store(int dir, const json_t *series);
/* Writes it into a batch unless somebody else has just done so, which is as good. The router's
 * syncfs makes it durable. */
int series_create(int batch, const json_t *series);

/* All these take NULL for a file that is missing or damaged. Borrowed. */
json_t *series_tags(const json_t *series);
/* "" when there is no such tag. */
const char *series_tag(const json_t *series, const char *keyword);
json_t *series_sender(const json_t *series);
/* When the first image arrived, microseconds since 1970; -1: not known. */
int64_t series_received_us(const json_t *series);

#endif
