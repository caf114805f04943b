#include "xml.h"

#include <string.h>

enum { DEPTH = 32, TAG = 8, TEXT = 256 };

enum kind { MODEL, ATTRIBUTE, ITEM, VALUE, OTHER };

static const struct {
	const char *name;
	enum kind kind, inside;
} elements[] = {
	{ "NativeDicomModel", MODEL, OTHER },
	{ "DicomAttribute", ATTRIBUTE, ITEM }, /* and in the model itself */
	{ "Item", ITEM, ATTRIBUTE },
	{ "Value", VALUE, ATTRIBUTE },
};

struct level {
	enum kind kind;
	json_t *json; /* a data set, or an attribute's values; borrowed, NULL when it is neither */
};

struct xml {
	struct level level[DEPTH]; /* level[0] is around the root */
	size_t depth;
	json_t *root;
	bool bad;
};

bool xml_is(const struct buf *text)
{
	size_t blank = text->data ? strspn(text->data, " \t\r\n\xef\xbb\xbf") : 0;

	return text->data && text->data[blank] == '<';
}

/* The name of an element without its prefix, from after '<'. */
static size_t local_name(const char **name)
{
	size_t length = strcspn(*name, " \t\r\n/>");
	const char *colon = memchr(*name, ':', length);

	if (colon) {
		length -= (size_t)(colon + 1 - *name);
		*name = colon + 1;
	}
	return length;
}

static enum kind kind_of(const struct xml *x, const char *name, size_t length)
{
	enum kind parent = x->level[x->depth].kind;

	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		if (strlen(elements[i].name) != length ||
			memcmp(elements[i].name, name, length) != 0)
			continue;
		if (elements[i].inside == parent ||
			(elements[i].kind == ATTRIBUTE && parent == MODEL))
			return elements[i].kind;
	}
	return OTHER;
}

/* The attribute's values, in the data set under its tag: tag="00081199", in either quotes. */
static json_t *add_attribute(json_t *set, const char *from, const char *end)
{
	char tag[TAG + 1];
	json_t *values = json_array();

	for (const char *at = from; at + 5 + TAG < end; at++) {
		if (strncmp(at, " tag=", 5) != 0 || (at[5] != '"' && at[5] != '\''))
			continue;
		memcpy(tag, at + 6, TAG);
		tag[TAG] = '\0';
		if (json_object_set_new(set, tag, json_pack("{s:O}", "Value", values)) < 0)
			break;
		json_decref(values); /* the data set has it */
		return values;
	}
	json_decref(values);
	return NULL;
}

static json_t *add_item(json_t *values)
{
	json_t *item = json_object();

	return json_array_append_new(values, item) < 0 ? NULL : item;
}

static void open_element(struct xml *x, const char *name, const char *end)
{
	struct level *parent = &x->level[x->depth];
	const char *local = name;
	size_t length = local_name(&local);
	struct level level = { kind_of(x, local, length), NULL };

	if (x->depth + 1 == DEPTH || (level.kind == MODEL && x->root)) {
		x->bad = true;
		return;
	}
	if (level.kind == MODEL)
		level.json = x->root = json_object();
	else if (level.kind == ATTRIBUTE)
		level.json = add_attribute(parent->json, local + length, end);
	else if (level.kind == ITEM)
		level.json = add_item(parent->json);
	x->bad |= level.kind < VALUE && !level.json;
	x->level[++x->depth] = level;
}

/* text..end: what stood before the closing tag. */
static void close_element(struct xml *x, const char *text, const char *end)
{
	if (x->depth == 0) {
		x->bad = true;
		return;
	}
	if (x->level[x->depth].kind == VALUE && end > text && end - text < TEXT)
		x->bad |= json_array_append_new(x->level[x->depth - 1].json,
				  json_stringn(text, (size_t)(end - text))) < 0;
	x->depth--;
}

/* Takes the tag that begins at '<'. Returns what follows it, NULL at an end that is none. */
static const char *take_tag(struct xml *x, const char *text, const char *from)
{
	const char *end;

	if (strncmp(from, "<!--", 4) == 0)
		return (end = strstr(from, "-->")) ? end + 3 : NULL;
	end = strchr(from, '>');
	if (!end || from[1] == '!') /* no document type: none of the model has one */
		return NULL;
	if (from[1] == '?')
		return end + 1;
	if (from[1] == '/') {
		close_element(x, text, from);
		return end + 1;
	}
	open_element(x, from + 1, end);
	if (end[-1] == '/' && !x->bad)
		close_element(x, end, end);
	return end + 1;
}

json_t *xml_read(const struct buf *text)
{
	struct xml x = { .level = { { OTHER, NULL } } };
	const char *at = text->data, *tag = NULL;

	while (at && !x.bad && (tag = strchr(at, '<')))
		at = take_tag(&x, at, tag);
	if (at && !x.bad && x.depth == 0 && x.root)
		return x.root;
	json_decref(x.root);
	return NULL;
}
