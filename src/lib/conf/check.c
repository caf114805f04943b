/*
 * check: what values say about each other. What keys of a type of target say is in types; what
 * needs the rule language or the dictionary, only programs that have these look at (decide).
 */
#include "conf/work.h"

#include "base/nearest.h"
#include "spool/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reports when the duration of key less is longer than that of key more. */
static void in_order(struct conf_work *work, enum conf_section section, size_t nth,
	const char *less, const char *more)
{
	const struct conf_key *a = conf_key_find(section, less, NULL);
	const struct conf_key *b = conf_key_find(section, more, NULL);
	const char *base = conf_base(work->conf, section, nth);
	struct buf first = { 0 }, second = { 0 };

	if (*(const long *)(const void *)(base + a->offset) <=
		*(const long *)(const void *)(base + b->offset))
		return;
	conf_value_print(&first, a, base);
	conf_value_print(&second, b, base);
	if (first.failed || second.failed)
		work->no_memory = true;
	else
		CONF_REPORT(work, section, nth, conf_find(work, section, nth, less) ? less : more,
			"%s (%s) is longer than %s (%s); make it shorter, or the other longer",
			less, first.data, more, second.data);
	buf_free(&first);
	buf_free(&second);
}

static void check_tls(struct conf_work *work)
{
	const struct conf_receiver *r = &work->conf->receiver;

	if (!r->tls_port)
		return;
	if (!r->tls_key || !r->tls_cert)
		CONF_REPORT(work, CONF_RECEIVER, 0, "tls_port",
			"TLS needs a key and a certificate; add tls_key and tls_cert");
	if (r->tls_client != CONF_TLS_NO && !r->tls_ca)
		CONF_REPORT(work, CONF_RECEIVER, 0, "tls_client",
			"nobody says which certificates of senders are right; add tls_ca, "
			"or tls_client = no");
	for (size_t i = 0; i < r->port_count; i++)
		if (r->port[i] == r->tls_port)
			CONF_REPORT(work, CONF_RECEIVER, 0, "tls_port",
				"%ld is a port without TLS; give it another", r->tls_port);
}

static void check_receiver(struct conf_work *work)
{
	struct conf_receiver *r = &work->conf->receiver;

	check_tls(work);
	if (r->max_associations_per_peer <= r->max_associations)
		return;
	if (conf_find(work, CONF_RECEIVER, 0, "max_associations_per_peer"))
		CONF_REPORT(work, CONF_RECEIVER, 0, "max_associations_per_peer",
			"%ld is more than max_associations (%ld); at most that many can be open",
			r->max_associations_per_peer, r->max_associations);
	else
		r->max_associations_per_peer =
			r->max_associations; /* only the default is too large */
}

/* What is decided by the first image that arrives cannot wait for another one. */
static void check_cut_through(struct conf_work *work, size_t nth)
{
	const struct conf_rule *rule = &work->conf->rule[nth];

	if (rule->cut_through && rule->on == CONF_ON_ANY)
		CONF_REPORT(work, CONF_RULE, nth, "cut_through",
			"with on = any the last image may decide, not only the first that arrives; "
			"remove one of the two");
	if (rule->cut_through && rule->action == CONF_DISCARD)
		CONF_REPORT(work, CONF_RULE, nth, "cut_through",
			"the rule discards; remove cut_through, or action = discard");
}

static void check_targets(struct conf_work *work, size_t nth)
{
	const struct conf_rule *rule = &work->conf->rule[nth];
	char hint[NEAREST_HINT];

	if (rule->action == CONF_DISCARD && rule->targets.count)
		CONF_REPORT(work, CONF_RULE, nth, "targets",
			"the rule discards; remove its targets, or action = discard");
	if (rule->action == CONF_ROUTE && !rule->targets.count)
		CONF_REPORT(work, CONF_RULE, nth, "targets",
			"the rule has no targets; add targets = { \"NAME\" }, or action = discard");
	for (size_t i = 0; i < rule->targets.count; i++) {
		const char *name = rule->targets.item[i];
		struct nearest nearest = { .word = name };

		if (!name || conf_target(work->conf, name))
			continue;
		for (size_t k = 0; k < work->conf->target_count; k++)
			if (work->conf->target[k].name)
				nearest_try(&nearest, work->conf->target[k].name);
		nearest_hint(&nearest, hint, sizeof(hint));
		CONF_REPORT(work, CONF_RULE, nth, "targets", "there is no target \"%s\"%s", name,
			*hint ? hint : "; add a section target \"NAME\" { ... } for it");
	}
}

/* <job>.<target> would read as a job of that priority, once it has come to rest. */
static bool looks_like_priority(const char *name)
{
	for (int i = 0; i < JOB_PRIORITIES; i++) {
		const char *suffix = job_suffix((enum job_priority)i);
		const size_t length = strlen(suffix);

		if (length > 0 && strncmp(name, suffix + 1, length - 1) == 0 &&
			strchr(".~", name[length - 1]))
			return true;
	}
	return false;
}

/* ".deleting.<job>.<target>~<number>" must fit into a file name of 255 bytes; outgoing/held is a
 * sign, and `dcmspool hold all` means every target. */
static void check_name(struct conf_work *work, size_t nth)
{
	enum { NAME_MAX_BYTES = 128 };
	const char *name = work->conf->target[nth].name;

	if (name && strlen(name) > NAME_MAX_BYTES)
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"the name is longer than %d bytes; shorten it", NAME_MAX_BYTES);
	if (name && strcmp(name, "held") == 0)
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"outgoing/held holds all targets; give the target another name");
	if (name && strcmp(name, "all") == 0)
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"\"all\" means every target to the verbs; give the target another name");
	if (name && strcmp(name, "ahead") == 0)
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"<job>.ahead is what is sent of a job that is still being received; "
			"give the target another name");
	if (name && looks_like_priority(name))
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"its jobs would seem to have a priority; give the target another name");
}

static void check_target(struct conf_work *work, size_t nth)
{
	const char *type = work->conf->target[nth].type;

	in_order(work, CONF_TARGET, nth, "retry_min", "retry_max");
	check_name(work, nth);
	if (type && conf_type_find(type)->check)
		conf_type_find(type)->check(work, nth);
}

void conf_check(struct conf_work *work)
{
	check_receiver(work);
	in_order(work, CONF_ROUTER, 0, "association_grace", "series_timeout");
	for (size_t i = 0; i < work->conf->target_count; i++)
		check_target(work, i);
	for (size_t i = 0; i < work->conf->rule_count; i++) {
		check_targets(work, i);
		check_cut_through(work, i);
	}
}
