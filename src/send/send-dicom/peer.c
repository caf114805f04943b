#include "peer.h"

#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"
#include "sender/sender.h"
#include "spool/series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_MAX_LENGTH = 253, MAX_TIMEOUT_S = 3600, MAX_CONNECTIONS = 16, LONGEST_PDU = 131072 };

#define MAX_RATE 1000000000000L /* bytes per second, as dcmspool.conf(5) has it */

/* A name, or an address of either family. */
static bool host_ok(const char *host)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:";
	size_t length = strlen(host);

	return length > 0 && length <= HOST_MAX_LENGTH && host[0] != '-' &&
	       strspn(host, allowed) == length;
}

/* An AE title without the blanks around it (PS3.5 6.2: 1 to 16 printable ASCII characters without
 * backslash), in memory that lives as long as the process; NULL when it is none. */
static const char *ae_title(const char *title)
{
	size_t length;

	title += strspn(title, " ");
	length = strlen(title);
	while (length > 0 && title[length - 1] == ' ')
		length--;
	if (length == 0 || length > WIRE_TITLE)
		return NULL;
	for (size_t i = 0; i < length; i++)
		if (title[i] < 0x20 || title[i] > 0x7e || title[i] == '\\')
			return NULL;
	return sender_copy(title, length);
}

/* A setting that is an AE title. */
static const char *ae_setting(const char *name, const char *otherwise)
{
	const char *title = otherwise ? sender_setting(name, otherwise) : sender_need(name);
	const char *checked = ae_title(title);

	if (!checked)
		sender_never("TARGET_%s is '%s', which is not an AE title (1 to 16 printable ASCII "
			     "characters without backslash)",
			name, title);
	return checked;
}

/* An AE title as it was received, or NULL, which the log tells. */
static const char *ae_received(const json_t *association, const char *key)
{
	const char *title = jsonfile_text(association, key), *checked = ae_title(title);

	if (!checked)
		log_warning("the job has no %s that can be passed on; the one of the configuration "
			    "is used aet='%s'",
			key, title);
	return checked;
}

/* Who sent the job: series.json's "association"; the caller calls json_decref(). */
static json_t *read_association(void)
{
	json_t *series = sender_series();
	json_t *association = json_incref(series_sender(series));

	if (!series)
		log_warning("unable to read series.json: %s", strerror(errno));
	json_decref(series);
	return association;
}

/* Replies to the one who sent the job: at its address, to the AE title that it called itself. */
static void return_to_sender(struct peer *peer, const json_t *association)
{
	const char *host = jsonfile_text(association, "peer");

	peer->aec = ae_title(jsonfile_text(association, "calling_aet"));
	if (!peer->aec || !host_ok(host) || strcmp(host, "local") == 0)
		return;
	peer->host = sender_copy(host, strlen(host));
}

/* What the job has to do with whom we call, and as whom. */
static void read_whom(struct peer *peer, bool job)
{
	bool back = sender_yes("RETURN_TO_SENDER"), pass = sender_yes("PASS_AET");
	json_t *association = NULL;
	const char *title;

	peer->aet = ae_setting("AET", "DCMSPOOL");
	if (!back) {
		peer->host = sender_need("HOST");
		peer->aec = ae_setting("AEC", NULL);
		if (!host_ok(peer->host))
			sender_never(
				"TARGET_HOST is '%s', which is neither a host name nor an address",
				peer->host);
	}
	if ((!back && !pass) || !job)
		return;
	association = read_association();
	if (back)
		return_to_sender(peer, association);
	/* Who replies does so as the one that was called. */
	title = pass ? ae_received(association, back ? "called_aet" : "calling_aet") : NULL;
	if (title)
		peer->aet = title;
	title = pass && !back ? ae_received(association, "called_aet") : NULL;
	if (title)
		peer->aec = title;
	json_decref(association);
}

/* The position of a word in a list that ends with NULL; dies on another word. */
static size_t one_of(const char *name, const char *const *words, const char *otherwise)
{
	const char *value = sender_setting(name, otherwise);
	struct buf list = { 0 };

	for (size_t i = 0; words[i]; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	for (size_t i = 0; words[i]; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", words[i]);
	sender_never("TARGET_%s is '%s'; it must be one of %s", name, value,
		list.failed ? "what the page says" : list.data);
}

static const char *readable_file(const char *name)
{
	const char *path = sender_setting(name, NULL);

	if (path && access(path, R_OK) < 0)
		sender_never("unable to read %s (TARGET_%s): %s", path, name, strerror(errno));
	return path;
}

static void read_tls(struct peer *peer)
{
	static const char *const ways[] = { "no", "yes", "false", "true", "off", "on", "anonymous",
		NULL };
	static const char *const profiles[] = { "bcp195", "modified", NULL };
	const size_t way = one_of("TLS", ways, "no");
	struct tls_settings *tls = &peer->tls_settings;
	char why[512];

	if (way < 6 && way % 2 == 0)
		return;
	tls->anonymous = way == 6;
	tls->modified = one_of("TLS_PROFILE", profiles, "bcp195") == 1;
	tls->host = peer->host;
	tls->name = sender_setting("TLS_NAME", NULL);
	tls->authorities = readable_file("TLS_CA");
	tls->certificate = readable_file("TLS_CERT");
	tls->key = sender_secret_file("TLS_KEY");
	if (!tls->key != !tls->certificate)
		sender_never(
			"TARGET_TLS_KEY and TARGET_TLS_CERT belong together; set both or none");
	peer->tls_library = tls_load(why, sizeof(why));
	if (!peer->tls_library)
		sender_own_fault("%s", why);
	peer->tls = peer->tls_library->open(tls, why, sizeof(why));
	if (!peer->tls)
		sender_never("%s", why);
}

void peer_read(struct peer *peer, bool job)
{
	static const char *const ways[] = { "never", "lossless", "lossy", NULL };

	*peer = (struct peer){ .port = sender_setting("PORT", "104") };
	(void)sender_number("PORT", 1, 65535, 104);
	peer->connect_s = sender_number("CONNECT_TIMEOUT", 1, MAX_TIMEOUT_S, 10);
	peer->timeout_s = sender_number("TIMEOUT", 1, MAX_TIMEOUT_S, 30);
	peer->longest = (uint32_t)sender_number("MAX_PDU", 4096, LONGEST_PDU, LONGEST_PDU);
	peer->nodelay = !sender_setting("NODELAY", NULL) || sender_yes("NODELAY");
	peer->connections = sender_number("CONNECTIONS", 1, MAX_CONNECTIONS, 1);
	peer->rate = sender_number("RATE_LIMIT", 0, MAX_RATE, 0);
	peer->decompress = (enum syntax_decompress)one_of("DECOMPRESS", ways, "never");
	read_whom(peer, job);
	read_tls(peer);
}

static bool differ(const char *a, const char *b)
{
	return !a != !b || (a && strcmp(a, b) != 0);
}

bool peer_again(struct peer *peer)
{
	const struct peer before = *peer;

	peer->host = peer->aec = NULL;
	read_whom(peer, true);
	peer->tls_settings.host = peer->host;
	return differ(peer->host, before.host) || differ(peer->aec, before.aec) ||
	       differ(peer->aet, before.aet);
}

void peer_call(const struct peer *peer, const struct associate_proposal *proposal, size_t count,
	struct association_call *call)
{
	*call = (struct association_call){
		.connection = { peer->host, peer->port, peer->connect_s * 1000,
			peer->timeout_s * 1000, peer->rate, peer->nodelay },
		.called = peer->aec,
		.calling = peer->aet,
		.proposal = proposal,
		.count = count,
		.longest = peer->longest,
		.secure = peer->tls ? peer->tls_library->secure : NULL,
		.context = peer->tls,
	};
}

void peer_close(struct peer *peer)
{
	if (peer->tls)
		peer->tls_library->close(peer->tls);
	peer->tls = NULL;
}
