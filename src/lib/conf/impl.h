/*
 * impl: what the conf*.c files share. Nothing else includes it, but dcmspool-conf, which
 * prints what the tables describe, and dcmspool-import-mercure, which writes a configuration.
 *
 * A configuration is read in five steps, each of which reports what it finds and lets the next ones
 * go on where that makes sense:
 *   conf_text    reads the files, blanks their comments, splits them into tokens
 *   conf_scan    checks the structure: finds each statement and its line, blanks unknown ones
 *   libconfuse   parses what is left: unquotes strings, collects lists
 *   conf_value   turns strings into values, as the tables of conf_schema say
 *   conf_check   checks what values say about each other, compiles the rules
 */
#ifndef CONF_IMPL_H
#define CONF_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "base/nearest.h"
#include "base/str.h"

/* conf_schema: the tables. */

enum conf_section {
	CONF_TOP,
	CONF_RECEIVER,
	CONF_ROUTER,
	CONF_DISPATCHER,
	CONF_CLEANER,
	CONF_TARGET,
	CONF_RULE,
	CONF_SECTIONS
};

enum conf_kind {
	CONF_STRING,    /* char *: any text that is not empty */
	CONF_PATH,      /* char *: made absolute */
	CONF_HOST,      /* char *: a host name or address */
	CONF_LAYOUT,    /* char *: a path with {Keyword} in it */
	CONF_MARKER,    /* char *: the name of a file */
	CONF_URL,       /* char *: http:// or https:// */
	CONF_HOURS,     /* char *: "HH:MM-HH:MM", local time */
	CONF_AET,       /* char *: an AE title; the last kind that is a char * */
	CONF_NUMBER,    /* long */
	CONF_MS,        /* long: a duration, kept in milliseconds */
	CONF_SECONDS,   /* long: a duration, kept in seconds */
	CONF_BYTES,     /* long: a size, "500k", "10M" */
	CONF_BOOL,      /* bool: the position in choices, modulo 2 */
	CONF_CHOICE,    /* enum (an int): the position in choices */
	CONF_NUMBERS,   /* long * and its count */
	CONF_NAMES,     /* struct conf_strings */
	CONF_AETS,      /* struct conf_strings */
	CONF_ADDRESSES, /* struct conf_strings */
	CONF_PREFIXES,  /* struct conf_prefix * and its count */
	CONF_SETTINGS,  /* struct conf_strings: "name=value" split into pairs */
};

struct conf_key {
	enum conf_section section;
	const char *name;
	const char *
		type; /* of a target that has it; NULL: every target; "*": types not in the table */
	enum conf_kind kind;
	size_t offset;       /* in the section's structure; 0 for what belongs to a type */
	size_t count_offset; /* of a list's count */
	const char *initial; /* default, items separated by '|'; NULL: required; "": none */
	long min, max;       /* of numbers and durations, in the field's unit */
	const char *choices; /* separated by '|' */
};

extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;
extern const char *const conf_section_names[CONF_SECTIONS]; /* "" for CONF_TOP */

/* CONF_SECTIONS when there is no such section. */
enum conf_section conf_section_find(const char *name);
bool conf_section_titled(enum conf_section section);
/* The next key of that section and name after *from, or NULL. Start with from = NULL. */
const struct conf_key *conf_key_find(
	enum conf_section section, const char *name, const struct conf_key *from);
bool conf_kind_list(enum conf_kind kind);
/* True when the table has keys for targets of this type. */
bool conf_type_known(const char *type);
/* True when a target of this type has the key. */
bool conf_key_applies(const struct conf_key *key, const char *type);
/* The structure that key.offset counts in: nth is the number of the target or rule. */
void *conf_base(struct conf *conf, enum conf_section section, size_t nth);

/* conf_work: what is known while reading. */

struct conf_token {
	enum { CONF_WORD, CONF_QUOTED, CONF_MARK } kind;
	size_t at, length; /* in text; of a quoted string with its quotes */
	int line;
};

struct conf_source {
	char *name; /* as reported */
	char *text;
	size_t length;
	struct conf_token *token;
	size_t token_count, token_size;
};

struct conf_place {
	size_t source;
	int line; /* 0: the file as a whole */
};

/* One "key = value", or, with name NULL, the beginning of a section. */
struct conf_statement {
	enum conf_section section;
	size_t nth; /* sections of this kind are counted over all files, from 0 */
	const char *name;
	char *title; /* of a beginning, or NULL */
	struct conf_place place, value;
	int column; /* of the value, from 1 */
};

struct conf_mistake {
	struct conf_place place;
	size_t order;
	char *text;
};

struct conf_work {
	struct conf *conf;
	char *directory; /* of the configuration file: absolute, without symbolic links */
	struct conf_source *source;
	size_t source_count;
	struct conf_statement *statement;
	size_t statement_count, statement_size;
	size_t section_count[CONF_SECTIONS];
	struct conf_mistake *mistake;
	size_t mistake_count, mistake_size;
	bool syntax;    /* a file's structure is broken: its values are not looked at */
	bool no_memory; /* something is missing for want of memory */
};

void conf_report(struct conf_work *work, struct conf_place place, const char *key,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Writes all mistakes to standard error, by file and line. */
void conf_work_print(struct conf_work *work);
/* Forgets them. */
void conf_work_forget(struct conf_work *work);
void conf_work_free(struct conf_work *work);
/* The array of *room items of size bytes, with room for one more than count, perhaps elsewhere;
 * NULL and no_memory without memory. */
void *conf_grow(struct conf_work *work, void *array, size_t count, size_t *room, size_t size);
/* A copy, or NULL and no_memory. */
char *conf_copy(struct conf_work *work, const char *text, size_t length);
/* "receiver.port", "target.pacs.host", ...: how mistakes and dcmspool-conf name a key. The caller
 * frees. */
char *conf_path(
	const struct conf_work *work, enum conf_section section, size_t nth, const char *name);
/* The last statement for a key, or the beginning of its section (name NULL); NULL when there is
 * none. */
const struct conf_statement *conf_find(
	const struct conf_work *work, enum conf_section section, size_t nth, const char *name);
/* Where a key, or else its section, was written. */
struct conf_place conf_place_of(
	const struct conf_work *work, enum conf_section section, size_t nth, const char *name);
#define CONF_REPORT(work, section, nth, name, ...)                                                 \
	do {                                                                                       \
		char *path_ = conf_path(work, section, nth, name);                                 \
		conf_report(work, conf_place_of(work, section, nth, name), path_, __VA_ARGS__);    \
		free(path_);                                                                       \
	} while (0)

/* conf_tags: dicom_want() with suggestions for an unknown keyword. Returns 0, or -1 with why. */
int conf_want(const char *name, char *why, size_t size);
/* Adds the tags of extra_tags to dicom_tags. */
void conf_want_extra(struct conf_work *work);

/* conf_text, conf_scan */
void conf_read(struct conf_work *work, const char *name);
void conf_tokenize(struct conf_work *work, size_t source);
void conf_scan(struct conf_work *work, size_t source);

/* conf_value */
void conf_value_parse(struct conf_work *work, struct conf_place place, const char *path,
	const struct conf_key *key, char *const value[], size_t count, void *base);
void conf_value_initial(struct conf_work *work, const struct conf_key *key, void *base);
/* Appends the value in the configuration's own syntax; unquoted, an item a line, for scripts. */
void conf_value_print(struct buf *out, const struct conf_key *key, const void *base);
void conf_value_lines(struct buf *out, const struct conf_key *key, const void *base);
void conf_quote(struct buf *out, const char *text);
void conf_value_free(const struct conf_key *key, void *base);

/* conf_value, conf_string, conf_net: one item of a value, and where it goes. */
struct conf_item {
	struct conf_work *work;
	struct conf_place place;
	const char *path; /* the key's, as mistakes name it */
	const struct conf_key *key;
	const char *text;
	void *base;
};
#define CONF_WRONG(item, ...) conf_report((item)->work, (item)->place, (item)->path, __VA_ARGS__)
void *conf_field(const struct conf_key *key, void *base);
size_t *conf_field_count(const struct conf_key *key, void *base);
void conf_set_string(const struct conf_item *item, const char *text, size_t length);
void conf_append_string(const struct conf_item *item, const char *text, size_t length);
/* True, reported, when the list has the string already. */
bool conf_repeated(const struct conf_item *item);

void conf_parse_string(const struct conf_item *item);
void conf_parse_path(const struct conf_item *item);
void conf_parse_host(const struct conf_item *item);
void conf_parse_layout(const struct conf_item *item);
void conf_parse_marker(const struct conf_item *item);
void conf_parse_url(const struct conf_item *item);
void conf_parse_hours(const struct conf_item *item);
void conf_parse_aet(const struct conf_item *item);
void conf_parse_aets(const struct conf_item *item);
void conf_parse_names(const struct conf_item *item);
void conf_parse_setting(const struct conf_item *item);
void conf_parse_address(const struct conf_item *item);
void conf_parse_prefix(const struct conf_item *item);
/* In the largest unit that needs no fraction. */
void conf_print_duration(struct buf *out, const struct conf_key *key, long value);
void conf_print_prefix(struct buf *out, const struct conf_prefix *prefix);

/* conf_fill: from libconfuse's values and the defaults to struct conf. conf_check: the rest. */
struct cfg_t;
void conf_fill(struct conf_work *work, struct cfg_t *cfg);
void conf_check(struct conf_work *work);
/* conf_remote: the same of how one target is reached; what of it has no effect. */
void conf_check_remote(struct conf_work *work, size_t nth);
void conf_warn_remote(struct conf_work *work, size_t nth);

/* conf_warn: what is right but hardly meant. Written to standard error when conf_warnings is set
 * and the configuration has no mistakes; it stays right. */
extern bool conf_warnings;
void conf_warn(struct conf_work *work);

#endif
