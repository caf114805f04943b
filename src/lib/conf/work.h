/*
 * work: what is known while a configuration is read. For the modules of conf, for those that check
 * more of it (decide), and for dcmspool-import-mercure, which tries values.
 *
 * A configuration is read in five steps, each of which reports what it finds and lets the next ones
 * go on where that makes sense:
 *   text    reads the files, blanks their comments, splits them into tokens
 *   scan    checks the structure: finds each statement and its line, blanks unknown ones (unknown)
 *   libconfuse   parses what is left: unquotes strings, collects lists
 *   value   turns strings into values, as the tables of schema and types say
 *   check   checks what values say about each other
 */
#ifndef CONF_WORK_H
#define CONF_WORK_H

#include <stdlib.h>

#include "conf/table.h"

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
	int failure;    /* errno of a reading that failed and may work later */
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
/* A file or directory could not be read: reported with errno and the remedy; what may pass is kept
 * in failure. */
void conf_unreadable(struct conf_work *work, size_t source, const char *what, const char *remedy);
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

/* text, scan */
void conf_read(struct conf_work *work, const char *name);
void conf_tokenize(struct conf_work *work, size_t source);
void conf_scan(struct conf_work *work, size_t source);
/* Appends what is wrong with a key that there is not. */
void conf_unknown(struct buf *out, enum conf_section section, const char *name);

/* value */
void conf_value_parse(struct conf_work *work, struct conf_place place, const char *path,
	const struct conf_key *key, char *const value[], size_t count, void *base);
void conf_value_initial(struct conf_work *work, const struct conf_key *key, void *base);

/* value, string, net: one item of a value, and where it goes. */
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

/* fill: from libconfuse's values and the defaults to struct conf. check: the rest. */
struct cfg_t;
void conf_fill(struct conf_work *work, struct cfg_t *cfg);
void conf_check(struct conf_work *work);

#endif
