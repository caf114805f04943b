/*
 * schema: every section and key of dcmspool.conf(5), with its kind, range and default, but those of
 * types of targets, which are in types.
 *
 * These tables are all there is to a key: the parser, the checks, the defaults, dcmspool-conf and
 * the test that compares the manual page read them.
 */
#include "conf/table.h"

#include <limits.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY_S = 24 * 3600 };

const char *const conf_section_names[CONF_SECTIONS] = {
	[CONF_TOP] = "",
	[CONF_RECEIVER] = "receiver",
	[CONF_ROUTER] = "router",
	[CONF_DISPATCHER] = "dispatcher",
	[CONF_CLEANER] = "cleaner",
	[CONF_SENDER] = "sender",
	[CONF_TARGET] = "target",
	[CONF_RULE] = "rule",
};

#define AT(type, field)          .offset = offsetof(struct type, field)
#define LIST(type, field, count) AT(type, field), .count_offset = offsetof(struct type, count)
#define STRINGS(type, field)                                                                       \
	AT(type, field.item), .count_offset = offsetof(struct type, field.count)

/* clang-format off */
static const struct conf_key keys[] = {
	{ CONF_TOP, "spool", CONF_PATH, AT(conf, spool), .initial = "/var/spool/dcmspool" },
	{ CONF_TOP, "extra_tags", CONF_NAMES, STRINGS(conf, extra_tags), .initial = "" },

	{ CONF_RECEIVER, "listen", CONF_ADDRESSES, STRINGS(conf_receiver, listen),
		.initial = "0.0.0.0|::" },
	{ CONF_RECEIVER, "port", CONF_NUMBERS, LIST(conf_receiver, port, port_count),
		.initial = "11112",
		.min = 1, .max = 65535 },
	{ CONF_RECEIVER, "calling_aets", CONF_AETS, STRINGS(conf_receiver, calling_aets),
		.initial = "" },
	{ CONF_RECEIVER, "called_aets", CONF_AETS, STRINGS(conf_receiver, called_aets),
		.initial = "" },
	{ CONF_RECEIVER, "allow", CONF_PREFIXES, LIST(conf_receiver, allow, allow_count),
		.initial = "" },
	{ CONF_RECEIVER, "max_associations", CONF_NUMBER, AT(conf_receiver, max_associations),
		.initial = "64", .min = 1, .max = 10000 },
	{ CONF_RECEIVER, "max_associations_per_peer", CONF_NUMBER,
		AT(conf_receiver, max_associations_per_peer),
		.initial = "64", .min = 1, .max = 10000 },
	{ CONF_RECEIVER, "request_timeout", CONF_SECONDS, AT(conf_receiver, request_timeout_s),
		.initial = "10s", .min = 1, .max = 3600 },
	{ CONF_RECEIVER, "dimse_timeout", CONF_SECONDS, AT(conf_receiver, dimse_timeout_s),
		.initial = "10m", .min = 1, .max = DAY_S },
	{ CONF_RECEIVER, "min_free", CONF_NUMBER, AT(conf_receiver, min_free_mb),
		.initial = "500", .min = 0, .max = 100 * 1000 * 1000 },
	{ CONF_RECEIVER, "accept", CONF_CHOICE, AT(conf_receiver, accept),
		.initial = "all", .choices = "all|uncompressed" },
	{ CONF_RECEIVER, "tls_port", CONF_NUMBER, AT(conf_receiver, tls_port),
		.initial = "0", .min = 0, .max = 65535 },
	{ CONF_RECEIVER, "tls_key", CONF_SECRET, AT(conf_receiver, tls_key), .initial = "" },
	{ CONF_RECEIVER, "tls_cert", CONF_FILE, AT(conf_receiver, tls_cert), .initial = "" },
	{ CONF_RECEIVER, "tls_ca", CONF_FILE, AT(conf_receiver, tls_ca), .initial = "" },
	{ CONF_RECEIVER, "tls_client", CONF_CHOICE, AT(conf_receiver, tls_client),
		.initial = "require", .choices = "require|accept|no" },

	{ CONF_ROUTER, "instances", CONF_NUMBER, AT(conf_router, instances),
		.initial = "1", .min = 0, .max = 64 },
	{ CONF_ROUTER, "series_timeout", CONF_MS, AT(conf_router, series_timeout_ms),
		.initial = "60s", .min = 100, .max = 24 * HOUR },
	{ CONF_ROUTER, "association_grace", CONF_MS, AT(conf_router, association_grace_ms),
		.initial = "1s", .min = 0, .max = HOUR },

	{ CONF_DISPATCHER, "instances", CONF_NUMBER, AT(conf_dispatcher, instances),
		.initial = "2", .min = 0, .max = 64 },

	{ CONF_CLEANER, "retention", CONF_SECONDS, AT(conf_cleaner, retention_s),
		.initial = "3d", .min = 1, .max = 3650L * DAY_S },
	{ CONF_CLEANER, "offpeak", CONF_HOURS, AT(conf_cleaner, offpeak),
		.initial = "00:00-24:00" },

	{ CONF_SENDER, "calling_aets", CONF_AETS, STRINGS(conf_sender, calling_aets),
		.initial = "" },
	{ CONF_SENDER, "called_aets", CONF_AETS, STRINGS(conf_sender, called_aets),
		.initial = "" },
	{ CONF_SENDER, "allow", CONF_PREFIXES, LIST(conf_sender, allow, allow_count),
		.initial = "" },
	{ CONF_SENDER, "certificates", CONF_NAMES, STRINGS(conf_sender, certificates),
		.initial = "" },
	{ CONF_SENDER, "accept", CONF_CHOICE, AT(conf_sender, accept),
		.initial = "receiver", .choices = "receiver|all|uncompressed" },
	{ CONF_SENDER, "max_associations", CONF_NUMBER, AT(conf_sender, max_associations),
		.initial = "0", .min = 0, .max = 10000 },

	{ CONF_TARGET, "type", CONF_STRING, AT(conf_target, type) },
	{ CONF_TARGET, "max_connections", CONF_NUMBER, AT(conf_target, max_connections),
		.initial = "1", .min = 1, .max = 64 },
	{ CONF_TARGET, "order", CONF_CHOICE, AT(conf_target, order),
		.initial = "study", .choices = "study|series-number|none" },
	{ CONF_TARGET, "order_wait", CONF_MS, AT(conf_target, order_wait_ms),
		.initial = "10m", .min = 0, .max = 24 * HOUR },
	{ CONF_TARGET, "urgent_hours", CONF_HOURS, AT(conf_target, hours[JOB_URGENT]),
		.initial = "00:00-24:00" },
	{ CONF_TARGET, "normal_hours", CONF_HOURS, AT(conf_target, hours[JOB_NORMAL]),
		.initial = "00:00-24:00" },
	{ CONF_TARGET, "offpeak_hours", CONF_HOURS, AT(conf_target, hours[JOB_OFFPEAK]),
		.initial = "22:00-06:00" },
	{ CONF_TARGET, "rate_limit", CONF_BYTES, AT(conf_target, rate_limit),
		.initial = "0", .min = 0, .max = 1000L * 1000 * 1000 * 1000 },
	{ CONF_TARGET, "retry_min", CONF_MS, AT(conf_target, retry_min_ms),
		.initial = "5s", .min = 100, .max = 24 * HOUR },
	{ CONF_TARGET, "retry_max", CONF_MS, AT(conf_target, retry_max_ms),
		.initial = "15m", .min = 100, .max = 24 * HOUR },
	{ CONF_TARGET, "image_retries", CONF_NUMBER, AT(conf_target, image_retries),
		.initial = "5", .min = 1, .max = 1000 },
	{ CONF_TARGET, "give_up", CONF_SECONDS, AT(conf_target, give_up_s),
		.initial = "7d", .min = 1, .max = 3650L * DAY_S },
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

/* Behind those of all types. */
static const struct conf_key keys_of_rules[] = {
	{ CONF_RULE, "match", CONF_STRING, AT(conf_rule, match) },
	{ CONF_RULE, "targets", CONF_NAMES, STRINGS(conf_rule, targets), .initial = "" },
	{ CONF_RULE, "action", CONF_CHOICE, AT(conf_rule, action),
		.initial = "route", .choices = "route|discard" },
	{ CONF_RULE, "fallback", CONF_BOOL, AT(conf_rule, fallback),
		.initial = "false", .choices = CONF_BOOLEAN },
	{ CONF_RULE, "disabled", CONF_BOOL, AT(conf_rule, disabled),
		.initial = "false", .choices = CONF_BOOLEAN },
	{ CONF_RULE, "priority", CONF_CHOICE, AT(conf_rule, priority),
		.initial = "normal", .choices = "urgent|normal|offpeak" },
	{ CONF_RULE, "on", CONF_CHOICE, AT(conf_rule, on),
		.initial = "first", .choices = "first|any" },
	{ CONF_RULE, "cut_through", CONF_BOOL, AT(conf_rule, cut_through),
		.initial = "false", .choices = CONF_BOOLEAN },
	{ CONF_RULE, "contact", CONF_STRING, AT(conf_rule, contact), .initial = "" },
	{ CONF_RULE, "comment", CONF_STRING, AT(conf_rule, comment), .initial = "" },
};
/* clang-format on */
enum { KEYS_OF_RULES = sizeof(keys_of_rules) / sizeof(keys_of_rules[0]) };

enum conf_section conf_section_find(const char *name)
{
	for (enum conf_section s = CONF_TOP + 1; s < CONF_SECTIONS; s++)
		if (strcmp(conf_section_names[s], name) == 0)
			return s;
	return CONF_SECTIONS;
}

bool conf_section_titled(enum conf_section section)
{
	return section >= CONF_SENDER && section < CONF_SECTIONS;
}

size_t conf_section_count(const struct conf *conf, enum conf_section section)
{
	switch (section) {
	case CONF_SENDER:
		return conf->sender_count;
	case CONF_TARGET:
		return conf->target_count;
	default:
		return conf->rule_count;
	}
}

char **conf_section_name(struct conf *conf, enum conf_section section, size_t nth)
{
	switch (section) {
	case CONF_SENDER:
		return &conf->sender[nth].name;
	case CONF_TARGET:
		return &conf->target[nth].name;
	default:
		return &conf->rule[nth].name;
	}
}

const struct conf_key *conf_key_at(size_t i)
{
	if (i < KEYS)
		return &keys[i];
	i -= KEYS;
	for (size_t t = 0; t < conf_type_count; t++) {
		if (i < conf_types[t].key_count)
			return &conf_types[t].key[i];
		i -= conf_types[t].key_count;
	}
	return i < KEYS_OF_RULES ? &keys_of_rules[i] : NULL;
}

const struct conf_key *conf_key_find(
	enum conf_section section, const char *name, const struct conf_key *from)
{
	const struct conf_key *k;

	for (size_t i = 0; (k = conf_key_at(i)); i++) {
		if (from)
			from = from == k ? NULL : from;
		else if (k->section == section && strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

bool conf_kind_list(enum conf_kind kind)
{
	return kind >= CONF_NUMBERS;
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
	case CONF_SENDER:
		return &conf->sender[nth];
	case CONF_TARGET:
		return &conf->target[nth];
	case CONF_RULE:
		return &conf->rule[nth];
	default:
		return conf;
	}
}
