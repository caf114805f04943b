/*
 * scan: checks the structure of a file that is split into tokens, and notes each statement
 * with its line, which libconfuse does not keep.
 *
 * Unknown keys and sections, and a second section of the same name, are reported and blanked, so
 * that libconfuse (which would stop there) parses the rest. After a mistake in the syntax the scan
 * goes on at the next line; libconfuse is not asked then.
 */
#include "conf/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	struct conf_work *work;
	size_t source, at; /* at: the next token */
	enum conf_section section;
	size_t nth;
	int opened;     /* line of the open section */
	char name[256]; /* the word that the current statement begins with */
};

static const struct conf_token *peek(const struct scan *s, size_t ahead)
{
	const struct conf_source *source = &s->work->source[s->source];

	return s->at + ahead < source->token_count ? &source->token[s->at + ahead] : NULL;
}

static bool is_mark(const struct scan *s, size_t ahead, char mark)
{
	const struct conf_token *t = peek(s, ahead);

	return t && t->kind == CONF_MARK && s->work->source[s->source].text[t->at] == mark;
}

static bool is_value(const struct scan *s, size_t ahead)
{
	const struct conf_token *t = peek(s, ahead);

	return t && t->kind != CONF_MARK;
}

static struct conf_place place(const struct scan *s, const struct conf_token *t)
{
	return (struct conf_place){ s->source, t->line };
}

/* The word, or the text between the quotes, as far as it fits. */
static void token_text(const struct scan *s, const struct conf_token *t, char *out, size_t size)
{
	const char *text = s->work->source[s->source].text + t->at;
	size_t n = t->length;

	if (t->kind == CONF_QUOTED) {
		text++;
		n = n > 2 ? n - 2 : 0; /* an open string may be its quote alone */
	}
	if (n >= size)
		n = size - 1;
	memcpy(out, text, n);
	out[n] = '\0';
}

/* Reports about the key that the current statement begins with. */
static void wrong_key(struct scan *s, const struct conf_token *t, const char *message)
{
	char *path = conf_path(s->work, s->section, s->nth, s->name);

	conf_report(s->work, place(s, t), path, "%s", message);
	free(path);
}

static void syntax(struct scan *s, const struct conf_token *t, const char *message)
{
	wrong_key(s, t, message);
	s->work->syntax = true;
}

/* Goes on after a mistake: at the next line, or at the end of the section. */
static void skip_line(struct scan *s, int line)
{
	size_t depth = 0; /* of lists */

	while (peek(s, 0) && peek(s, 0)->line == line && (depth || !is_mark(s, 0, '}'))) {
		depth += is_mark(s, 0, '{');
		depth -= is_mark(s, 0, '}');
		s->at++;
	}
}

/* Skips what stands in braces, those included; at stands at the opening one. */
static void skip_braces(struct scan *s)
{
	size_t depth = 0;

	do {
		depth += is_mark(s, 0, '{');
		depth -= is_mark(s, 0, '}');
		s->at++;
	} while (depth && peek(s, 0));
}

/* Blanks the tokens first..at-1. */
static void erase(struct scan *s, size_t first)
{
	struct conf_source *source = &s->work->source[s->source];

	for (size_t i = first; i < s->at && i < source->token_count; i++)
		for (size_t k = 0; k < source->token[i].length; k++)
			if (source->text[source->token[i].at + k] != '\n')
				source->text[source->token[i].at + k] = ' ';
}

static struct conf_statement *add(struct scan *s, const struct conf_token *t)
{
	struct conf_work *w = s->work;
	struct conf_statement *grown = conf_grow(
		w, w->statement, w->statement_count, &w->statement_size, sizeof(*w->statement));

	if (!grown)
		return NULL;
	w->statement = grown;
	grown += w->statement_count++;
	*grown = (struct conf_statement){
		.section = s->section, .nth = s->nth, .place = place(s, t), .value = place(s, t)
	};
	return grown;
}

static void unknown_key(struct scan *s, const struct conf_token *t)
{
	struct buf message = { 0 };

	conf_unknown(&message, s->section, s->name);
	wrong_key(s, t, message.failed ? "unknown key" : message.data);
	buf_free(&message);
}

/* True before "word =", which is the next statement already. */
static bool next_statement(const struct scan *s)
{
	return !peek(s, 0) || is_mark(s, 1, '=');
}

/* Moves over { value, value, ... }; false after a mistake. */
static bool list(struct scan *s, const struct conf_token *key)
{
	s->at++;
	while (is_value(s, 0) && !next_statement(s)) {
		s->at++;
		if (!is_mark(s, 0, ','))
			break;
		s->at++;
	}
	if (is_mark(s, 0, '}')) {
		s->at++;
		return true;
	}
	if (next_statement(s)) {
		syntax(s, key, "the list that begins here is not closed; write { value, value }");
		return false;
	}
	syntax(s, peek(s, 0), "a comma or } is missing in the list; write { value, value }");
	skip_line(s, peek(s, 0)->line);
	s->at += is_mark(s, 0, '}');
	return false;
}

static void note(struct scan *s, const struct conf_token *key, const struct conf_token *value)
{
	const struct conf_key *known = conf_key_find(s->section, s->name, NULL);
	const struct conf_statement *before = conf_find(s->work, s->section, s->nth, known->name);
	const char *text = s->work->source[s->source].text;
	struct conf_statement *statement;
	size_t start = value->at;

	if (before && before->place.source == s->source) {
		char *path = conf_path(s->work, s->section, s->nth, s->name);

		conf_report(s->work, place(s, key), path,
			"given twice; the first is in line %d, keep one of them",
			before->place.line);
		free(path);
	}
	statement = add(s, key);
	if (!statement)
		return;
	while (start > 0 && text[start - 1] != '\n')
		start--;
	statement->name = known->name;
	statement->value = place(s, value);
	statement->column = (int)(value->at - start) + 1;
}

/* key = value; at stands at the key. */
static void key(struct scan *s)
{
	const struct conf_token *t = peek(s, 0), *value;
	const struct conf_key *known = conf_key_find(s->section, s->name, NULL);
	size_t first = s->at++;

	if (!is_mark(s, 0, '=')) {
		syntax(s, t, "no value; write KEY = VALUE, with quotes around a value with blanks");
		skip_line(s, t->line);
		return;
	}
	s->at++;
	value = peek(s, 0);
	if (is_mark(s, 0, '{')) {
		if (!list(s, t))
			return;
		if (known && !conf_kind_list(known->kind)) {
			syntax(s, t, "a list where one value is expected; write it without braces");
			return;
		}
	} else if (is_value(s, 0) && is_mark(s, 1, '=') && is_mark(s, 2, '=')) { /* A == B */
		syntax(s, t, "a value with blanks; put quotes around all of it");
		skip_line(s, t->line);
		return;
	} else if (!is_value(s, 0) || is_mark(s, 1, '=') ||
		   (value->kind == CONF_WORD &&
			   value->line != t->line)) { /* the next key, without its = */
		syntax(s, t, "nothing follows the =; write KEY = VALUE");
		return;
	} else {
		s->at++;
	}
	if (known) {
		note(s, t, value);
	} else {
		unknown_key(s, t);
		erase(s, first);
	}
}

/* True for the second section of that title, reported. */
static bool duplicate(
	struct scan *s, enum conf_section section, const char *title, const struct conf_token *t)
{
	for (size_t i = 0; title && i < s->work->statement_count; i++) {
		const struct conf_statement *b = &s->work->statement[i];

		if (b->section != section || !b->title || strcmp(b->title, title) != 0)
			continue;
		conf_report(s->work, place(s, t), s->name,
			"\"%s\" is there already, at %s:%d; names must be unique", title,
			s->work->source[b->place.source].name, b->place.line);
		return true;
	}
	return false;
}

/* name "title" {; at stands at the name. */
static void begin(struct scan *s, enum conf_section section)
{
	const struct conf_token *t = peek(s, 0);
	struct conf_statement *statement;
	char title[256] = "";
	size_t first = s->at++;

	if (is_value(s, 0)) {
		token_text(s, peek(s, 0), title, sizeof(title));
		s->at++;
	}
	if (!is_mark(s, 0, '{')) {
		syntax(s, t,
			conf_section_titled(section)
				? "no section follows; write it as NAME \"TITLE\" { ... }"
				: "no section follows; write it as NAME { ... }");
		skip_line(s, t->line);
		return;
	}
	if (conf_section_titled(section) != (title[0] != '\0'))
		syntax(s, t,
			title[0] ? "this section has no name; write it without one"
				 : "this section needs a name; write it before the {");
	if (title[0] && !name_ok(title))
		conf_report(s->work, place(s, t), s->name,
			"\"%s\" cannot be a name; use letters, digits, '.', '_', '~' and '-', "
			"beginning "
			"with a letter or digit, at most 200",
			title);
	if (section == CONF_TARGET &&
		strchr(title, '~')) /* error/JOB.NAME~2 is a second JOB.NAME */
		conf_report(s->work, place(s, t), s->name,
			"\"%s\" cannot be a target's name; leave out the '~'", title);
	if (duplicate(s, section, title[0] ? title : NULL, t)) {
		skip_braces(s);
		erase(s, first);
		return;
	}
	s->at++;
	s->section = section;
	s->nth = s->work->section_count[section]++;
	s->opened = t->line;
	statement = add(s, t);
	if (statement && title[0])
		statement->title = conf_copy(s->work, title, strlen(title));
}

/* What follows a value without a blank was meant to be in it: "tags.Modality == "MR"", float(x).
 * The name is the key's still. */
static bool value_ended(struct scan *s)
{
	const struct conf_token *t = peek(s, 0);
	char rest[64];
	struct buf message = { 0 };

	if (s->at == 0 || t[-1].kind == CONF_MARK || t[-1].at + t[-1].length != t->at)
		return false;
	token_text(s, t, rest, sizeof(rest));
	buf_printf(&message, "the value ends before %s; %s", rest,
		t[-1].kind == CONF_WORD
			? "put quotes around all of it"
			: "use the other kind of quotes in it, or put a backslash before each");
	syntax(s, t, message.failed ? "the value ends too early" : message.data);
	buf_free(&message);
	skip_line(s, t->line);
	return true;
}

static void one_statement(struct scan *s)
{
	const struct conf_token *t = peek(s, 0);
	enum conf_section section;
	bool opens = is_mark(s, 1, '{') || (is_value(s, 1) && is_mark(s, 2, '{'));
	size_t first = s->at;

	if (value_ended(s))
		return;
	token_text(s, t, s->name, sizeof(s->name));
	section = t->kind == CONF_WORD ? conf_section_find(s->name) : CONF_SECTIONS;
	if (section != CONF_SECTIONS && s->section != CONF_TOP && opens) {
		conf_report(s->work, (struct conf_place){ s->source, s->opened },
			conf_section_names[s->section],
			"the section that begins here is not closed before line %d; add }",
			t->line);
		s->work->syntax = true;
		s->section = CONF_TOP;
	}
	if (section != CONF_SECTIONS && s->section == CONF_TOP && !is_mark(s, 1, '=')) {
		begin(s, section);
	} else if (t->kind != CONF_WORD) {
		syntax(s, t,
			t->kind == CONF_QUOTED
				? "a string where a key is expected; write KEY = VALUE"
				: "a key is expected here; write KEY = VALUE");
		s->at++;
		skip_line(s, t->line);
	} else if (opens) {
		unknown_key(s, t);
		while (!is_mark(s, 0, '{'))
			s->at++;
		skip_braces(s);
		erase(s, first);
	} else {
		key(s);
	}
}

void conf_scan(struct conf_work *work, size_t source)
{
	struct scan s = { .work = work, .source = source };

	while (peek(&s, 0) && !work->no_memory) {
		if (!is_mark(&s, 0, '}')) {
			one_statement(&s);
			continue;
		}
		if (s.section == CONF_TOP) {
			(void)snprintf(s.name, sizeof(s.name), "}"); /* fits */
			syntax(&s, peek(&s, 0),
				"it closes nothing; remove it, or open its section");
		}
		s.section = CONF_TOP;
		s.nth = 0;
		s.at++;
	}
	if (s.section != CONF_TOP) {
		conf_report(work, (struct conf_place){ source, s.opened },
			conf_section_names[s.section],
			"the section that begins here is not closed; add }");
		work->syntax = true;
	}
}
