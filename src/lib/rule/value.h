/*
 * value: the values of rules, and what can be done with them.
 *
 *   text --lex--> tokens --parse--> tree of nodes --eval--> value
 *
 * Functions that return bool return false on failure and have then filled in the run's reason; what
 * they make lies in the run's pool (see run.h).
 */
#ifndef RULE_VALUE_H
#define RULE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULE_FLOAT_TEXT = 64 }; /* bytes for any float written down */

/* 2^63: the first float beyond every int. */
#define RULE_INT_END 9223372036854775808.0

enum rule_type {
	RULE_NONE,
	RULE_BOOL,
	RULE_INT,
	RULE_FLOAT,
	RULE_STR,
	RULE_LIST,
	RULE_TUPLE,
	RULE_SET,
	RULE_DICT,
	RULE_PATTERN, /* what the first argument of search() and match() is compiled to */
};

/* UTF-8, may hold NUL. */
struct rule_str {
	const char *data;
	size_t length; /* bytes */
};

struct rule_pattern; /* see pattern.c */

struct rule_items {
	const struct rule_value *item;
	size_t count;
};

/* Values are never changed once made, so they share text and items freely. */
struct rule_value {
	enum rule_type type;
	union {
		int64_t integer; /* RULE_BOOL (0 or 1) and RULE_INT */
		double real;
		struct rule_str str;
		/* RULE_LIST, RULE_TUPLE, RULE_SET; of a RULE_DICT keys and values take turns. */
		struct rule_items items;
		const struct rule_pattern *pattern;
	};
};

/* Sets of types: 1 << enum rule_type. */
enum {
	RULE_TYPES_NUMBER = 1 << RULE_BOOL | 1 << RULE_INT | 1 << RULE_FLOAT,
	RULE_TYPES_SEQUENCE = 1 << RULE_STR | 1 << RULE_LIST | 1 << RULE_TUPLE,
	RULE_TYPES_ITERABLE = RULE_TYPES_SEQUENCE | 1 << RULE_SET | 1 << RULE_DICT,
	RULE_TYPES_ANY = 1 << RULE_NONE | RULE_TYPES_NUMBER | RULE_TYPES_ITERABLE,
};

enum rule_compare {
	RULE_EQ,
	RULE_NE,
	RULE_LT,
	RULE_LE,
	RULE_GT,
	RULE_GE,
	RULE_IN,
	RULE_NOT_IN,
	RULE_IS,
	RULE_IS_NOT,
};

enum rule_arithmetic {
	RULE_ADD,
	RULE_SUBTRACT,
	RULE_MULTIPLY,
	RULE_POWER,
	RULE_BIT_OR,
	RULE_BIT_XOR,
	RULE_BIT_AND,
	RULE_DIVIDE, /* from here on a second operand of 0 is an error */
	RULE_FLOOR_DIVIDE,
	RULE_MODULO,
};

static inline struct rule_value rule_bool(bool value)
{
	return (struct rule_value){ .type = RULE_BOOL, .integer = value };
}

static inline struct rule_value rule_int(int64_t value)
{
	return (struct rule_value){ .type = RULE_INT, .integer = value };
}

static inline struct rule_value rule_float(double value)
{
	return (struct rule_value){ .type = RULE_FLOAT, .real = value };
}

static inline struct rule_value rule_str(const char *data, size_t length)
{
	return (struct rule_value){ .type = RULE_STR, .str = { data, length } };
}

static inline bool rule_is_integer(const struct rule_value *v)
{
	return v->type == RULE_INT || v->type == RULE_BOOL;
}

static inline bool rule_is_number(const struct rule_value *v)
{
	return rule_is_integer(v) || v->type == RULE_FLOAT;
}

static inline bool rule_is_items(const struct rule_value *v)
{
	return v->type == RULE_LIST || v->type == RULE_TUPLE;
}

/* The same, and sets and dicts. */
static inline bool rule_has_items(const struct rule_value *v)
{
	return rule_is_items(v) || v->type == RULE_SET || v->type == RULE_DICT;
}

struct rule_run;

/* As it was written. */
struct rule_str rule_pattern_text(const struct rule_pattern *pattern);
/* Python's name of the value's type. */
const char *rule_type_name(const struct rule_value *v);
bool rule_truth(const struct rule_value *v);
bool rule_equal(
	struct rule_run *run, const struct rule_value *a, const struct rule_value *b, bool *equal);
bool rule_compare(struct rule_run *run, enum rule_compare op, const struct rule_value *a,
	const struct rule_value *b, bool *holds);
/* Python's str(). */
bool rule_to_str(struct rule_run *run, const struct rule_value *v, struct rule_value *out);
/* Python's repr(). */
bool rule_to_repr(struct rule_run *run, const struct rule_value *v, struct rule_value *out);
/* The beginning of it, not much longer than most bytes; *cut says whether there was more. The
 * caller frees; NULL without memory. */
char *rule_repr_cut(const struct rule_value *v, size_t most, bool *cut);

/* ---- numbers ---- */

/* a op b for two numbers. */
bool rule_number_binary(struct rule_run *run, enum rule_arithmetic op, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out);
double rule_number_real(const struct rule_value *v);
/* -1, 0, 1, or 2 when a NaN makes them incomparable. An int and a float compare exactly. */
int rule_number_order(const struct rule_value *a, const struct rule_value *b);
bool rule_to_int(struct rule_run *run, const struct rule_value *v, struct rule_value *out);
bool rule_to_float(struct rule_run *run, const struct rule_value *v, struct rule_value *out);
/* Raises ValueError: what, and v as Python writes it. */
bool rule_raise_value(struct rule_run *run, const char *what, const struct rule_value *v);
/* v as an int that counts; the reason is Python's when it is none. */
bool rule_need_int(struct rule_run *run, const struct rule_value *v);
/* Python's repr() of a float: the shortest text that reads back the same. */
void rule_float_text(double value, char text[RULE_FLOAT_TEXT]);

/* ---- operators; strings, lists and tuples ---- */

bool rule_binary(struct rule_run *run, enum rule_arithmetic op, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out);
bool rule_index(struct rule_run *run, const struct rule_value *v, const struct rule_value *index,
	struct rule_value *out);
/* bound is start, stop, step; None where left out. */
bool rule_slice(struct rule_run *run, const struct rule_value *v, const struct rule_value bound[3],
	struct rule_value *out);
/* The elements of v: the characters of a string, the keys of a dict. */
bool rule_to_items(struct rule_run *run, const struct rule_value *v, struct rule_items *out);
/* The start and stop that a method may have as argument first and first + 1, for length elements.
 * *stop < *start: no element, and not even an empty string, lies there. */
bool rule_range(struct rule_run *run, const struct rule_value *argument, size_t count, size_t first,
	int64_t length, int64_t *start, int64_t *stop);

/* ---- sets and dicts ---- */

/* Of count items; for a dict keys and values take turns. */
bool rule_set_make(
	struct rule_run *run, const struct rule_value *item, size_t count, struct rule_value *out);
bool rule_dict_make(
	struct rule_run *run, const struct rule_value *item, size_t count, struct rule_value *out);
/* Whether key is in a set, or a key of a dict. */
bool rule_holds_key(struct rule_run *run, const struct rule_value *whole,
	const struct rule_value *key, bool *found);
/* Whether all of a is in b, of sets. */
bool rule_set_within(
	struct rule_run *run, const struct rule_value *a, const struct rule_value *b, bool *within);
bool rule_set_binary(struct rule_run *run, enum rule_arithmetic op, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out);
bool rule_dict_equal(
	struct rule_run *run, const struct rule_value *a, const struct rule_value *b, bool *equal);
bool rule_dict_merge(struct rule_run *run, const struct rule_value *a, const struct rule_value *b,
	struct rule_value *out);
bool rule_dict_index(struct rule_run *run, const struct rule_value *dict,
	const struct rule_value *key, struct rule_value *out);

/* ---- formatting ---- */

/* text % v */
bool rule_percent(struct rule_run *run, struct rule_str text, const struct rule_value *v,
	struct rule_value *out);

#endif
