/*
 * internal: what the parts of the rule language share. Nobody else includes this.
 *
 *   text --rule_lex--> tokens --rule_parse--> tree of nodes --rule_eval--> value
 *
 * rule_value knows the values, rule_number arithmetic, rule_text strings, rule_call the functions
 * and methods. Memory comes from pools: one in the compiled rule, one for each evaluation; nothing
 * is freed singly. Functions that return bool return false on failure and have then filled in the
 * rule_error, or the run's reason.
 */
#ifndef RULE_INTERNAL_H
#define RULE_INTERNAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule/rule.h"

/* Bounds of a rule's text and of its evaluation. */
enum {
	RULE_MAX_TEXT = 64 * 1024,
	RULE_MAX_DEPTH = 200, /* bounds the recursion of parser and evaluator */
	RULE_MAX_ARGUMENTS = 16,
	RULE_COMPILE_BYTES = 32 * 1024 * 1024, /* more than any text of RULE_MAX_TEXT needs */
	RULE_RUN_BYTES = 1024 * 1024,
	RULE_RUN_STEPS = 1000 * 1000, /* one for each node, each list item, and 64 bytes of text */
	RULE_STEP_BYTES = 64,
	RULE_FLOAT_TEXT = 64, /* bytes for any float written down */
};

/* 2^63: the first float beyond every int. */
#define RULE_INT_END 9223372036854775808.0

/* rule_pool */

struct rule_chunk;
struct rule_pool {
	struct rule_chunk *chunk; /* the newest first */
	size_t left;              /* bytes that may still be asked for */
};

/* NULL when the pool's bound is reached or memory is exhausted. */
void *rule_pool_alloc(struct rule_pool *pool, size_t size);
void rule_pool_free(struct rule_pool *pool);

/* rule_value */

enum rule_type {
	RULE_NONE,
	RULE_BOOL,
	RULE_INT,
	RULE_FLOAT,
	RULE_STR,
	RULE_LIST,
	RULE_TUPLE,
	RULE_PATTERN, /* what the first argument of search() and match() is compiled to */
};

/* UTF-8, may hold NUL. */
struct rule_str {
	const char *data;
	size_t length; /* bytes */
};

struct rule_pattern; /* see rule_pattern */

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
		struct rule_items items; /* RULE_LIST and RULE_TUPLE */
		const struct rule_pattern *pattern;
	};
};

struct rule_matcher; /* see rule_pattern */

/* One evaluation. */
struct rule_run {
	struct rule_pool pool;
	size_t steps; /* that are left */
	rule_tag_fn *tag;
	const void *context;
	struct rule_matcher *matcher; /* NULL until a pattern is searched for */
	char *why;
	size_t why_size;
	struct rule_trace *trace; /* NULL: nobody asks */
};

/* What an evaluation has found of one node, for rule_explain. */
struct rule_trace {
	enum { TRACE_SKIPPED, TRACE_VALUE, TRACE_FAILED } state;
	struct rule_value value; /* shares the run's pool */
};

/* Both return false, so that a caller can return them. */
bool rule_raise(struct rule_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool rule_raise_overflow(struct rule_run *run);
/* NULL when the run's bound of memory is reached; the reason is set. */
void *rule_alloc(struct rule_run *run, size_t size);
/* Takes steps from the run. */
bool rule_charge(struct rule_run *run, size_t steps);

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

/* rule_message */

/* Fills out, of size bytes: UTF-8 on one line; what hides, or is no UTF-8, is escaped. At most
 * RULE_WHY; a longer one ends with "...". */
void rule_message(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void rule_message_list(char *out, size_t size, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

/* rule_number */

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
bool rule_power(struct rule_run *run, const struct rule_value *a, const struct rule_value *b,
	struct rule_value *out);
/* Python's repr() of a float: the shortest text that reads back the same. */
void rule_float_text(double value, char text[RULE_FLOAT_TEXT]);

/* rule_sequence */

bool rule_binary(struct rule_run *run, enum rule_arithmetic op, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out);
bool rule_index(struct rule_run *run, const struct rule_value *v, const struct rule_value *index,
	struct rule_value *out);
/* bound is start, stop, step; None where left out. */
bool rule_slice(struct rule_run *run, const struct rule_value *v, const struct rule_value bound[3],
	struct rule_value *out);
/* A list or tuple with the elements of v, which may be a string. */
bool rule_to_items(struct rule_run *run, const struct rule_value *v, struct rule_items *out);
/* The start and stop that a method may have as argument first and first + 1, for length elements.
 * *stop < *start: no element, and not even an empty string, lies there. */
bool rule_range(struct rule_run *run, const struct rule_value *argument, size_t count, size_t first,
	int64_t length, int64_t *start, int64_t *stop);

/* rule_text */

/* The code point at data, of which left > 0 bytes follow, and its bytes. A byte that is not UTF-8
 * counts as a code point of its own. */
uint32_t rule_utf8_decode(const char *data, size_t left, size_t *bytes);
/* Returns the bytes written. */
size_t rule_utf8_encode(uint32_t code, char out[4]);
size_t rule_utf8_count(struct rule_str s);
/* The code points before a byte. */
size_t rule_utf8_index(struct rule_str s, size_t offset);
/* The byte where code point number index begins; the length when there are fewer. */
size_t rule_utf8_offset(struct rule_str s, size_t index);
bool rule_is_space(uint32_t code);
/* The offset of the first needle in s at or after from, or SIZE_MAX. */
size_t rule_text_find(struct rule_str s, struct rule_str needle, size_t from);
/* The same for going on from *after: an empty part stands before every character and at the end. */
size_t rule_text_next(struct rule_str s, struct rule_str part, size_t from, size_t *after);
/* A string whose characters run from start in stride, count of them. */
bool rule_text_pick(struct rule_run *run, struct rule_str s, int64_t start, int64_t stride,
	size_t count, struct rule_value *out);

/* rule_case */

/* One character's str.lower() or str.upper(); up to three code points, returns how many. */
size_t rule_case_lower(uint32_t code, uint32_t out[3]);
size_t rule_case_upper(uint32_t code, uint32_t out[3]);
size_t rule_case_title(uint32_t code, uint32_t out[3]);
size_t rule_case_fold(uint32_t code, uint32_t out[3]);
/* Unicode's Cased, and Case_Ignorable without the cased ones. */
bool rule_case_is_cased(uint32_t code);
bool rule_case_is_ignorable(uint32_t code);
/* The value of a decimal digit of any script, or -1. */
int rule_case_digit(uint32_t code);
/* What isalpha() and its like hold of one character. */
bool rule_case_is_alpha(uint32_t code);
bool rule_case_is_alnum(uint32_t code);
bool rule_case_is_digit(uint32_t code);
bool rule_case_is_upper(uint32_t code);
bool rule_case_is_lower(uint32_t code);
/* Not seen, or not as what it is: a control character, a strange blank, a change of direction. */
bool rule_case_is_hidden(uint32_t code);
/* A digraph with a capital and a small letter. */
bool rule_case_is_title(uint32_t code);

/* rule_call */

/* Of a method, argument[0] is the object. */
typedef bool rule_call_fn(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out);

struct rule_function {
	const char *name;
	size_t min, max; /* arguments, without the object */
	rule_call_fn *call;
	bool pattern; /* the first argument is a RULE_PATTERN */
};

/* NULL when there is none; the name has length bytes. */
const struct rule_function *rule_function_find(const char *name, size_t length);
const struct rule_function *rule_method_find(const char *name, size_t length);
/* Calls a method of any value. */
bool rule_call_method(struct rule_run *run, const struct rule_function *method,
	const struct rule_value *argument, size_t count, struct rule_value *out);
/* The methods of str. A nameless entry ends the table. */
extern const struct rule_function rule_text_methods[];
rule_call_fn rule_function_abs, rule_function_round, rule_function_sum;
rule_call_fn rule_function_min, rule_function_max, rule_function_sorted;
rule_call_fn rule_function_any, rule_function_all, rule_function_ord, rule_function_chr;
rule_call_fn rule_function_search, rule_function_match, rule_function_any_of;
rule_call_fn rule_function_date, rule_function_time, rule_function_age;
rule_call_fn rule_method_lower, rule_method_upper, rule_method_casefold, rule_method_title;
rule_call_fn rule_method_capitalize, rule_method_isspace;
rule_call_fn rule_method_isalpha, rule_method_isalnum, rule_method_isdigit;
rule_call_fn rule_method_isupper, rule_method_islower;
rule_call_fn rule_method_startswith, rule_method_endswith, rule_method_find_text, rule_method_index;
rule_call_fn rule_method_count;
rule_call_fn rule_method_replace, rule_method_split;

/* rule_pattern */

/* The pattern in v, a literal at the token text, becomes a RULE_PATTERN in the lexer's pool. */
struct rule_lexer;
bool rule_pattern_compile(struct rule_lexer *lexer, const char *at, struct rule_value *v);
/* Its text. */
struct rule_str rule_pattern_text(const struct rule_pattern *pattern);

/* rule_lex */

enum rule_token_type {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_CONSTANT, /* a number or a string */
	TOKEN_OLD_TAG,  /* @NAME@; the name is in value */
	TOKEN_OPERATOR,
};

struct rule_token {
	enum rule_token_type type;
	const char *start;
	size_t length;
	struct rule_value value;
};

struct rule_lexer {
	const char *text, *at, *end;
	struct rule_pool *pool;
	struct rule_error *error;
};

bool rule_lex_next(struct rule_lexer *lexer, struct rule_token *token);
/* Reports a mistake at a place in the text. Returns false. */
bool rule_lex_error(struct rule_lexer *lexer, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool rule_lex_string(struct rule_lexer *lexer, struct rule_token *token);
bool rule_lex_number(struct rule_lexer *lexer, struct rule_token *token);

/* rule_parse */

enum rule_node_type {
	NODE_CONSTANT,
	NODE_TAG,  /* constant is its name, NUL-terminated */
	NODE_LIST, /* kids are the items */
	NODE_TUPLE,
	NODE_AND, /* two kids or more */
	NODE_OR,
	NODE_NOT,
	NODE_COMPARE, /* a chain: each kid but the first says how it is compared with the one before
		       */
	NODE_NEGATE,
	NODE_PLUS,
	NODE_INVERT,
	NODE_ARITHMETIC,
	NODE_CONDITIONAL, /* condition, then, else */
	NODE_FUNCTION,    /* kids are the arguments */
	NODE_METHOD,      /* object, arguments */
	NODE_INDEX,       /* object, index */
	NODE_SLICE,       /* object, start, stop, step */
};

struct rule_node {
	enum rule_node_type type;
	enum rule_arithmetic arithmetic;
	enum rule_compare compare; /* with the kid before it, when it is part of a chain */
	unsigned depth;            /* of the tree below */
	const char *text;          /* as written, with its parentheses; in the rule's pool */
	size_t length;             /* 0: left out by the author, as in [:2] */
	size_t number;             /* index in a run's trace */
	size_t kid_count;
	struct rule_node *first, *last; /* kids */
	struct rule_node *next;         /* kid of the same parent */
	struct rule_value constant;
	const struct rule_function *function;
};

struct rule {
	struct rule_pool pool;
	struct rule_node *root;
	size_t node_count;
};

/* NULL after an error. *count: the nodes. */
struct rule_node *rule_parse(
	struct rule_lexer *lexer, bool (*known)(const char *name), size_t *count);

/* rule_eval */

/* The whole rule; false when it raised. run is begun by rule_run_begin() and ended by
 * rule_pool_free(). */
struct rule_run rule_run_begin(rule_tag_fn *tag, const void *context, char *why, size_t size);
bool rule_run_root(struct rule_run *run, const struct rule *rule, struct rule_value *out);

#endif
