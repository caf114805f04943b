/*
 * import: what the parts of dcmspool-import-mercure share.
 *
 * A part is one object of mercure.json and the section that it becomes. Its keys are taken one by
 * one; what is left at the end has no counterpart and is told. Every value is tried with the parser
 * of the key that it is written for (conf_value), so that nothing is written that dcmspool-conf
 * would refuse. All text taken belongs to the JSON and lives as long as it. Nothing here returns
 * without memory.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "conf/work.h"
#include "base/str.h"

/* More than anybody has; the time that names take grows with the square. */
enum { IMPORT_MAX = 1000, IMPORT_NAME = 200 /* name_ok() */ };

struct import_name {
	const char *old;
	char name[IMPORT_NAME + 1];
	bool usable; /* of a target: it is in the configuration */
};

struct import {
	const char *file; /* as notes call it */
	json_t *root;
	struct buf out;
	struct import_name *target;
	size_t target_count;
	long retry_delay_s, retry_max; /* 0: not given */
	char offpeak[12];              /* hours, or "" */
};

/* object: NULL stands for what is none. */
struct part {
	struct import *import;
	const char *group, *old; /* "targets", "PACS"; NULL at the top */
	json_t *object, *left;
	enum conf_section section;
	const char *type; /* of a target, ours */
	struct buf text;  /* the lines of the section */
	bool usable;      /* nothing that is needed is missing */
};

void part_open(struct part *part, struct import *import, const char *group, const char *old,
	json_t *object);
/* Tells what is left, then frees. */
void part_close(struct part *part);

/* "FILE: GROUP.NAME.KEY: text" to standard error. key may be NULL. Never hand it the value of a
 * secret. */
void note(const struct part *part, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The text of a scalar value, "" when there is none or null; numbers and true and false as text. */
const char *take(struct part *part, const char *key);
/* true, and what mercure takes for it: "True", "yes", 1. */
bool take_bool(struct part *part, const char *key);
/* Takes a secret, unseen. True when there was one. */
bool take_secret(struct part *part, const char *key);
/* Takes what has no counterpart, and says why, unless it is empty or off. */
void drop(struct part *part, const char *key, const char *why);

/* "key = text" when the key takes it. */
bool put(struct part *part, const char *key, const char *text);
/* From mercure's key to ours; otherwise: when mercure's has no value, or "". A value that ours does
 * not take is told, and a target with one is not usable; nor is a part without one that is needed.
 */
void carry(struct part *part, const char *from, const char *to, const char *otherwise);
/* The part cannot become a section: says why, for its mercure key. */
void refuse(struct part *part, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A comment of one line, whatever is in the text. */
void put_comment(struct buf *out, const char *indent, const char *label, const char *text);

/* A name for a section that is not among names[0..count). Tells when it is another. */
void choose_name(const struct part *part, const struct import_name *names, size_t count, char *out);

void *need(void *memory);

/* A type of target of mercure's, and what it is here. name: the target's. */
struct import_type {
	const char *mercure, *ours;
	void (*convert)(struct part *part, const char *name);
};
/* NULL when it has no counterpart; "" is dicom. */
const struct import_type *import_type(const char *mercure);

void import_globals(struct import *import);
void import_targets(struct import *import);
void import_rules(struct import *import);

#endif
