/*
 * assoc: what lies in receiving/<association>/ beside images: association.json, who sends, and
 * .reading, the file getdcmtags is at; and the markers .assoc.<association> in batches.
 */
#ifndef SPOOL_ASSOC_H
#define SPOOL_ASSOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { ASSOC_NAME_SIZE = 208, ASSOC_MARKER_SIZE = 256 }; /* name_ok() */

/* association.json. Strings are borrowed. */
struct assoc {
	const char *name, *time;                   /* <association>; when it began, a stamp */
	const char *peer, *peer_port, *local_port; /* addresses as text */
	const char *calling_aet, *called_aet;
	const char *dropped; /* brought by hand under this name; NULL: it came over the network */
	const json_t *stand_ins; /* transfer syntaxes: stand-in: real; NULL: none */
};

/* Written durably. -1 with errno; EILSEQ: a text is not UTF-8. */
int assoc_store(int dir, const struct assoc *assoc);
/* The object of the file, which the caller decrefs; NULL with errno, EINVAL: it is damaged. */
json_t *assoc_load(int dir);

/* Who sends, for series.json: the object without what only getdcmtags needs. The caller decrefs. */
json_t *assoc_sender(const json_t *assoc);
/* The address of whoever is connected; NULL for what was dropped by hand: nobody is. */
const char *assoc_peer(const json_t *assoc);
bool assoc_is_dropped(const json_t *assoc);
/* Stand-in: real, or NULL. Borrowed. */
json_t *assoc_stand_ins(const json_t *assoc);

/* .reading: opens it for assoc_reading_say(); -1 with errno. */
int assoc_reading_open(int dir);
/* Notes the file that is being read; -1 with errno: then it names none. */
int assoc_reading_say(int reading, const char *path);
/* The name in it, in memory that the caller frees; NULL when there is none. */
char *assoc_reading_load(int dir);

/* Removes all that is ours, association.json last: without it, and empty, a directory is one that
 * never began. -1 with errno. */
int assoc_remove_files(int dir);

/* ".assoc.<association>": this connection delivered into the batch and may go on. */
void assoc_marker(const char *association, char out[ASSOC_MARKER_SIZE]);
bool assoc_is_marker(const char *name);
/* The <association> of what the command getdcmtags files: nobody will tell its end. */
extern const char assoc_unknown[];

#endif
