/*
 * string: the kinds of values that are kept as text: paths, hosts, AE titles, layouts,
 * settings.
 */
#define _GNU_SOURCE
#include "conf/work.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/hours.h"

void conf_parse_string(const struct conf_item *i)
{
	if (!*i->text)
		CONF_WRONG(i, "the value is empty; give one, or leave the key out");
	conf_set_string(i, i->text, strlen(i->text));
}

/* Leading "../" are taken off the directory, which has no symbolic links; others are left alone. */
void conf_parse_path(const struct conf_item *i)
{
	const char *directory = i->work->directory, *p = i->text;
	size_t length = strlen(directory);
	struct buf b = { 0 };

	if (!*p) {
		CONF_WRONG(i, "the value is empty; give a path");
		return;
	}
	while (*i->text != '/' && *p == '.') {
		if (p[1] == '.' && (p[2] == '/' || !p[2])) {
			while (length && directory[length - 1] != '/')
				length--;
			while (length && directory[length - 1] == '/')
				length--;
			p += 2;
		} else if (p[1] == '/' || !p[1]) {
			p += 1;
		} else {
			break;
		}
		while (*p == '/')
			p++;
	}
	if (*i->text != '/') {
		buf_add(&b, directory, length);
		if (*p && (!length || directory[length - 1] != '/'))
			buf_puts(&b, "/");
	}
	buf_puts(&b, p);
	while (!b.failed && b.length > 1 && b.data[b.length - 1] == '/')
		b.data[--b.length] = '\0';
	if (!b.failed && b.length == 0)
		buf_puts(&b, "/");
	if (b.failed)
		i->work->no_memory = true;
	else
		conf_set_string(i, b.data, b.length);
	buf_free(&b);
}

/* An IPv6 address, with the interface that a link-local one needs ("fe80::1%eth0") or without. */
static bool is_ipv6(const char *text)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	size_t n = strcspn(text, "%");

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	return inet_pton(AF_INET6, address, &in6) == 1;
}

/* A name (RFC 1123) or an address; checked for what can be neither, not resolved. */
void conf_parse_host(const struct conf_item *i)
{
	static const char characters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:%";
	size_t n = strspn(i->text, characters);
	const char *colon = strchr(i->text, ':');
	bool ok = n && !i->text[n] && *i->text != '-' && n <= 253;

	if (ok && colon && colon > i->text && colon[1] &&
		strspn(colon + 1, "0123456789") == strlen(colon + 1))
		CONF_WRONG(i, "\"%s\" has a port in it; write host = \"%.*s\" and port = %s",
			i->text, (int)(colon - i->text), i->text, colon + 1);
	else if (!ok || (colon && !is_ipv6(i->text)))
		CONF_WRONG(i,
			"\"%s\" is neither a host name nor an address; "
			"for example \"10.0.0.5\" or \"pacs.example.org\"",
			i->text);
	else
		conf_set_string(i, i->text, n);
}

void conf_parse_hours(const struct conf_item *i)
{
	int from_min, to_min;

	if (hours_read(i->text, &from_min, &to_min) < 0)
		CONF_WRONG(i, "\"%s\" are no hours; for example \"22:00-06:00\"", i->text);
	else
		conf_set_string(i, i->text, strlen(i->text));
}

/* PS3.5 6.2, AE: at most 16 characters of the default repertoire without backslash and controls;
 * leading and trailing spaces do not count. Only spaces: no title. Returns the length, 0 when
 * wrong. */
static size_t aet_length(const struct conf_item *i, const char **start)
{
	const char *p = i->text;
	size_t n;

	while (*p == ' ')
		p++;
	n = strlen(p);
	while (n && p[n - 1] == ' ')
		n--;
	*start = p;
	if (n > 16) {
		CONF_WRONG(i, "\"%s\" has %zu characters; an AE title has at most 16", i->text, n);
		return 0;
	}
	for (size_t k = 0; k < n; k++)
		if (p[k] < 0x20 || p[k] > 0x7e || p[k] == '\\')
			n = 0;
	if (!n)
		CONF_WRONG(i,
			"\"%s\" is not an AE title; 1 to 16 printable ASCII characters without "
			"backslash",
			i->text);
	return n;
}

void conf_parse_aet(const struct conf_item *i)
{
	const char *start;
	size_t n = aet_length(i, &start);

	if (n)
		conf_set_string(i, start, n);
}

void conf_parse_aets(const struct conf_item *i)
{
	const char *start;
	size_t n = aet_length(i, &start);

	if (n && !conf_repeated(i))
		conf_append_string(i, start, n);
}

/* What is in it, programs look at that know the dictionary (decide/rules.h). */
void conf_parse_layout(const struct conf_item *i)
{
	if (!*i->text)
		CONF_WRONG(i, "\"%s\" is no path below the target's; for example \"%s\"", i->text,
			i->key->initial);
	conf_set_string(i, i->text, strlen(i->text));
}

/* It is written beside the images, so it must not look like one. */
void conf_parse_marker(const struct conf_item *i)
{
	size_t n = strlen(i->text);

	if (!name_ok(*i->text == '.' ? i->text + 1 : i->text) ||
		(n >= 4 && strcmp(i->text + n - 4, ".dcm") == 0))
		CONF_WRONG(i,
			"\"%s\" cannot be the name of a marker; for example \"complete\" or "
			"\".complete\"",
			i->text);
	else
		conf_set_string(i, i->text, n);
}

/* A secret has its own key: in a URL it would be seen in logs and process lists. What may hold one
 * is not shown either. */
void conf_parse_url(const struct conf_item *i)
{
	size_t scheme = strncmp(i->text, "http://", 7) == 0    ? 7
			: strncmp(i->text, "https://", 8) == 0 ? 8
							       : 0;
	const char *host = i->text + scheme;
	size_t n = strlen(i->text);

	for (const char *c = i->text; *c; c++)
		if (*c <= ' ' || *c == 0x7f || strchr("\"\\<>^`{|}?#", *c))
			scheme = 0;
	if (memchr(host, '@', strcspn(host, "/")) || (!scheme && strchr(host, '@')))
		CONF_WRONG(i, "a user's name in a URL is not possible; use the keys for it");
	else if (!scheme || !*host || *host == '/')
		CONF_WRONG(i,
			"\"%s\" is not a URL; for example \"https://pacs.example.org/dicom-web\"",
			i->text);
	else
		conf_set_string(i, i->text, n - (i->text[n - 1] == '/'));
}

void conf_parse_names(const struct conf_item *i)
{
	if (!conf_repeated(i))
		conf_append_string(i, i->text, strlen(i->text));
}

void conf_parse_setting(const struct conf_item *i)
{
	const char *equals = strchr(i->text, '=');
	char name[65] = "";

	if (equals && (size_t)(equals - i->text) < sizeof(name))
		memcpy(name, i->text, (size_t)(equals - i->text));
	if (!*name || !name_ok(name)) {
		CONF_WRONG(i, "\"%s\" is not a setting; write \"name=value\"", i->text);
		return;
	}
	conf_append_string(i, name, strlen(name));
	conf_append_string(i, equals + 1, strlen(equals + 1));
}
