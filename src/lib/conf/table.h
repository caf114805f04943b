/*
 * table: every section and key of dcmspool.conf(5) and every type of target, as data; and values
 * printed. For those that print or write configurations; the others want conf.h.
 *
 * A type of target is its program send-TYPE, its page, and one row of conf_types.
 */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "conf/conf.h"

enum conf_section {
	CONF_TOP,
	CONF_RECEIVER,
	CONF_ROUTER,
	CONF_DISPATCHER,
	CONF_CLEANER,
	CONF_SENDER, /* from here on they have a name */
	CONF_TARGET,
	CONF_RULE,
	CONF_SECTIONS
};

enum conf_kind {
	CONF_STRING,             /* char *: any text that is not empty */
	CONF_PATH,               /* char *: made absolute */
	CONF_FILE,               /* the same, of a file that must be there */
	CONF_SECRET,             /* the same, and nobody else may read it */
	CONF_HOST,               /* char *: a host name or address */
	CONF_LAYOUT,             /* char *: a path with {Keyword} in it that tells images apart */
	CONF_LAYOUT_UNIQUE,      /* the same, with {SOPInstanceUID} */
	CONF_LAYOUT_DIRECTORIES, /* the same, of directories only */
	CONF_MARKER,             /* char *: the name of a file */
	CONF_URL,                /* char *: http:// or https:// */
	CONF_HOURS,              /* char *: "HH:MM-HH:MM", local time */
	CONF_AET,                /* char *: an AE title; the last kind that is a char * */
	CONF_NUMBER,             /* long */
	CONF_MS,                 /* long: a duration, kept in milliseconds */
	CONF_SECONDS,            /* long: a duration, kept in seconds */
	CONF_BYTES,              /* long: a size, "500k", "10M" */
	CONF_BOOL,               /* bool: the position in choices, modulo 2 */
	CONF_CHOICE,             /* enum (an int): the position in choices */
	CONF_NUMBERS,            /* long * and its count */
	CONF_NAMES,              /* struct conf_strings */
	CONF_AETS,               /* struct conf_strings */
	CONF_ADDRESSES,          /* struct conf_strings */
	CONF_PREFIXES,           /* struct conf_prefix * and its count */
	CONF_SETTINGS,           /* struct conf_strings: "name=value" split into pairs */
};

struct conf_key {
	enum conf_section section;
	const char *name;
	enum conf_kind kind;
	size_t offset;       /* in the section's structure; 0 for what belongs to a type */
	size_t count_offset; /* of a list's count */
	const char *initial; /* default, items separated by '|'; NULL: required; "": none */
	long min, max;       /* of numbers and durations, in the field's unit */
	const char *choices; /* separated by '|' */
};

/* What CONF_BOOL takes: the position modulo 2 is the value. */
#define CONF_BOOLEAN "false|true|no|yes|off|on"

struct conf_work;

struct conf_type {
	const char *name;           /* NULL: the types that have no row, a site's own */
	const struct conf_key *key; /* that only its targets have */
	size_t key_count;
	bool unpaced;      /* rate_limit has no effect */
	bool takes_ahead;  /* its sender keeps its connection, image by image: cut_through */
	bool reads_itself; /* what is in its files, its sender tells with -n */
	/* Reports what keys of the nth target say about each other, what its sender would refuse
	 * when the first job is there; NULL: nothing. */
	void (*check)(struct conf_work *work, size_t nth);
	/* Reports what is right but hardly meant, for `dcmspool check` only; NULL: nothing. */
	void (*warn)(struct conf_work *work, size_t nth);
};

extern const struct conf_type conf_types[]; /* the one without a name is the last */
extern const size_t conf_type_count;

/* The row of a type's name; never NULL. */
const struct conf_type *conf_type_find(const char *name);
/* The type that the key belongs to, or NULL: every target has it, or it is no target's. */
const struct conf_type *conf_key_type(const struct conf_key *key);
/* True when a target of this type has the key. */
bool conf_key_applies(const struct conf_key *key, const char *type);

extern const char *const conf_section_names[CONF_SECTIONS]; /* "" for CONF_TOP */
/* CONF_SECTIONS when there is no such section. */
enum conf_section conf_section_find(const char *name);
bool conf_section_titled(enum conf_section section);
/* Of those with a name: how many there are, and the name of the nth. */
size_t conf_section_count(const struct conf *conf, enum conf_section section);
char **conf_section_name(struct conf *conf, enum conf_section section, size_t nth);
/* The structure that key.offset counts in: nth is the number of the target or rule. */
void *conf_base(struct conf *conf, enum conf_section section, size_t nth);

/* The keys from 0, section by section, those of types behind those of every target; NULL after the
 * last. */
const struct conf_key *conf_key_at(size_t i);
/* The next key of that section and name after *from, or NULL. Start with from = NULL. */
const struct conf_key *conf_key_find(
	enum conf_section section, const char *name, const struct conf_key *from);
bool conf_kind_list(enum conf_kind kind);

/* Append a value in the configuration's own syntax; unquoted, an item a line, for scripts. */
void conf_value_print(struct buf *out, const struct conf_key *key, const void *base);
void conf_value_lines(struct buf *out, const struct conf_key *key, const void *base);
void conf_quote(struct buf *out, const char *text);
/* Append all of it, so that it can be read back; the values of one key as dcmspool-conf(8) names
 * it, false when there is none. */
void conf_print_all(struct buf *out, struct conf *conf);
bool conf_print_key(struct buf *out, struct conf *conf, const char *key);
/* In the largest unit that needs no fraction. */
void conf_print_duration(struct buf *out, const struct conf_key *key, long value);
void conf_print_prefix(struct buf *out, const struct conf_prefix *prefix);
/* Frees the value in the structure. */
void conf_value_free(const struct conf_key *key, void *base);

#endif
