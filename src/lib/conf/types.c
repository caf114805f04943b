/*
 * types: the types of targets, one row each: the keys that only its targets have, and what these
 * say about each other.
 */
#include "conf/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DAY_S = 24 * 3600 };
/* Where a series goes in targets that hold files. */
#define PER_SERIES "{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}"

/* clang-format off */
static const struct conf_key dicom_keys[] = {
	{ CONF_TARGET, "host", CONF_HOST, .initial = "" },
	{ CONF_TARGET, "port", CONF_NUMBER, .initial = "104", .min = 1, .max = 65535 },
	{ CONF_TARGET, "aec", CONF_AET, .initial = "" },
	{ CONF_TARGET, "aet", CONF_AET, .initial = "DCMSPOOL" },
	{ CONF_TARGET, "timeout", CONF_SECONDS, .initial = "30s", .min = 1, .max = 3600 },
	{ CONF_TARGET, "connect_timeout", CONF_SECONDS, .initial = "10s", .min = 1, .max = 3600 },
	{ CONF_TARGET, "pass_aet", CONF_BOOL, .initial = "false", .choices = CONF_BOOLEAN },
	{ CONF_TARGET, "return_to_sender", CONF_BOOL, .initial = "false", .choices = CONF_BOOLEAN },
	{ CONF_TARGET, "connections", CONF_NUMBER, .initial = "1", .min = 1, .max = 16 },
	{ CONF_TARGET, "decompress", CONF_CHOICE,
		.initial = "never", .choices = "never|lossless|lossy" },
	{ CONF_TARGET, "max_pdu", CONF_NUMBER, .initial = "131072", .min = 4096, .max = 131072 },
	{ CONF_TARGET, "nodelay", CONF_BOOL, .initial = "true", .choices = CONF_BOOLEAN },
	{ CONF_TARGET, "tls", CONF_CHOICE,
		.initial = "false", .choices = CONF_BOOLEAN "|anonymous" },
	{ CONF_TARGET, "tls_name", CONF_HOST, .initial = "" },
	{ CONF_TARGET, "tls_profile", CONF_CHOICE,
		.initial = "bcp195", .choices = "bcp195|modified" },
	{ CONF_TARGET, "tls_key", CONF_SECRET, .initial = "" },
	{ CONF_TARGET, "tls_cert", CONF_FILE, .initial = "" },
	{ CONF_TARGET, "tls_ca", CONF_FILE, .initial = "" },
};

static const struct conf_key folder_keys[] = {
	{ CONF_TARGET, "path", CONF_PATH, .initial = NULL },
	{ CONF_TARGET, "layout", CONF_LAYOUT,
		.initial = PER_SERIES "/{SOPInstanceUID}.dcm" },
	{ CONF_TARGET, "marker", CONF_MARKER, .initial = "" },
	{ CONF_TARGET, "copy", CONF_BOOL, .initial = "false", .choices = CONF_BOOLEAN },
	{ CONF_TARGET, "mounted", CONF_BOOL, .initial = "false", .choices = CONF_BOOLEAN },
};

static const struct conf_key dicomweb_keys[] = {
	{ CONF_TARGET, "url", CONF_URL, .initial = NULL },
	{ CONF_TARGET, "username", CONF_STRING, .initial = "" },
	{ CONF_TARGET, "password_file", CONF_SECRET, .initial = "" },
	{ CONF_TARGET, "token_file", CONF_SECRET, .initial = "" },
	{ CONF_TARGET, "ca_file", CONF_FILE, .initial = "" },
	{ CONF_TARGET, "request_size", CONF_BYTES,
		.initial = "100M", .min = 1, .max = 1000L * 1000 * 1000 * 1000 },
	{ CONF_TARGET, "timeout", CONF_SECONDS, .initial = "60s", .min = 1, .max = 3600 },
};

static const struct conf_key sftp_keys[] = {
	{ CONF_TARGET, "host", CONF_HOST, .initial = NULL },
	{ CONF_TARGET, "port", CONF_NUMBER, .initial = "22", .min = 1, .max = 65535 },
	{ CONF_TARGET, "username", CONF_STRING, .initial = NULL },
	{ CONF_TARGET, "key_file", CONF_SECRET, .initial = NULL },
	{ CONF_TARGET, "known_hosts", CONF_FILE, .initial = NULL },
	{ CONF_TARGET, "folder", CONF_STRING, .initial = NULL },
	{ CONF_TARGET, "layout", CONF_LAYOUT, .initial = PER_SERIES "/{SOPInstanceUID}.dcm" },
	{ CONF_TARGET, "marker", CONF_MARKER, .initial = "" },
	{ CONF_TARGET, "timeout", CONF_SECONDS, .initial = "60s", .min = 1, .max = 3600 },
};

static const struct conf_key rsync_keys[] = {
	{ CONF_TARGET, "destination", CONF_STRING, .initial = NULL },
	{ CONF_TARGET, "port", CONF_NUMBER, .initial = "0", .min = 0, .max = 65535 },
	{ CONF_TARGET, "key_file", CONF_SECRET, .initial = "" },
	{ CONF_TARGET, "known_hosts", CONF_FILE, .initial = "" },
	{ CONF_TARGET, "password_file", CONF_SECRET, .initial = "" },
	{ CONF_TARGET, "layout", CONF_LAYOUT_DIRECTORIES, .initial = PER_SERIES },
	{ CONF_TARGET, "marker", CONF_MARKER, .initial = "" },
	{ CONF_TARGET, "timeout", CONF_SECONDS, .initial = "60s", .min = 1, .max = 3600 },
};

static const struct conf_key s3_keys[] = {
	{ CONF_TARGET, "url", CONF_URL, .initial = NULL },
	{ CONF_TARGET, "region", CONF_STRING, .initial = "us-east-1" },
	{ CONF_TARGET, "key_file", CONF_SECRET, .initial = NULL },
	{ CONF_TARGET, "layout", CONF_LAYOUT_UNIQUE,
		.initial = PER_SERIES "/{SOPInstanceUID}.dcm" },
	{ CONF_TARGET, "marker", CONF_MARKER, .initial = "" },
	{ CONF_TARGET, "ca_file", CONF_FILE, .initial = "" },
	{ CONF_TARGET, "timeout", CONF_SECONDS, .initial = "60s", .min = 1, .max = 3600 },
};

static const struct conf_key command_keys[] = {
	{ CONF_TARGET, "command", CONF_STRING, .initial = NULL },
	{ CONF_TARGET, "per", CONF_CHOICE, .initial = "job", .choices = "job|image" },
	{ CONF_TARGET, "timeout", CONF_SECONDS, .initial = "1h", .min = 1, .max = DAY_S },
};

static const struct conf_key other_keys[] = {
	{ CONF_TARGET, "settings", CONF_SETTINGS,
		.offset = offsetof(struct conf_target, setting.item),
		.count_offset = offsetof(struct conf_target, setting.count), .initial = "" },
};
/* clang-format on */

static bool is_yes(const struct conf_target *target, const char *key)
{
	const char *value = conf_setting(target, key);

	return value && strcmp(value, "yes") == 0;
}

static bool is_set(const struct conf_work *work, size_t nth, const char *key)
{
	return conf_find(work, CONF_TARGET, nth, key) != NULL;
}

/* Where the target is: given, or the sender's. */
static void check_dicom_place(struct conf_work *work, size_t nth)
{
	static const char *const where[] = { "host", "aec" };
	bool back = is_yes(&work->conf->target[nth], "return_to_sender");

	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		bool given = is_set(work, nth, where[i]);

		if (!given && !back)
			CONF_REPORT(work, CONF_TARGET, nth, where[i],
				"this key is missing; "
				"add %s = ... to the target, or return_to_sender = yes",
				where[i]);
		if (given && back)
			CONF_REPORT(work, CONF_TARGET, nth, where[i],
				"with return_to_sender it is the sender's; remove one of the two");
	}
}

/* A word that means TLS in some way. */
static bool has_tls(const struct conf_target *target)
{
	static const char *const words[] = { "yes", "true", "on", "anonymous" };
	const char *value = conf_setting(target, "tls");

	for (size_t i = 0; value && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}

static void check_dicom_tls(struct conf_work *work, size_t nth)
{
	static const char *const tls[] = { "tls_name", "tls_key", "tls_cert", "tls_ca" };
	static const char *const checks[] = { "tls_name", "tls_ca" };
	const struct conf_target *target = &work->conf->target[nth];
	const char *value = conf_setting(target, "tls");
	bool has_key = is_set(work, nth, "tls_key"), has_cert = is_set(work, nth, "tls_cert");

	for (size_t i = 0; i < sizeof(tls) / sizeof(tls[0]); i++)
		if (is_set(work, nth, tls[i]) && !has_tls(target))
			CONF_REPORT(
				work, CONF_TARGET, nth, tls[i], "it has no use without tls = yes");
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (is_set(work, nth, checks[i]) && value && strcmp(value, "anonymous") == 0)
			CONF_REPORT(work, CONF_TARGET, nth, checks[i],
				"with tls = anonymous no certificate is looked at; "
				"remove one of the two");
	if (has_key != has_cert)
		CONF_REPORT(work, CONF_TARGET, nth, has_key ? "tls_key" : "tls_cert",
			"a client certificate needs tls_key and tls_cert; add the other");
}

static void check_dicom(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];
	const char *text = conf_setting(target, "connections");
	long connections = text ? strtol(text, NULL, 10) : 1; /* it is a number */

	check_dicom_place(work, nth);
	check_dicom_tls(work, nth);
	if (connections > target->max_connections)
		CONF_REPORT(work, CONF_TARGET, nth, "connections",
			"%ld is more than max_connections (%ld); raise that, or lower this",
			connections, target->max_connections);
}

/* A folder inside the spool would be taken for a part of it. */
static void check_folder(struct conf_work *work, size_t nth)
{
	const char *path = conf_setting(&work->conf->target[nth], "path");
	const char *spool = work->conf->spool;
	size_t n = spool ? strlen(spool) : 0;

	if (!path || !n)
		return;
	if (strncmp(path, spool, n) == 0 && (path[n] == '/' || path[n] == '\0'))
		CONF_REPORT(work, CONF_TARGET, nth, "path",
			"%s lies in the spool %s; give a path outside of it", path, spool);
}

/* What one of them delivers, the other one finds there, and neither is told. */
static void warn_folder(struct conf_work *work, size_t nth)
{
	const char *path = conf_setting(&work->conf->target[nth], "path");

	for (size_t i = 0; i < nth; i++) {
		const struct conf_target *other = &work->conf->target[i];
		const char *same = conf_setting(other, "path");

		if (!same || strcmp(other->type, "folder") != 0 || strcmp(same, path) != 0)
			continue;
		CONF_REPORT(work, CONF_TARGET, nth, "path",
			"warning: target \"%s\" has this path, too; give each its own, or use one",
			other->name);
		return;
	}
}

/* The ports that are registered for DICOM without TLS (PS3.8 9.1); 2762 is the one with it. */
static void warn_dicom(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];
	const char *port = conf_setting(target, "port"); /* which has a default */

	if (has_tls(target) && (strcmp(port, "104") == 0 || strcmp(port, "11112") == 0))
		CONF_REPORT(work, CONF_TARGET, nth, "port",
			"warning: %s is a port for DICOM without TLS; "
			"set port = 2762 if that is where the target has it",
			port);
}

static void check_dicomweb(struct conf_work *work, size_t nth)
{
	bool user = is_set(work, nth, "username"), password = is_set(work, nth, "password_file");

	if (user != password)
		CONF_REPORT(work, CONF_TARGET, nth, user ? "username" : "password_file",
			"basic authentication needs username and password_file; add the other");
}

/* USER:PASSWORD@HOST, with a scheme or without. */
static bool has_password(const char *destination)
{
	const char *scheme = strstr(destination, "://");
	const char *from = scheme ? scheme + 3 : destination;
	const char *at = memchr(from, '@', strcspn(from, "/")), *colon = strchr(from, ':');

	return at && colon && colon < at;
}

/* The value is not shown where it may hold a password. */
static void check_rsync(struct conf_work *work, size_t nth)
{
	static const char *const needed[] = { "key_file", "known_hosts" };
	const char *destination = conf_setting(&work->conf->target[nth], "destination");

	if (!destination || *destination == '/')
		return;
	if (has_password(destination)) {
		CONF_REPORT(work, CONF_TARGET, nth, "destination",
			"a password in it is not possible; use password_file, for a daemon, or "
			"key_file");
		return;
	}
	if (strncmp(destination, "rsync://", 8) == 0)
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!is_set(work, nth, needed[i]))
			CONF_REPORT(work, CONF_TARGET, nth, needed[i],
				"this key is missing; over ssh rsync needs key_file and "
				"known_hosts");
}

static void check_command(struct conf_work *work, size_t nth)
{
	const char *command = conf_setting(&work->conf->target[nth], "command");

	if (command && *command != '/')
		CONF_REPORT(work, CONF_TARGET, nth, "command",
			"\"%s\" does not begin with an absolute path; for example "
			"\"/usr/local/bin/notify\"",
			command);
}

/* The program may be there, or be executable, for the user that dcmspool runs as only. */
static void warn_command(struct conf_work *work, size_t nth)
{
	const char *command = conf_setting(&work->conf->target[nth], "command");
	char *program = conf_copy(work, command, strcspn(command, " "));
	struct stat st;

	if (!program)
		return;
	if (stat(program, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			CONF_REPORT(work, CONF_TARGET, nth, "command",
				"warning: there is no program %s; install it", program);
	} else if (!S_ISREG(st.st_mode)) {
		CONF_REPORT(work, CONF_TARGET, nth, "command",
			"warning: %s is no program; give the path of one", program);
	} else if (!(st.st_mode & 0111)) {
		CONF_REPORT(work, CONF_TARGET, nth, "command",
			"warning: nobody may run %s; chmod +x %s", program, program);
	}
	free(program);
}

#define KEYS(list) .key = (list), .key_count = sizeof(list) / sizeof((list)[0])

const struct conf_type conf_types[] = {
	{ .name = "dicom",
		KEYS(dicom_keys),
		.takes_ahead = true,
		.reads_itself = true,
		.check = check_dicom,
		.warn = warn_dicom },
	{ .name = "folder",
		KEYS(folder_keys),
		.unpaced = true,
		.check = check_folder,
		.warn = warn_folder },
	{ .name = "dicomweb", KEYS(dicomweb_keys), .check = check_dicomweb },
	{ .name = "sftp", KEYS(sftp_keys) },
	{ .name = "rsync", KEYS(rsync_keys), .check = check_rsync },
	{ .name = "s3", KEYS(s3_keys) },
	{ .name = "command",
		KEYS(command_keys),
		.unpaced = true,
		.check = check_command,
		.warn = warn_command },
	{ .name = NULL, KEYS(other_keys) },
};
const size_t conf_type_count = sizeof(conf_types) / sizeof(conf_types[0]);

const struct conf_type *conf_type_find(const char *name)
{
	const struct conf_type *type = conf_types;

	while (type->name && strcmp(type->name, name) != 0)
		type++;
	return type;
}

const struct conf_type *conf_key_type(const struct conf_key *key)
{
	for (size_t t = 0; t < conf_type_count; t++)
		for (size_t i = 0; i < conf_types[t].key_count; i++)
			if (&conf_types[t].key[i] == key)
				return &conf_types[t];
	return NULL;
}

bool conf_key_applies(const struct conf_key *key, const char *type)
{
	const struct conf_type *owner = conf_key_type(key);

	return !owner || owner == conf_type_find(type);
}
