#include "destination.h"

#include "base/str.h"
#include "sender/sender.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_S = 60, MAX_TIMEOUT_S = 3600 };

#define MAX_RATE 1000000000000L

static const char scheme[] = "rsync://";
static const char pattern[] = "*?[\\";

bool destination_is_pattern(const char *text)
{
	return strpbrk(text, pattern) != NULL;
}

_Noreturn static void wrong(const char *text)
{
	sender_never("TARGET_DESTINATION is '%s'; "
		     "it must be like USER@HOST:/PATH, rsync://HOST/MODULE/PATH or /PATH",
		text);
}

/* The part of text from..to, checked: USER@HOST, HOST, USER@[ADDRESS]. */
static void check_host(const char *text, const char *from, const char *to)
{
	char *all = sender_copy(from, (size_t)(to - from)), *host = all, *at = strrchr(all, '@');

	if (at) {
		*at = '\0';
		host = at + 1;
		if (!sender_ssh_user_ok(all))
			wrong(text);
	}
	if (*host == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		host++;
	} else if (strchr(host, ':')) {
		wrong(text);
	}
	if (!sender_ssh_host_ok(host))
		wrong(text);
	free(all);
}

/* The end of the host in "[::1]..." or "host...". */
static const char *host_end(const char *from, const char *ends)
{
	const char *bracket = strchr(from, '['), *plain = from + strcspn(from, ends);

	if (bracket && bracket < plain && strchr(bracket, ']'))
		return strchr(bracket, ']') + 1;
	return plain;
}

/* A password is shown to nobody, so neither is a destination that has one. */
static void check_password(const char *from)
{
	const char *at = memchr(from, '@', strcspn(from, "/")), *colon = strchr(from, ':');

	if (at && colon && colon < at)
		sender_never("TARGET_DESTINATION has a password in it; "
			     "put that into a file, and name the file in TARGET_PASSWORD_FILE");
}

/* rsync://[USER@]HOST[:PORT]/MODULE[/PATH] */
static void check_daemon(const char *text)
{
	const char *from = text + strlen(scheme), *end = host_end(from, ":/");
	char port[8] = "1";
	long number;

	check_host(text, from, end);
	if (*end == ':') {
		size_t n = strcspn(++end, "/");

		if (n < sizeof(port)) {
			memcpy(port, end, n);
			port[n] = '\0';
		} else {
			wrong(text);
		}
		end += n;
	}
	if (parse_long(port, 1, 65535, &number) < 0 || *end != '/' || !end[1] || end[1] == '/' ||
		end[1] == '-')
		wrong(text);
}

/* [USER@]HOST:PATH */
static void check_ssh(const char *text)
{
	const char *end = host_end(text, ":/");

	check_host(text, text, end);
	if (*end != ':' || !end[1] || end[1] == ':' || end[1] == '-')
		wrong(text);
}

static enum destination_kind check(const char *text)
{
	const char *path = text;
	enum destination_kind kind = DESTINATION_LOCAL;

	if (text_has_control(text))
		sender_never("TARGET_DESTINATION has a control character in it");
	if (strncmp(text, scheme, strlen(scheme)) == 0) {
		check_password(text + strlen(scheme));
		check_daemon(text);
		kind = DESTINATION_DAEMON;
		path += strlen(scheme);
	} else if (*text != '/') {
		check_password(text);
		check_ssh(text);
		kind = DESTINATION_SSH;
	}
	if (kind != DESTINATION_LOCAL && destination_is_pattern(host_end(path, ":/")))
		sender_never("TARGET_DESTINATION is '%s'; rsync takes %s in it for a pattern", text,
			pattern);
	return kind;
}

/* The command for -e: rsync splits it at blanks and understands quotes; no shell sees it. */
static char *make_shell(const struct sender_ssh *ssh)
{
	struct buf b = { 0 };

	buf_puts(&b, "ssh -F none");
	for (size_t i = 0; i < ssh->count; i++) {
		buf_puts(&b, " '");
		for (const char *c = ssh->option[i]; *c; c++) {
			if (*c == '\'') /* doubled it stands for itself */
				buf_add(&b, c, 1);
			buf_add(&b, c, 1);
		}
		buf_puts(&b, "'");
	}
	if (b.failed)
		sender_no_memory();
	return b.data;
}

void destination_open(struct destination *d)
{
	const char *text = sender_need("DESTINATION");
	size_t length = strlen(text);

	*d = (struct destination){ .kind = check(text) };
	while (length > 1 && text[length - 1] == '/')
		length--;
	d->base = sender_copy(text, length);
	d->port = sender_number("PORT", 0, 65535, 0);
	d->timeout_s = sender_number("TIMEOUT", 1, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S);
	d->rate_limit = sender_number("RATE_LIMIT", 0, MAX_RATE, 0);
	if (d->kind == DESTINATION_SSH) {
		sender_ssh_open(&d->ssh, d->port, d->timeout_s);
		d->shell = make_shell(&d->ssh);
	} else if (d->kind == DESTINATION_DAEMON) {
		d->password_file = sender_secret_file("PASSWORD_FILE");
	}
}

void destination_close(struct destination *d)
{
	sender_ssh_close(&d->ssh);
	free(d->base);
	free(d->shell);
	*d = (struct destination){ 0 };
}

char *destination_path(const struct destination *d, const char *directory, const char *name)
{
	struct buf b = { 0 };

	buf_puts(&b, d->base);
	if (strcmp(d->base, "/") != 0)
		buf_puts(&b, "/");
	if (*directory == '-') /* below a module's root it would be an option of the daemon's */
		buf_puts(&b, "./");
	buf_printf(&b, "%s%s", directory, *directory ? "/" : "");
	if (name)
		buf_puts(&b, name);
	if (b.failed)
		sender_no_memory();
	return b.data;
}

char *destination_name(const char *name)
{
	struct buf b = { 0 };

	buf_puts(&b, name);
	if (!b.failed && destination_is_pattern(name)) {
		for (char *c = b.data; *c; c++)
			if (strchr(pattern, *c))
				*c = '_';
		buf_printf(&b, "~%08x", (unsigned)str_hash(name));
	}
	if (b.failed)
		sender_no_memory();
	return b.data;
}
