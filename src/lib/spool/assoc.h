/*
 * assoc: what lies in receiving/<association>/: association.json, who sends; .reading, the file
 * getdcmtags is at, and what it has done so far; how an image there is called that was
 * acknowledged; and the markers .assoc.<association> in batches.
 */
#ifndef SPOOL_ASSOC_H
#define SPOOL_ASSOC_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* "<file>" becomes "<file>.ok" before storescp acknowledges it (STATES.md 3). */
#define ASSOC_OK ".ok"
/* Before its UID in the log of storescp: an image that it deleted. */
#define ASSOC_NOT_TAKEN "image not received: "
bool assoc_is_acknowledged(const char *name);
/* The name without it; fits like name. */
void assoc_file(const char *name, char out[NAME_MAX + 1]);

enum { ASSOC_NAME_SIZE = 208, ASSOC_MARKER_SIZE = 256 }; /* name_ok() */

/* association.json. Strings are borrowed. */
struct assoc {
	const char *name, *time;                   /* <association>; when it began, a stamp */
	const char *peer, *peer_port, *local_port; /* addresses as text */
	const char *calling_aet, *called_aet;
	const char *certificate; /* the subject of his certificate; NULL: none */
	const char *sender;      /* the name of his section in dcmspool.conf(5); NULL: none */
	const char *dropped; /* brought by hand under this name; NULL: it came over the network */
	const json_t *stand_ins; /* transfer syntaxes: stand-in: real; NULL: none */
};

/* Written durably. -1 with errno; EILSEQ: a text is not UTF-8. */
int assoc_store(int dir, const struct assoc *assoc);
/* The object of the file, which the caller decrefs; NULL with errno, EINVAL: it is damaged. */
json_t *assoc_load(int dir);

/* Who sends, for series.json: the object without what only getdcmtags needs. The caller decrefs. */
json_t *assoc_sender(const json_t *assoc);
bool assoc_is_dropped(const json_t *assoc);
/* Are acknowledged images named so in this association? Not where a dcmspool of before received
 * (format 1, spool.c), and not among what was dropped by hand. */
bool assoc_has_ok(const json_t *assoc);
/* Stand-in: real, or NULL. Borrowed. */
json_t *assoc_stand_ins(const json_t *assoc);

/* .reading: how many images were taken up, and what became of them; and the file being read. */
struct assoc_counts {
	unsigned long received, filed, duplicates, quarantined;
};
/* Opens it for assoc_reading_say(); -1 with errno. */
int assoc_reading_open(int dir);
/* Notes both; path "": none. -1 with errno: then it names none. */
int assoc_reading_say(int reading, const struct assoc_counts *counts, const char *path);
/* The path, in memory that the caller frees; NULL when there is none. counts are 0 then. */
char *assoc_reading_load(int dir, struct assoc_counts *counts);

/* Removes all that is ours, association.json last: without it, and empty, a directory is one that
 * never began. -1 with errno. */
int assoc_remove_files(int dir);

/* ".assoc.<association>": this connection delivered into the batch and may go on. */
void assoc_marker(const char *association, char out[ASSOC_MARKER_SIZE]);
bool assoc_is_marker(const char *name);
/* The <association> in a marker's name. */
const char *assoc_of_marker(const char *name);
/* The <association> of what the command getdcmtags files: nobody will tell its end. */
extern const char assoc_unknown[];

#endif
