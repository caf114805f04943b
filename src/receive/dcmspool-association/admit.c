#include "admit.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { TRIES = 100 };

/* Result, source, reason: PS3.8 table 9-21. */
static const struct acceptor_refusal calling_unknown = { { 1, 1, 3 },
	"calling AE title empty or not in receiver.calling_aets" };
static const struct acceptor_refusal called_unknown = { { 1, 1, 7 },
	"called AE title empty or not in receiver.called_aets" };
static const struct acceptor_refusal address_unknown = { { 1, 1, 1 },
	"address not in receiver.allow" };
static const struct acceptor_refusal disk_full = { { 2, 3, 2 },
	"less free disk space than receiver.min_free" };
static const struct acceptor_refusal too_many = { { 2, 3, 2 },
	"more than receiver.max_associations" };
static const struct acceptor_refusal too_many_of_peer = { { 2, 3, 2 },
	"more than receiver.max_associations_per_peer" };
static const struct acceptor_refusal spool_failed = { { 2, 3, 2 }, "the spool cannot be written" };

/* Only spaces are no AE title (PS3.5 6.2), and storescp would let the sender wait for an answer. */
static bool allowed(const struct conf_strings *list, const char *text)
{
	if (!*text)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return list->count == 0;
}

static bool matches(const struct conf_prefix *prefix, const struct in6_addr *address)
{
	int whole = prefix->bits / 8, rest = prefix->bits % 8;
	unsigned int mask = 0xff00u >> rest & 0xff;

	if (memcmp(prefix->address.s6_addr, address->s6_addr, (size_t)whole) != 0)
		return false;
	return rest == 0 ||
	       ((prefix->address.s6_addr[whole] ^ address->s6_addr[whole]) & mask) == 0;
}

static bool address_allowed(const struct conf_receiver *conf, const struct caller *caller)
{
	for (size_t i = 0; caller->has_address && i < conf->allow_count; i++)
		if (matches(&conf->allow[i], &caller->address))
			return true;
	return conf->allow_count == 0;
}

/* Counts the association in directory fd. What the router makes of files dropped by hand has no
 * peer: a thousand of them must not keep a caller out. */
static void count_one(int fd, const char *peer, long *all, long *of_peer)
{
	json_t *json = assoc_load(fd);
	const char *value = assoc_peer(json);

	*all += value != NULL;
	*of_peer += value && strcmp(value, peer) == 0;
	json_decref(json);
}

/* Counts the associations that are alive, and this peer's among them. */
static int count(int receiving, const char *peer, long *all, long *of_peer)
{
	struct disk_names names;

	*all = *of_peer = 0;
	if (disk_list(receiving, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		int fd = disk_open_dir(receiving, names.name[i]);

		if (fd < 0)
			continue; /* it ended meanwhile, or is no directory */
		if (flock(fd, LOCK_SH | LOCK_NB) < 0)
			count_one(fd, peer, all, of_peer);
		(void)close(fd); /* nothing was written; drops our lock */
	}
	disk_names_free(&names);
	return 0;
}

/* What getdcmtags has to put right in the files. */
static json_t *stand_ins_json(const struct stand_ins *s)
{
	json_t *json = json_object();

	for (size_t i = 0; i < s->count; i++)
		if (json_object_set_new(json, s->pair[i].stand_in, json_string(s->pair[i].real)) <
			0) {
			json_decref(json);
			return NULL;
		}
	return json;
}

static int write_json(const struct association *a, const char *time, const struct caller *caller)
{
	json_t *stand_ins = a->stand_ins->count > 0 ? stand_ins_json(a->stand_ins) : NULL;
	struct assoc assoc = { .name = a->name,
		.time = time,
		.peer = caller->peer,
		.peer_port = caller->peer_port,
		.local_port = caller->local_port,
		.calling_aet = caller->calling,
		.called_aet = caller->called,
		.stand_ins = stand_ins };
	int result = -1;

	if (a->stand_ins->count > 0 && !stand_ins)
		errno = ENOMEM;
	else
		result = assoc_store(a->dir, &assoc);
	json_decref(stand_ins);
	return result;
}

/* Makes and locks a directory of a new name. A recovery may take the empty directory for a dead one
 * and remove it before we have locked it: then another name. */
static int make(struct association *a, const struct caller *caller)
{
	int receiving = a->spool->dir[SPOOL_RECEIVING];
	char stamp[SPOOL_STAMP_SIZE];
	int saved;

	a->dir = -1;
	for (int i = 0; a->dir < 0 && i < TRIES; i++) {
		spool_stamp(clock_now_us(), stamp, sizeof(stamp));
		(void)snprintf(a->name, sizeof(a->name), "%s.%ld", stamp, (long)getpid());
		if (disk_make_dir(receiving, a->name) < 0)
			return -1;
		a->dir = disk_lock_dir(receiving, a->name, LOCK_EX);
		if (a->dir < 0 && errno != ENOENT) {
			saved = errno;
			(void)unlinkat(receiving, a->name, AT_REMOVEDIR); /* else a recovery does */
			errno = saved;
			return -1;
		}
	}
	if (a->dir < 0)
		return -1;
	if (write_json(a, stamp, caller) == 0)
		return 0;
	(void)association_finish(a); /* it has logged */
	return -1;
}

static const struct acceptor_refusal *check_limits(
	const struct association *a, const struct caller *caller)
{
	const struct conf_receiver *conf = &a->conf->receiver;
	int64_t free_bytes = disk_free_bytes(a->spool->dir[SPOOL_RECEIVING]);
	long all, of_peer;

	if (free_bytes < 0 ||
		count(a->spool->dir[SPOOL_RECEIVING], caller->peer, &all, &of_peer) < 0) {
		log_error("unable to look at the spool: %s", strerror(errno));
		return &spool_failed;
	}
	if (free_bytes / 1048576 < conf->min_free_mb)
		return &disk_full;
	if (all >= conf->max_associations)
		return &too_many;
	if (of_peer >= conf->max_associations_per_peer)
		return &too_many_of_peer;
	return NULL;
}

const struct acceptor_refusal *admit(struct association *a, const struct caller *caller)
{
	const struct conf_receiver *conf = &a->conf->receiver;
	const struct acceptor_refusal *refusal;
	int gate;

	if (!address_allowed(conf, caller))
		return &address_unknown;
	if (!allowed(&conf->calling_aets, caller->calling))
		return &calling_unknown;
	if (!allowed(&conf->called_aets, caller->called))
		return &called_unknown;
	gate = disk_lock_dir(a->spool->dir[SPOOL_RECEIVING], ".", LOCK_EX);
	if (gate < 0) {
		log_error("unable to lock receiving: %s", strerror(errno));
		return &spool_failed;
	}
	refusal = check_limits(a, caller);
	if (!refusal && make(a, caller) < 0) {
		log_error("unable to make receiving/%s: %s", a->name, strerror(errno));
		refusal = &spool_failed;
	}
	(void)close(gate); /* drops the lock */
	return refusal;
}
