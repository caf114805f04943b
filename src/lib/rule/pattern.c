/*
 * pattern: search() and match(), with PCRE2 (pcre2api(3), 10.42).
 *
 * A pattern is a literal, compiled with the rule. Matching takes its memory from the evaluation's
 * pool, so its bound is the bound; time is bounded by match and depth limits, which PCRE2 counts
 * anew for each place where a match could begin, hence the fewer the longer the text. There is no
 * JIT: its code cannot lie in a pool.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule/call.h"

#include <pcre2.h>
#include <string.h>

#include "rule/run.h"
#include "rule/tree.h"

enum {
	NESTED_MAX = 100,            /* parentheses */
	LIMIT_ALL = 5 * 1000 * 1000, /* calls of PCRE2's match() for one search, in all places */
	LIMIT_MIN = 1000,
	LIMIT_MAX = 100 * 1000, /* in one place */
	STEPS = 1000,           /* that a search costs, besides the text */
};

struct rule_pattern {
	pcre2_code *code;
	struct rule_str text;
};

struct rule_matcher {
	pcre2_match_context *context;
	pcre2_match_data *data;
};

static void *take(PCRE2_SIZE size, void *pool)
{
	return rule_pool_alloc(pool, size);
}

static void give_back(void *memory, void *pool)
{
	(void)memory; /* ends with the pool */
	(void)pool;
}

struct rule_str rule_pattern_text(const struct rule_pattern *pattern)
{
	return pattern->text;
}

/* Where byte offset of the pattern stands in the rule; its beginning when escapes or several
 * strings make that unclear. */
static const char *place(
	const struct rule_lexer *lexer, const char *at, struct rule_str text, size_t offset)
{
	const char *p = at;

	while (p < lexer->end && strchr("rRuU", *p))
		p++;
	while (p < lexer->end && p < at + 4 && (*p == '\'' || *p == '"'))
		p++;
	if (text.length > (size_t)(lexer->end - p) || memcmp(p, text.data, text.length) != 0)
		return at;
	return p + offset;
}

static pcre2_code *compile(struct rule_lexer *lexer, struct rule_str text, int *error, size_t *at)
{
	const uint32_t options =
		PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
	pcre2_general_context *general = pcre2_general_context_create(take, give_back, lexer->pool);
	pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;

	*error = PCRE2_ERROR_NOMEMORY;
	*at = 0;
	if (!context)
		return NULL;
	(void)pcre2_set_parens_nest_limit(context, NESTED_MAX); /* always 0 */
	return pcre2_compile((PCRE2_SPTR)text.data, text.length, options, error, at, context);
}

bool rule_pattern_compile(struct rule_lexer *lexer, const char *at, struct rule_value *v)
{
	struct rule_pattern *pattern = rule_pool_alloc(lexer->pool, sizeof(*pattern));
	char message[128] = "";
	size_t offset;
	int error;

	if (!pattern)
		return rule_lex_no_memory(lexer, at);
	pattern->text = v->str;
	pattern->code = compile(lexer, v->str, &error, &offset);
	if (!pattern->code) {
		(void)pcre2_get_error_message(
			error, (PCRE2_UCHAR *)message, sizeof(message)); /* may be cut */
		return rule_lex_error(lexer, place(lexer, at, v->str, offset),
			"the pattern is wrong: %s", message);
	}
	*v = (struct rule_value){ .type = RULE_PATTERN, .pattern = pattern };
	return true;
}

static uint32_t limit(size_t length)
{
	const size_t each = LIMIT_ALL / (length + 1);

	return (uint32_t)(each < LIMIT_MIN ? LIMIT_MIN : each > LIMIT_MAX ? LIMIT_MAX : each);
}

/* One for all searches of an evaluation, so that they share the memory for backtracking. */
static const struct rule_matcher *get_matcher(struct rule_run *run)
{
	pcre2_general_context *general;
	struct rule_matcher *m = run->matcher;

	if (m)
		return m;
	m = rule_alloc(run, sizeof(*m));
	general = m ? pcre2_general_context_create(take, give_back, &run->pool) : NULL;
	if (!general)
		return NULL;
	m->context = pcre2_match_context_create(general);
	m->data = pcre2_match_data_create(1, general);
	if (!m->context || !m->data)
		return NULL;
	(void)pcre2_set_heap_limit(m->context, RULE_RUN_BYTES / 1024); /* always 0 */
	run->matcher = m;
	return m;
}

static bool raise_match(struct rule_run *run, int error)
{
	if (error == PCRE2_ERROR_MATCHLIMIT || error == PCRE2_ERROR_DEPTHLIMIT)
		return rule_raise(run, "RuntimeError: the pattern takes too many steps");
	return rule_raise(run, "MemoryError: the pattern needs too much memory");
}

static bool find(struct rule_run *run, const struct rule_value *argument, uint32_t options,
	struct rule_value *out)
{
	const struct rule_str s = argument[1].str;
	const struct rule_matcher *matcher;
	int found;

	if (argument[1].type != RULE_STR)
		return rule_raise(run, "TypeError: expected string or bytes-like object, got '%s'",
			rule_type_name(&argument[1]));
	if (!rule_charge(run, STEPS + s.length))
		return false;
	matcher = get_matcher(run);
	if (!matcher)
		return raise_match(run, PCRE2_ERROR_NOMEMORY);
	(void)pcre2_set_match_limit(matcher->context, limit(s.length)); /* both always 0 */
	(void)pcre2_set_depth_limit(matcher->context, limit(s.length));
	found = pcre2_match(argument->pattern->code, (PCRE2_SPTR)s.data, s.length, 0, options,
		matcher->data, matcher->context);
	if (found < 0 && found != PCRE2_ERROR_NOMATCH)
		return raise_match(run, found);
	*out = rule_bool(found >= 0);
	return true;
}

bool rule_function_search(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 2 */
	return find(run, argument, 0, out);
}

bool rule_function_match(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 2 */
	return find(run, argument, PCRE2_ANCHORED, out);
}
