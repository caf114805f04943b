/*
 * schema: every section and key of dcmspool.conf(5), with its kind, range and default.
 *
 * This table is all there is to a key: the parser, the checks, the defaults, dcmspool-conf and the
 * test that compares the manual page read it.
 */
#include "conf/impl.h"

#include <limits.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY_S = 24 * 3600 };

const char *const conf_section_names[CONF_SECTIONS] = {
	[CONF_TOP] = "",
	[CONF_RECEIVER] = "receiver",
	[CONF_ROUTER] = "router",
	[CONF_DISPATCHER] = "dispatcher",
	[CONF_CLEANER] = "cleaner",
	[CONF_TARGET] = "target",
	[CONF_RULE] = "rule",
};

#define AT(type, field)          .offset = offsetof(struct type, field)
#define LIST(type, field, count) AT(type, field), .count_offset = offsetof(struct type, count)
#define STRINGS(type, field)                                                                       \
	AT(type, field.item), .count_offset = offsetof(struct type, field.count)

/* What CONF_BOOL takes: the position modulo 2 is the value. */
#define BOOLEAN "false|true|no|yes|off|on"
/* Where a series goes in targets that hold files. */
#define PER_SERIES "{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}"

/* clang-format off */
const struct conf_key conf_keys[] = {
	{ CONF_TOP, "spool", NULL, CONF_PATH, AT(conf, spool), .initial = "/var/spool/dcmspool" },
	{ CONF_TOP, "extra_tags", NULL, CONF_NAMES, STRINGS(conf, extra_tags), .initial = "" },

	{ CONF_RECEIVER, "listen", NULL, CONF_ADDRESSES, STRINGS(conf_receiver, listen), .initial = "0.0.0.0|::" },
	{ CONF_RECEIVER, "port", NULL, CONF_NUMBERS, LIST(conf_receiver, port, port_count), .initial = "11112",
		.min = 1, .max = 65535 },
	{ CONF_RECEIVER, "calling_aets", NULL, CONF_AETS, STRINGS(conf_receiver, calling_aets), .initial = "" },
	{ CONF_RECEIVER, "called_aets", NULL, CONF_AETS, STRINGS(conf_receiver, called_aets), .initial = "" },
	{ CONF_RECEIVER, "allow", NULL, CONF_PREFIXES, LIST(conf_receiver, allow, allow_count), .initial = "" },
	{ CONF_RECEIVER, "max_associations", NULL, CONF_NUMBER, AT(conf_receiver, max_associations),
		.initial = "64", .min = 1, .max = 10000 },
	{ CONF_RECEIVER, "max_associations_per_peer", NULL, CONF_NUMBER,
		AT(conf_receiver, max_associations_per_peer), .initial = "64", .min = 1, .max = 10000 },
	{ CONF_RECEIVER, "request_timeout", NULL, CONF_SECONDS, AT(conf_receiver, request_timeout_s),
		.initial = "10s", .min = 1, .max = 3600 },
	{ CONF_RECEIVER, "dimse_timeout", NULL, CONF_SECONDS, AT(conf_receiver, dimse_timeout_s),
		.initial = "10m", .min = 1, .max = DAY_S },
	{ CONF_RECEIVER, "min_free", NULL, CONF_NUMBER, AT(conf_receiver, min_free_mb),
		.initial = "500", .min = 0, .max = 100 * 1000 * 1000 },
	{ CONF_RECEIVER, "accept", NULL, CONF_CHOICE, AT(conf_receiver, accept),
		.initial = "all", .choices = "all|uncompressed" },

	{ CONF_ROUTER, "instances", NULL, CONF_NUMBER, AT(conf_router, instances),
		.initial = "1", .min = 0, .max = 64 },
	{ CONF_ROUTER, "series_timeout", NULL, CONF_MS, AT(conf_router, series_timeout_ms),
		.initial = "60s", .min = 100, .max = 24 * HOUR },
	{ CONF_ROUTER, "association_grace", NULL, CONF_MS, AT(conf_router, association_grace_ms),
		.initial = "1s", .min = 0, .max = HOUR },

	{ CONF_DISPATCHER, "instances", NULL, CONF_NUMBER, AT(conf_dispatcher, instances),
		.initial = "2", .min = 0, .max = 64 },

	{ CONF_CLEANER, "retention", NULL, CONF_SECONDS, AT(conf_cleaner, retention_s),
		.initial = "3d", .min = 1, .max = 3650L * DAY_S },
	{ CONF_CLEANER, "offpeak", NULL, CONF_HOURS, AT(conf_cleaner, offpeak), .initial = "00:00-24:00" },

	{ CONF_TARGET, "type", NULL, CONF_STRING, AT(conf_target, type) },
	{ CONF_TARGET, "max_connections", NULL, CONF_NUMBER, AT(conf_target, max_connections),
		.initial = "1", .min = 1, .max = 64 },
	{ CONF_TARGET, "order", NULL, CONF_CHOICE, AT(conf_target, order),
		.initial = "study", .choices = "study|series-number|none" },
	{ CONF_TARGET, "order_wait", NULL, CONF_MS, AT(conf_target, order_wait_ms),
		.initial = "10m", .min = 0, .max = 24 * HOUR },
	{ CONF_TARGET, "urgent_hours", NULL, CONF_HOURS, AT(conf_target, hours[JOB_URGENT]), .initial = "00:00-24:00" },
	{ CONF_TARGET, "normal_hours", NULL, CONF_HOURS, AT(conf_target, hours[JOB_NORMAL]), .initial = "00:00-24:00" },
	{ CONF_TARGET, "offpeak_hours", NULL, CONF_HOURS, AT(conf_target, hours[JOB_OFFPEAK]), .initial = "22:00-06:00" },
	{ CONF_TARGET, "rate_limit", NULL, CONF_BYTES, AT(conf_target, rate_limit),
		.initial = "0", .min = 0, .max = 1000L * 1000 * 1000 * 1000 },
	{ CONF_TARGET, "retry_min", NULL, CONF_MS, AT(conf_target, retry_min_ms),
		.initial = "5s", .min = 100, .max = 24 * HOUR },
	{ CONF_TARGET, "retry_max", NULL, CONF_MS, AT(conf_target, retry_max_ms),
		.initial = "15m", .min = 100, .max = 24 * HOUR },
	{ CONF_TARGET, "image_retries", NULL, CONF_NUMBER, AT(conf_target, image_retries),
		.initial = "5", .min = 1, .max = 1000 },
	{ CONF_TARGET, "give_up", NULL, CONF_SECONDS, AT(conf_target, give_up_s),
		.initial = "7d", .min = 1, .max = 3650L * DAY_S },

	{ CONF_TARGET, "host", "dicom", CONF_HOST, .initial = "" },
	{ CONF_TARGET, "port", "dicom", CONF_NUMBER, .initial = "104", .min = 1, .max = 65535 },
	{ CONF_TARGET, "aec", "dicom", CONF_AET, .initial = "" },
	{ CONF_TARGET, "aet", "dicom", CONF_AET, .initial = "DCMSPOOL" },
	{ CONF_TARGET, "timeout", "dicom", CONF_SECONDS, .initial = "30s", .min = 1, .max = 3600 },
	{ CONF_TARGET, "pass_aet", "dicom", CONF_BOOL, .initial = "false", .choices = BOOLEAN },
	{ CONF_TARGET, "return_to_sender", "dicom", CONF_BOOL, .initial = "false", .choices = BOOLEAN },
	{ CONF_TARGET, "connections", "dicom", CONF_NUMBER, .initial = "1", .min = 1, .max = 16 },
	{ CONF_TARGET, "decompress", "dicom", CONF_CHOICE, .initial = "never", .choices = "never|lossless|lossy" },
	{ CONF_TARGET, "max_pdu", "dicom", CONF_NUMBER, .initial = "131072", .min = 4096, .max = 131072 },
	{ CONF_TARGET, "nodelay", "dicom", CONF_BOOL, .initial = "true", .choices = BOOLEAN },
	{ CONF_TARGET, "tls", "dicom", CONF_BOOL, .initial = "false", .choices = BOOLEAN },
	{ CONF_TARGET, "tls_key", "dicom", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "tls_cert", "dicom", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "tls_ca", "dicom", CONF_PATH, .initial = "" },

	{ CONF_TARGET, "path", "folder", CONF_PATH, .initial = NULL },
	{ CONF_TARGET, "layout", "folder", CONF_LAYOUT,
		.initial = PER_SERIES "/{SOPInstanceUID}.dcm" },
	{ CONF_TARGET, "marker", "folder", CONF_MARKER, .initial = "" },
	{ CONF_TARGET, "copy", "folder", CONF_BOOL, .initial = "false", .choices = BOOLEAN },

	{ CONF_TARGET, "url", "dicomweb", CONF_URL, .initial = NULL },
	{ CONF_TARGET, "username", "dicomweb", CONF_STRING, .initial = "" },
	{ CONF_TARGET, "password_file", "dicomweb", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "token_file", "dicomweb", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "ca_file", "dicomweb", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "request_size", "dicomweb", CONF_BYTES, .initial = "100M", .min = 1, .max = 1000L * 1000 * 1000 * 1000 },
	{ CONF_TARGET, "timeout", "dicomweb", CONF_SECONDS, .initial = "60s", .min = 1, .max = 3600 },

	{ CONF_TARGET, "host", "sftp", CONF_HOST, .initial = NULL },
	{ CONF_TARGET, "port", "sftp", CONF_NUMBER, .initial = "22", .min = 1, .max = 65535 },
	{ CONF_TARGET, "username", "sftp", CONF_STRING, .initial = NULL },
	{ CONF_TARGET, "key_file", "sftp", CONF_PATH, .initial = NULL },
	{ CONF_TARGET, "known_hosts", "sftp", CONF_PATH, .initial = NULL },
	{ CONF_TARGET, "folder", "sftp", CONF_STRING, .initial = NULL },
	{ CONF_TARGET, "layout", "sftp", CONF_LAYOUT, .initial = PER_SERIES "/{SOPInstanceUID}.dcm" },
	{ CONF_TARGET, "marker", "sftp", CONF_MARKER, .initial = "" },
	{ CONF_TARGET, "timeout", "sftp", CONF_SECONDS, .initial = "60s", .min = 1, .max = 3600 },

	{ CONF_TARGET, "destination", "rsync", CONF_STRING, .initial = NULL },
	{ CONF_TARGET, "port", "rsync", CONF_NUMBER, .initial = "0", .min = 0, .max = 65535 },
	{ CONF_TARGET, "key_file", "rsync", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "known_hosts", "rsync", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "password_file", "rsync", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "layout", "rsync", CONF_LAYOUT, .initial = PER_SERIES },
	{ CONF_TARGET, "marker", "rsync", CONF_MARKER, .initial = "" },
	{ CONF_TARGET, "timeout", "rsync", CONF_SECONDS, .initial = "60s", .min = 1, .max = 3600 },

	{ CONF_TARGET, "url", "s3", CONF_URL, .initial = NULL },
	{ CONF_TARGET, "region", "s3", CONF_STRING, .initial = "us-east-1" },
	{ CONF_TARGET, "key_file", "s3", CONF_PATH, .initial = NULL },
	{ CONF_TARGET, "layout", "s3", CONF_LAYOUT, .initial = PER_SERIES "/{SOPInstanceUID}.dcm" },
	{ CONF_TARGET, "marker", "s3", CONF_MARKER, .initial = "" },
	{ CONF_TARGET, "ca_file", "s3", CONF_PATH, .initial = "" },
	{ CONF_TARGET, "timeout", "s3", CONF_SECONDS, .initial = "60s", .min = 1, .max = 3600 },

	{ CONF_TARGET, "command", "command", CONF_STRING, .initial = NULL },
	{ CONF_TARGET, "per", "command", CONF_CHOICE, .initial = "job", .choices = "job|image" },
	{ CONF_TARGET, "timeout", "command", CONF_SECONDS, .initial = "1h", .min = 1, .max = DAY_S },

	{ CONF_TARGET, "settings", "*", CONF_SETTINGS, STRINGS(conf_target, setting), .initial = "" },

	{ CONF_RULE, "match", NULL, CONF_STRING, AT(conf_rule, match) },
	{ CONF_RULE, "targets", NULL, CONF_NAMES, STRINGS(conf_rule, targets), .initial = "" },
	{ CONF_RULE, "action", NULL, CONF_CHOICE, AT(conf_rule, action),
		.initial = "route", .choices = "route|discard" },
	{ CONF_RULE, "fallback", NULL, CONF_BOOL, AT(conf_rule, fallback),
		.initial = "false", .choices = BOOLEAN },
	{ CONF_RULE, "disabled", NULL, CONF_BOOL, AT(conf_rule, disabled),
		.initial = "false", .choices = BOOLEAN },
	{ CONF_RULE, "priority", NULL, CONF_CHOICE, AT(conf_rule, priority),
		.initial = "normal", .choices = "urgent|normal|offpeak" },
	{ CONF_RULE, "on", NULL, CONF_CHOICE, AT(conf_rule, on), .initial = "first", .choices = "first|any" },
	{ CONF_RULE, "contact", NULL, CONF_STRING, AT(conf_rule, contact), .initial = "" },
	{ CONF_RULE, "comment", NULL, CONF_STRING, AT(conf_rule, comment), .initial = "" },
};
/* clang-format on */
const size_t conf_key_count = sizeof(conf_keys) / sizeof(conf_keys[0]);

enum conf_section conf_section_find(const char *name)
{
	for (enum conf_section s = CONF_TOP + 1; s < CONF_SECTIONS; s++)
		if (strcmp(conf_section_names[s], name) == 0)
			return s;
	return CONF_SECTIONS;
}

bool conf_section_titled(enum conf_section section)
{
	return section == CONF_TARGET || section == CONF_RULE;
}

const struct conf_key *conf_key_find(
	enum conf_section section, const char *name, const struct conf_key *from)
{
	for (const struct conf_key *k = from ? from + 1 : conf_keys; k < conf_keys + conf_key_count;
		k++)
		if (k->section == section && strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

bool conf_kind_list(enum conf_kind kind)
{
	return kind >= CONF_NUMBERS;
}

bool conf_type_known(const char *type)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].type && strcmp(conf_keys[i].type, "*") != 0 &&
			strcmp(conf_keys[i].type, type) == 0)
			return true;
	return false;
}

bool conf_key_applies(const struct conf_key *key, const char *type)
{
	if (!key->type)
		return true;
	if (strcmp(key->type, "*") == 0)
		return !conf_type_known(type);
	return strcmp(key->type, type) == 0;
}

void *conf_base(struct conf *conf, enum conf_section section, size_t nth)
{
	switch (section) {
	case CONF_RECEIVER:
		return &conf->receiver;
	case CONF_ROUTER:
		return &conf->router;
	case CONF_DISPATCHER:
		return &conf->dispatcher;
	case CONF_CLEANER:
		return &conf->cleaner;
	case CONF_TARGET:
		return &conf->target[nth];
	case CONF_RULE:
		return &conf->rule[nth];
	default:
		return conf;
	}
}
