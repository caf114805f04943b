/*
 * conf: reads dcmspool.conf(5) and conf.d/<name>.conf beside it, checks its values. What a rule or
 * a layout says is the affair of programs that use them: they hand conf_load() a check of theirs.
 *
 * Nothing here exits: conf_load() returns NULL after it has written every mistake to standard error
 * as "FILE:LINE: KEY: what is wrong; what would be right".
 */
#ifndef CONF_H
#define CONF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "spool/job.h"

/* A list of strings; count may be 0. */
struct conf_strings {
	char **item;
	size_t count;
};

/* Addresses as CIDR prefixes; an IPv4 prefix is kept as its IPv4-mapped IPv6 prefix. */
struct conf_prefix {
	struct in6_addr address;
	int bits; /* 0..128 */
};

enum conf_accept { CONF_ACCEPT_ALL, CONF_ACCEPT_UNCOMPRESSED };
/* Must a caller over TLS have a certificate? */
enum conf_tls_client { CONF_TLS_REQUIRE, CONF_TLS_ACCEPT, CONF_TLS_NO };

struct conf_receiver {
	struct conf_strings listen; /* addresses; default "0.0.0.0" and "::" */
	long *port;                 /* default 11112 */
	size_t port_count;
	struct conf_strings calling_aets; /* allow-lists: empty allows all */
	struct conf_strings called_aets;
	struct conf_prefix *allow;
	size_t allow_count;
	long max_associations;          /* default 64 */
	long max_associations_per_peer; /* default 64 */
	long request_timeout_s;         /* for the whole A-ASSOCIATE-RQ; default 10 */
	long dimse_timeout_s;           /* silence inside an association; default 600 */
	long min_free_mb; /* refuse associations when less disk is free; default 500 */
	enum conf_accept accept;
	long tls_port;                     /* 0: none */
	char *tls_key, *tls_cert, *tls_ca; /* NULL: not given */
	enum conf_tls_client tls_client;
};

/* What is different for some callers: whom calling_aets and allow fit, as far as they are given.
 * The receiver's keys hold where a list is empty. */
enum conf_sender_accept { CONF_SENDER_AS_RECEIVER, CONF_SENDER_ALL, CONF_SENDER_UNCOMPRESSED };

struct conf_sender {
	char *name; /* name_ok() */
	struct conf_strings calling_aets;
	struct conf_strings called_aets;
	struct conf_prefix *allow;
	size_t allow_count;
	struct conf_strings certificates; /* patterns of fnmatch(3) for the subject */
	enum conf_sender_accept accept;
	long max_associations; /* places of its own; 0: the receiver's */
};

struct conf_router {
	long instances;            /* default 1 */
	long series_timeout_ms;    /* default 60 s */
	long association_grace_ms; /* default 1 s */
};

struct conf_dispatcher {
	long instances; /* default 2 */
};

struct conf_cleaner {
	long retention_s; /* default 3 days; how long success/ and discard/ are kept */
	char *offpeak;    /* deleting is done between these, "22:00-06:00"; default "00:00-24:00" */
};

/* In which order the series of one study go to a target: of arrival, by SeriesNumber among what
 * waits (both one at a time), or any. */
enum conf_order { CONF_ORDER_STUDY, CONF_ORDER_SERIES_NUMBER, CONF_ORDER_NONE };

struct conf_target {
	char *name;           /* name_ok() */
	char *type;           /* "dicom", "folder": the program send-TYPE beside ours */
	long max_connections; /* connections at once; default 1 */
	enum conf_order order;
	long order_wait_ms; /* for an earlier series of the study that is not routed yet; default 10
			       min */
	char *hours[JOB_PRIORITIES]; /* when jobs of a priority go, hours.h */
	long rate_limit;             /* bytes per second, all jobs together; 0: none */
	long retry_min_ms;           /* first pause after a failure; default 5 s */
	long retry_max_ms;           /* longest pause; default 15 min */
	long image_retries;          /* tries for an image that the target refuses; default 5 */
	long give_up_s; /* a job goes to error/ when its target has failed for so long; default 7
			   days */
	/* Settings for the sender: "host", "10.0.0.5", "port", "104", ... with the defaults filled
	 * in, durations as whole seconds without a unit, paths absolute. */
	struct conf_strings setting; /* name, value, name, value, ...; count is even */
};

struct rule;

enum conf_action { CONF_ROUTE, CONF_DISCARD };
/* Whose tags a rule sees: the first image's (by InstanceNumber), or each image's until it applies.
 */
enum conf_on { CONF_ON_FIRST, CONF_ON_ANY };

struct conf_rule {
	char *name; /* name_ok() */
	char *match;
	struct rule *compiled; /* where rules_check() (decide) was asked; else NULL */
	enum conf_action action;
	bool disabled;
	bool fallback; /* applies when no other rule did */
	struct conf_strings targets;
	enum job_priority priority; /* of the jobs that it makes */
	enum conf_on on;
	bool cut_through; /* what it matches is sent while its series is still being received */
	char *contact;    /* whom to ask about the rule; "" when nobody is named */
	char *comment;    /* "" when there is none */
};

struct conf {
	char *file;   /* absolute path of the file that was read */
	dev_t device; /* which it was then: another may have its name by now */
	ino_t inode;
	char *spool; /* absolute path */
	struct conf_strings extra_tags;
	struct conf_receiver receiver;
	struct conf_router router;
	struct conf_dispatcher dispatcher;
	struct conf_cleaner cleaner;
	struct conf_sender *sender; /* in the order of the file */
	size_t sender_count;
	struct conf_target *target;
	size_t target_count;
	struct conf_rule *rule; /* in the order of the file */
	size_t rule_count;
	void (*release)(struct conf *conf); /* frees what a check has added, or NULL */
};

/* What a program checks of a configuration beyond its values, reporting mistakes (conf/work.h). */
struct conf_work;
typedef void conf_check_fn(struct conf_work *work);

/* Reads values and checks them; further, unless it is NULL, checks the rest. Returns NULL after
 * having reported every mistake, all together, with errno: EINVAL when somebody must correct it,
 * anything else when it could not be read now and may be right. conf_free() frees. */
struct conf *conf_load(const char *file, conf_check_fn *further);
void conf_free(struct conf *conf);

/* NULL when there is no such target. */
const struct conf_target *conf_target(const struct conf *conf, const char *name);
/* The sender's setting, or NULL. */
const char *conf_setting(const struct conf_target *target, const char *name);

#endif
