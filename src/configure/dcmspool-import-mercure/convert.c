/*
 * convert: the types of mercure's targets, each by its own function. A value that ours cannot have
 * makes the part unusable.
 */
#include "import.h"

#include <stdio.h>
#include <string.h>

/* What dcmspool.conf(5) has for the spool; a folder in it would be taken for a part of it. */
#define SPOOL "/var/spool/dcmspool"

/* mercure's folders and keys have one series each, under a random name, with ".complete" in the
 * end. */
#define SERIES "{SeriesInstanceUID}"
#define IMAGE  SERIES "/{SOPInstanceUID}.dcm"

/* A file of the target that the user has to make; its path is relative to the configuration. */
static void put_file(struct part *part, const char *name, const char *key, const char *suffix,
	const char *content)
{
	char file[IMPORT_NAME + 32];

	(void)snprintf(file, sizeof(file), "%s.%s", name, suffix); /* fits */
	if (put(part, key, file))
		note(part, NULL, "make the file %s beside the configuration, with %s", file,
			content);
}

static void put_ssh_files(struct part *part, const char *name)
{
	if (take_secret(part, "password"))
		note(part, "password", "no counterpart: a key is used, not a password");
	put_file(part, name, "key_file", "key",
		"a private key (ssh-keygen -N '' -f FILE) whose public key the server knows, "
		"readable by the user of dcmspool only");
	put_file(part, name, "known_hosts", "known_hosts",
		"the server's public key (ssh-keyscan), compared by other means");
}

static void told_layout(const struct part *part)
{
	note(part, "folder", "each series goes to %s in it, not to a folder with a random name",
		SERIES);
}

static void common_dicom(struct part *part, const char *otherwise)
{
	bool sender = take_bool(part, "pass_sender_aet"),
	     receiver = take_bool(part, "pass_receiver_aet");

	if (strcmp(take(part, "ip"), "sender") == 0) {
		(void)put(part, "return_to_sender", "true"); /* one of the choices */
		if (*take(part, "aet_target"))
			note(part, "aet_target",
				"no counterpart: with return_to_sender it is the "
				"sender's AE title");
	} else {
		carry(part, "ip", "host", "");
		carry(part, "aet_target", "aec", "ANY-SCP"); /* dcmsend's default */
	}
	carry(part, "port", "port", "104");
	carry(part, "aet_source", "aet", otherwise);
	if (sender && receiver)
		(void)put(part, "pass_aet", "true");
	else if (sender || receiver)
		note(part, sender ? "pass_sender_aet" : "pass_receiver_aet",
			"no counterpart: pass_aet passes on both AE titles, or none");
	if (strcmp(take(part, "direction"), "pull") == 0)
		refuse(part, "direction", "no counterpart: nothing is fetched");
}

static void dicom(struct part *part, const char *name)
{
	(void)name; /* needs no file */
	common_dicom(part, "DCMSEND");
}

static void dicomtls(struct part *part, const char *name)
{
	const char *key = take(part, "tls_key"), *cert = take(part, "tls_cert");

	(void)name; /* mercure has the files already */
	common_dicom(part, "STORESCU");
	(void)put(part, "tls", "yes"); /* one of the choices */
	if (*key && *cert) {
		carry(part, "tls_key", "tls_key", "");
		carry(part, "tls_cert", "tls_cert", "");
	} else if (*key || *cert) {
		note(part, *key ? "tls_key" : "tls_cert", "of no use alone; the other is missing");
	}
	carry(part, "ca_cert", "tls_ca", "");
}

/* The URL without a user's name and password, which may stand in it. */
static void put_url(struct part *part, const char *url, const char *prefix)
{
	const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url, *at = host;
	const char *end = host + strcspn(host, "/?#");
	struct buf text = { 0 };

	for (const char *p = host; p < end; p++)
		at = *p == '@' ? p + 1 : at;
	if (at > host)
		note(part, "url",
			"the user's name and the password in it are left out; give "
			"username and password_file");
	buf_add(&text, url, (size_t)(host - url));
	buf_puts(&text, at);
	if (*prefix)
		buf_printf(&text, "%s%s",
			text.length && text.data[text.length - 1] == '/' ? "" : "/", prefix);
	if (text.failed)
		need(NULL);
	if (!put(part, "url", text.data))
		refuse(part, "url", "url cannot have this value; it takes http:// and https://");
	buf_free(&text);
}

static void dicomweb(struct part *part, const char *name)
{
	const char *user, *prefix = take(part, "stow_url_prefix");
	bool password, token = take_secret(part, "access_token");

	put_url(part, take(part, "url"), prefix);
	user = take(part, "http_user");
	password = take_secret(part, "http_password");
	if (*user && password) { /* mercure prefers them to the token */
		carry(part, "http_user", "username", "");
		put_file(part, name, "password_file", "password",
			"the password, readable by the user of dcmspool only");
	} else if (token) {
		put_file(part, name, "token_file", "token",
			"the access token, readable by the user of dcmspool only");
	}
	if (strcmp(take(part, "direction"), "pull") == 0)
		refuse(part, "direction", "no counterpart: nothing is fetched");
	(void)take(part, "qido_url_prefix"); /* for what is fetched */
	(void)take(part, "wado_url_prefix");
}

static void sftp(struct part *part, const char *name)
{
	carry(part, "host", "host", "");
	carry(part, "user", "username", "");
	carry(part, "folder", "folder", ".");
	put_ssh_files(part, name);
	(void)put(part, "layout", IMAGE);
	(void)put(part, "marker", ".complete");
	told_layout(part);
}

/* True for a host that a key of that kind takes. */
static bool is_host(const char *host)
{
	return *host &&
	       strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789.-_") == strlen(host) &&
	       *host != '-';
}

static void rsync(struct part *part, const char *name)
{
	const char *user = take(part, "user"), *host = take(part, "host");
	const char *folder = take(part, "folder");
	struct buf destination = { 0 };

	/* these go into one text, so each must be none but itself */
	if (!name_ok(user))
		refuse(part, "user", "it cannot be a part of destination");
	if (!is_host(host))
		refuse(part, "host", "it cannot be a part of destination");
	buf_printf(&destination, "%s@%s:%s", user, host, folder);
	if (destination.failed)
		need(NULL);
	if (part->usable && !put(part, "destination", destination.data))
		refuse(part, "folder", "destination cannot have this value");
	buf_free(&destination);
	put_ssh_files(part, name);
	(void)put(part, "layout", SERIES);
	(void)put(part, "marker", ".complete");
	told_layout(part);
	if (take_bool(part, "run_on_complete"))
		note(part, "run_on_complete", "no counterpart: nothing is run on the server");
}

static void s3(struct part *part, const char *name)
{
	const char *region = take(part, "region"), *bucket = take(part, "bucket");
	const char *prefix = take(part, "prefix");
	struct buf text = { 0 };

	(void)take_secret(part, "access_key_id"); /* the file is needed, whether mercure has them */
	(void)take_secret(part, "secret_access_key");
	region = *region ? region : "us-east-1";
	if (!name_ok(region) || !name_ok(bucket)) {
		refuse(part, name_ok(region) ? "bucket" : "region", "it cannot be a part of url");
		return;
	}
	buf_printf(&text, "https://s3.%s.amazonaws.com%s/%s", region,
		strncmp(region, "cn-", 3) == 0 ? ".cn" : "", bucket);
	if (text.failed)
		need(NULL);
	if (!put(part, "url", text.data))
		refuse(part, "bucket", "it cannot be a part of url");
	carry(part, "region", "region", "us-east-1");
	put_file(part, name, "key_file", "key",
		"ACCESS_KEY_ID:SECRET_ACCESS_KEY in its first line, readable by the user of "
		"dcmspool only");
	buf_free(&text);
	prefix += strspn(prefix, "/");
	buf_add(&text, prefix, strlen(prefix));
	while (text.length && text.data[text.length - 1] == '/')
		text.data[--text.length] = '\0';
	buf_printf(&text, "%s%s", text.length ? "/" : "", IMAGE);
	if (text.failed)
		need(NULL);
	if (!put(part, "layout", text.data))
		refuse(part, "prefix", "it cannot be a part of layout");
	buf_free(&text);
	note(part, "prefix", "each series goes to %s below it, not to a random name", SERIES);
}

static void folder(struct part *part, const char *name)
{
	const char *path = take(part, "folder");

	(void)name; /* needs no file */
	carry(part, "folder", "path", "");
	if (*path && *path != '/')
		note(part, "folder", "the path is relative: here, to the configuration");
	if (strncmp(path, SPOOL, strlen(SPOOL)) == 0 && strchr("/", path[strlen(SPOOL)]))
		refuse(part, "folder", "a path in the spool %s is not possible", SPOOL);
	(void)put(part, "layout", IMAGE);
	(void)put(part, "marker", ".complete");
	(void)put(part, "copy", "true"); /* mercure copies; readers may change what they get */
	told_layout(part);
}

/* mercure's takes everything and does nothing. */
static void dummy(struct part *part, const char *name)
{
	(void)name; /* needs no file */
	(void)put(part, "command", "/bin/true");
}

static const struct import_type types[] = {
	{ "dicom", "dicom", dicom },
	{ "dicomtls", "dicom", dicomtls },
	{ "dicom+tls", "dicom", dicomtls },
	{ "dicomweb", "dicomweb", dicomweb },
	{ "sftp", "sftp", sftp },
	{ "rsync", "rsync", rsync },
	{ "s3", "s3", s3 },
	{ "folder", "folder", folder },
	{ "dummy", "command", dummy },
};

const struct import_type *import_type(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].mercure, *name ? name : "dicom") == 0)
			return &types[i];
	return NULL;
}
