#include "dicom/layout.h"

#include "dicom/dictionary.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* NAME_MAX is 255: room stays for "~999" and a copy's suffix. "~" and 8 digits are the hash. */
enum { VALUE_MAX = 120, NAME_LIMIT = 240, HASH_LENGTH = 9, KEYWORD_MAX = 64 };

static const char extension[] = ".dcm";

/* A layout is a sequence of pieces. */
enum piece_kind { PIECE_END, PIECE_SLASH, PIECE_TEXT, PIECE_KEYWORD, PIECE_BAD };

struct piece {
	enum piece_kind kind;
	const char *text;
	size_t length;
};

static struct piece next_piece(const char **at)
{
	const char *p = *at;
	struct piece piece = { PIECE_END, p, 0 };

	if (*p == '\0')
		return piece;
	if (*p == '/') {
		piece = (struct piece){ PIECE_SLASH, p, 1 };
	} else if (*p == '{') {
		piece = (struct piece){ PIECE_KEYWORD, p + 1, strcspn(p + 1, "{}/") };
		if (p[1 + piece.length] != '}' || piece.length == 0 || piece.length >= KEYWORD_MAX)
			piece.kind = PIECE_BAD;
		*at = p + piece.length + 2;
		return piece;
	} else if (*p == '}') {
		piece = (struct piece){ PIECE_BAD, p, 1 };
	} else {
		piece = (struct piece){ PIECE_TEXT, p, strcspn(p, "{}/") };
	}
	*at = p + piece.length;
	return piece;
}

static void copy_keyword(char *out, const struct piece *piece)
{
	memcpy(out, piece->text, piece->length); /* next_piece() has bounded it */
	out[piece->length] = '\0';
}

static bool one_of(const char *keyword, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(keyword, *list) == 0)
			return true;
	return false;
}

bool layout_keyword(const char *keyword)
{
	static const char *const association[] = { "SenderAET", "ReceiverAET", "SenderAddress",
		NULL };
	static const char *const textless[] = { "SQ", "UN", "OB", "OD", "OF", "OL", "OV", "OW",
		NULL };
	const struct dicom_entry *entry = dicom_dictionary_keyword(keyword);

	return entry ? !one_of(entry->vr, textless) : one_of(keyword, association);
}

static bool distinguishes(const char *keyword)
{
	static const char *const keywords[] = { "SOPInstanceUID", "InstanceNumber", NULL };

	return one_of(keyword, keywords);
}

static const char *bad_text(const struct piece *piece, bool first)
{
	if (first && piece->text[0] == '.')
		return "a name must not begin with '.'";
	for (size_t i = 0; i < piece->length; i++)
		if ((unsigned char)piece->text[i] < 0x20 || piece->text[i] == 0x7f)
			return "it has a control character";
	return NULL;
}

static int check(const char *layout, bool different, char *why, size_t size)
{
	bool first = true;
	const char *at = layout, *bad = NULL;
	char keyword[KEYWORD_MAX];
	struct piece piece;
	size_t depth = 1, keywords = 0;

	do {
		piece = next_piece(&at);
		if (piece.kind == PIECE_BAD) {
			bad = "'{' and '}' must enclose a keyword, as in {PatientID}";
		} else if (piece.kind == PIECE_TEXT) {
			bad = bad_text(&piece, first);
		} else if (piece.kind == PIECE_KEYWORD) {
			copy_keyword(keyword, &piece);
			different = different || distinguishes(keyword);
			if (!layout_keyword(keyword)) {
				(void)snprintf(why, size,
					"layout: unknown keyword {%s}; use one of the standard "
					"whose value is text or numbers, as {PatientID}",
					keyword);
				return -1;
			}
			if (++keywords > LAYOUT_MAX_KEYWORDS)
				bad = "it has too many keywords";
		} else if (first) { /* a slash or the end, where a name should be */
			bad = "it must be names separated by single '/', with none at its ends";
		} else if (piece.kind == PIECE_SLASH && ++depth > LAYOUT_MAX_DEPTH) {
			bad = "it has too many '/'";
		}
		first = piece.kind == PIECE_SLASH;
	} while (!bad && piece.kind != PIECE_END);
	if (!bad && !different)
		bad = "nothing in it tells images apart; add {SOPInstanceUID}";
	if (bad)
		(void)snprintf(why, size, "layout: %s", bad);
	return bad ? -1 : 0;
}

int layout_check(const char *layout, char *why, size_t size)
{
	return check(layout, false, why, size);
}

int layout_check_directories(const char *layout, char *why, size_t size)
{
	return check(layout, true, why, size); /* as if something in it told images apart */
}

/* The length of the UTF-8 sequence at s (RFC 3629), 0 when it is none. */
static size_t sequence(const unsigned char *s)
{
	size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] > 0xf4 || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* Characters that no name gets: control characters (C1 too), and what Windows shares refuse. */
static bool allowed(const unsigned char *s, size_t length)
{
	if (length == 1)
		return *s >= 0x20 && *s != 0x7f && !strchr("/\\:*?\"<>|", *s);
	return length > 0 && !(s[0] == 0xc2 && s[1] < 0xa0);
}

/* Shortens b to at most max bytes without cutting a character in two. */
static void cut(struct buf *b, size_t max)
{
	if (b->length <= max)
		return;
	while (max > 0 && ((unsigned char)b->data[max] & 0xc0) == 0x80)
		max--;
	b->length = max;
	b->data[max] = '\0';
}

/* Adds a value to a name, made safe. */
static void add_value(struct buf *name, const char *value)
{
	struct buf clean = { 0 };
	bool changed = false;
	size_t length;

	value += strspn(value, " "); /* PS3.5 6.2: insignificant around all but text */
	length = strlen(value);
	while (length > 0 && value[length - 1] == ' ')
		length--;
	for (size_t i = 0; i < length;) {
		const unsigned char *s = (const unsigned char *)value + i;
		size_t n = sequence(s);
		bool keep =
			allowed(s, n) && !(i == 0 && *s == '.') && !(i + 1 == length && *s == '.');

		buf_add(&clean, keep ? (const char *)s : "_", keep ? n : 1);
		changed = changed || !keep;
		i += n ? n : 1;
	}
	if (changed || clean.length > VALUE_MAX) {
		cut(&clean, VALUE_MAX - HASH_LENGTH);
		buf_printf(&clean, "~%08x", (unsigned)str_hash(value));
	}
	name->failed = name->failed || clean.failed;
	buf_puts(name, clean.length ? clean.data : "unknown");
	buf_free(&clean);
}

static size_t extension_length(const char *name)
{
	size_t length = strlen(name), n = sizeof(extension) - 1;

	return length > n && strcmp(name + length - n, extension) == 0 ? n : 0;
}

/* Several long values in one name. */
static void bound(struct buf *name)
{
	size_t tail;
	uint32_t hash;

	if (name->failed || name->length <= NAME_LIMIT)
		return;
	tail = extension_length(name->data);
	hash = str_hash(name->data);
	cut(name, NAME_LIMIT - HASH_LENGTH - tail);
	buf_printf(name, "~%08x%s", (unsigned)hash, tail ? extension : "");
}

int layout_expand(
	const char *layout, layout_value_fn *value, const void *context, struct layout_path *path)
{
	char keyword[KEYWORD_MAX];
	struct buf name = { 0 };
	struct piece piece;

	*path = (struct layout_path){ 0 };
	do {
		piece = next_piece(&layout);
		if (piece.kind == PIECE_TEXT) {
			buf_add(&name, piece.text, piece.length);
		} else if (piece.kind == PIECE_KEYWORD) {
			copy_keyword(keyword, &piece);
			add_value(&name, value(context, keyword));
		} else {
			bound(&name);
			if (name.failed || !name.data || path->count == LAYOUT_MAX_DEPTH) {
				buf_free(&name);
				return -1;
			}
			path->name[path->count++] = name.data;
			name = (struct buf){ 0 };
		}
	} while (piece.kind != PIECE_END);
	return 0;
}

void layout_free(struct layout_path *path)
{
	for (size_t i = 0; i < path->count; i++)
		free(path->name[i]);
	*path = (struct layout_path){ 0 };
}

char *layout_numbered(const char *name, unsigned n)
{
	size_t tail = extension_length(name);
	struct buf b = { 0 };

	if (n < 2)
		return strdup(name);
	buf_add(&b, name, strlen(name) - tail);
	buf_printf(&b, "~%u%s", n, tail ? extension : "");
	if (b.failed)
		buf_free(&b);
	return b.data;
}
