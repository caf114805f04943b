#include "peer.h"

#include "base/jsonfile.h"
#include "base/log.h"
#include "sender/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AE_TITLE_MAX = 16, HOST_MAX_LENGTH = 253, MAX_TIMEOUT_S = 3600, MAX_CONNECTIONS = 16 };

#define MAX_RATE 1000000000000L /* bytes per second, as dcmspool.conf(5) has it */

/* A host is an argument of its own, hence no '-' at the beginning. */
static bool host_ok(const char *host)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:";
	size_t length = strlen(host);

	return length > 0 && length <= HOST_MAX_LENGTH && host[0] != '-' &&
	       strspn(host, allowed) == length;
}

/* The argument for an AE title (PS3.5 6.2: 1 to 16 printable ASCII characters without backslash;
 * blanks around it do not count), in memory that lives as long as the process; NULL when it is
 * none, or when DCMTK cannot be told: a blank saves a title from being read as "@FILE", where there
 * is room for it. */
static const char *ae_argument(const char *title)
{
	char text[AE_TITLE_MAX + 1];
	size_t length;

	title += strspn(title, " ");
	length = strlen(title);
	while (length > 0 && title[length - 1] == ' ')
		length--;
	if (length == 0 || length > AE_TITLE_MAX || (title[0] == '@' && length == AE_TITLE_MAX))
		return NULL;
	for (size_t i = 0; i < length; i++)
		if (title[i] < 0x20 || title[i] > 0x7e || title[i] == '\\')
			return NULL;
	(void)snprintf(
		text, sizeof(text), "%s%.*s", title[0] == '@' ? " " : "", (int)length, title);
	title = strdup(text);
	if (!title)
		die(EXIT_TEMPORARY, "unable to read the settings: out of memory");
	return title;
}

/* A setting that is an AE title. */
static const char *ae_setting(const char *name, const char *otherwise)
{
	const char *title = otherwise ? sender_setting(name, otherwise) : sender_need(name);
	const char *argument = ae_argument(title);

	if (!argument)
		sender_never("TARGET_%s is '%s', which is not an AE title (1 to 16 printable ASCII "
			     "characters without backslash)",
			name, title);
	return argument;
}

/* An AE title as it was received, or NULL, which the log tells. */
static const char *ae_received(const json_t *association, const char *key)
{
	const char *title = jsonfile_text(association, key), *argument = ae_argument(title);

	if (!argument)
		log_warning("the job has no %s that can be passed on; the one of the configuration "
			    "is used aet='%s'",
			key, title);
	return argument;
}

/* Who sent the job: series.json's "association"; the caller calls json_decref(). */
static json_t *read_association(void)
{
	json_t *series = jsonfile_load(AT_FDCWD, "series.json");
	json_t *association = json_incref(json_object_get(series, "association"));

	if (!series)
		log_warning("unable to read series.json: %s", strerror(errno));
	json_decref(series);
	return association;
}

/* Replies to the one who sent the job: at its address, to the AE title that it called itself. */
static void return_to_sender(struct peer *peer, const json_t *association)
{
	const char *host = jsonfile_text(association, "peer");

	peer->aec = ae_argument(jsonfile_text(association, "calling_aet"));
	if (!peer->aec || !host_ok(host) || strchr(host, ':') || strcmp(host, "local") == 0)
		return; /* DCMTK 3.6.7 knows no IPv6 */
	peer->host = strdup(host);
	if (!peer->host)
		die(EXIT_TEMPORARY, "unable to read the settings: out of memory");
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

/* A file that DCMTK reads and only warns about when it cannot. */
static const char *readable_file(const char *name)
{
	const char *path = sender_setting(name, NULL);

	if (path && access(path, R_OK) < 0)
		sender_never("unable to read %s (TARGET_%s): %s", path, name, strerror(errno));
	return path;
}

static void read_tls(struct peer *peer)
{
	if (!sender_yes("TLS"))
		return;
	(void)sender_need("TLS_CA"); /* without it no certificate could be believed */
	peer->authority = readable_file("TLS_CA");
	peer->certificate = readable_file("TLS_CERT");
	peer->key = sender_secret_file("TLS_KEY");
	if (!peer->key != !peer->certificate)
		sender_never(
			"TARGET_TLS_KEY and TARGET_TLS_CERT belong together; set both or none");
	if (strcmp(peer->decompress, "never") != 0)
		sender_never("TARGET_DECOMPRESS is '%s', but with TLS nothing can be decompressed "
			     "(storescu does not); set it to never",
			peer->decompress);
}

void peer_read(struct peer *peer, bool job)
{
	static const char *const ways[] = { "never", "lossless", "lossy" };
	size_t way = 0;

	*peer = (struct peer){ 0 };
	(void)sender_number("PORT", 1, 65535, 104);
	(void)sender_number("TIMEOUT", 1, MAX_TIMEOUT_S, 30);
	(void)sender_number("MAX_PDU", 4096, 131072, 131072);
	peer->port = sender_setting("PORT", "104");
	peer->timeout = sender_setting("TIMEOUT", "30");
	peer->max_pdu = sender_setting("MAX_PDU", "131072");
	peer->nodelay = !sender_setting("NODELAY", NULL) || sender_yes("NODELAY");
	peer->connections = sender_number("CONNECTIONS", 1, MAX_CONNECTIONS, 1);
	peer->rate = sender_number("RATE_LIMIT", 0, MAX_RATE, 0);
	peer->decompress = sender_setting("DECOMPRESS", "never");
	while (way < 3 && strcmp(peer->decompress, ways[way]) != 0)
		way++;
	if (way == 3)
		sender_never("TARGET_DECOMPRESS is '%s'; it must be never, lossless or lossy",
			peer->decompress);
	read_tls(peer);
	read_whom(peer, job);
}
