/*
 * jsonfile: the small JSON files of the spool (association.json, series.json, plan.json, job.json
 * ...).
 */
#ifndef JSONFILE_H
#define JSONFILE_H

#include <jansson.h>

/* Reads dir/name, at most 64 MiB (getdcmtags writes up to 43 MB for hostile values). NULL with
 * errno; EINVAL: it is there but is no JSON object. The caller calls json_decref(). */
json_t *jsonfile_load(int dir, const char *name);

/* Writes dir/name durably (disk_write_file). -1 with errno; ENOMEM also when object is NULL. */
int jsonfile_store(int dir, const char *name, const json_t *object);

/* Writes it, complete but not durably, unless somebody else has just done so, which is as good. Any
 * number of processes may. -1 with errno; ENOMEM also when object is NULL. */
int jsonfile_create(int dir, const char *name, const json_t *object);

/* The string under key, "" when there is none. Owned by object. */
const char *jsonfile_text(const json_t *object, const char *key);

/* A string of text; bytes that are not UTF-8 become \xNN, for nothing may be dropped. The caller
 * decrefs; NULL without memory. */
json_t *jsonfile_string(const char *text);

#endif
