#include "sender/ssh.h"

#include "base/log.h"
#include "base/str.h"
#include "sender/sender.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIVE_COUNT = 3, NAME_LIMIT = 253, LINES = 2 };

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static void __attribute__((format(printf, 2, 3)))
add(struct sender_ssh *ssh, const char *format, ...)
{
	char text[8192];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text) || ssh->count == SENDER_SSH_OPTIONS)
		die(EXIT_BUG, "unable to call ssh: an option is too long, or one too many");
	ssh->option[ssh->count] = strdup(text);
	if (!ssh->option[ssh->count++])
		sender_no_memory();
}

/* An option whose value is a file's name: in it ssh would replace %h, ${HOME} and the like. */
static void add_file(
	struct sender_ssh *ssh, const char *option, const char *setting, const char *path)
{
	struct buf quoted = { 0 };

	if (text_has_control(path) || strpbrk(path, "\"\\$"))
		sender_never("TARGET_%s is '%s'; ssh takes no such name, rename the file", setting,
			path);
	for (const char *c = path; *c; c++) {
		buf_add(&quoted, c, 1);
		if (*c == '%')
			buf_puts(&quoted, "%");
	}
	if (quoted.failed || !quoted.data)
		sender_no_memory();
	add(ssh, "-o%s=\"%s\"", option, quoted.data);
	buf_free(&quoted);
}

void sender_ssh_open(struct sender_ssh *ssh, long port, long timeout_s)
{
	long interval = timeout_s / ALIVE_COUNT;

	*ssh = (struct sender_ssh){ .known_hosts = sender_need("KNOWN_HOSTS") };
	(void)sender_need("KEY_FILE");
	ssh->key = sender_secret_file("KEY_FILE");
	if (ssh->key[0] != '/' || ssh->known_hosts[0] != '/')
		sender_never("TARGET_KEY_FILE and TARGET_KNOWN_HOSTS must be absolute");
	add(ssh, "-oBatchMode=yes");
	add(ssh, "-oStrictHostKeyChecking=yes");
	add_file(ssh, "UserKnownHostsFile", "KNOWN_HOSTS", ssh->known_hosts);
	add(ssh, "-oGlobalKnownHostsFile=/dev/null");
	add(ssh, "-oUpdateHostKeys=no");
	add_file(ssh, "IdentityFile", "KEY_FILE", ssh->key);
	add(ssh, "-oIdentitiesOnly=yes");
	add(ssh, "-oIdentityAgent=none");
	add(ssh, "-oPreferredAuthentications=publickey");
	add(ssh, "-oConnectTimeout=%ld", timeout_s);
	add(ssh, "-oServerAliveInterval=%ld", interval > 0 ? interval : 1);
	add(ssh, "-oServerAliveCountMax=%d", ALIVE_COUNT);
	add(ssh, "-oLogLevel=ERROR"); /* no banner of the server's among the reasons */
	if (port > 0)
		add(ssh, "-oPort=%ld", port);
}

void sender_ssh_close(struct sender_ssh *ssh)
{
	for (size_t i = 0; i < ssh->count; i++)
		free(ssh->option[i]);
	*ssh = (struct sender_ssh){ 0 };
}

static bool name_of(const char *name, const char *allowed)
{
	size_t length = strlen(name);

	return length > 0 && length <= NAME_LIMIT && name[0] != '-' &&
	       strspn(name, allowed) == length;
}

bool sender_ssh_host_ok(const char *host)
{
	return name_of(host, ALNUM "._-:");
}

bool sender_ssh_user_ok(const char *user)
{
	return name_of(user, ALNUM "._-+@");
}

/* The line says that something ended, and nothing about why. */
static bool empty_words(const char *line, size_t length)
{
	static const char *const words[] = { "Connection closed",
		"rsync error: ", "lost connection", "rsync: did not see server greeting",
		"rsync: connection unexpectedly closed",
		"Couldn't read packet: ", "rsync: [sender] read error: ",
		"rsync: [Receiver] read error: ", "rsync: [Receiver] write error: " };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(line, words[i], strlen(words[i])) == 0)
			return true;
	return length == 0;
}

/* Copies the last lines that say something. */
static void last_lines(const char *written, char *out, size_t size)
{
	const char *line[LINES] = { NULL };
	size_t length[LINES] = { 0 }, n = 0;

	for (const char *at = written; *at;) {
		size_t this = strcspn(at, "\r\n");

		if (!empty_words(at, this)) {
			if (n == LINES) {
				line[0] = line[1];
				length[0] = length[1];
				n--;
			}
			line[n] = at;
			length[n++] = this;
		}
		at += this;
		at += strspn(at, "\r\n");
	}
	if (n == 0)
		(void)snprintf(out, size, "the connection was closed");
	else if (n == 1)
		(void)snprintf(out, size, "%.*s", (int)length[0], line[0]);
	else
		(void)snprintf(
			out, size, "%.*s; %.*s", (int)length[0], line[0], (int)length[1], line[1]);
}

/* "Permission denied (publickey)." is ssh's; "Permission denied (13)" is rsync's. */
static bool key_refused(const char *written)
{
	static const char words[] = "Permission denied (";
	const char *at = strstr(written, words);

	while (at && at[sizeof(words) - 1] >= '0' && at[sizeof(words) - 1] <= '9')
		at = strstr(at + 1, words);
	return at != NULL;
}

const char *sender_ssh_reason(
	const struct sender_ssh *ssh, const char *written, char *out, size_t size)
{
	if (!ssh->key) /* it was not ssh's */
		last_lines(written, out, size);
	else if (strstr(written, "REMOTE HOST IDENTIFICATION HAS CHANGED"))
		(void)snprintf(out, size,
			"its host key is not the one in %s; "
			"if it was renewed on purpose, replace the line there",
			ssh->known_hosts);
	else if (strstr(written, "Host key verification failed"))
		(void)snprintf(out, size,
			"its host key is not in %s; "
			"add what ssh-keyscan prints, once the fingerprint has been compared",
			ssh->known_hosts);
	else if (strstr(written, "Load key "))
		(void)snprintf(out, size,
			"%s cannot be used; it must be a private key without a passphrase",
			ssh->key);
	else if (key_refused(written))
		(void)snprintf(out, size,
			"the key %s is refused; "
			"its public half must be in authorized_keys over there, "
			"and it must have no passphrase",
			ssh->key);
	else
		last_lines(written, out, size);
	return out;
}
