#include "admit.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "section.h"
#include "spool/held.h"
#include "spool/places.h"

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
static const struct acceptor_reject calling_unknown = { 1, 1, 3 }, called_unknown = { 1, 1, 7 },
				    no_reason = { 1, 1, 1 }, limit = { 2, 3, 2 };
static const struct acceptor_refusal held = { { 2, 3, 1 }, "reception is held" };
static const struct acceptor_refusal disk_full = { { 2, 3, 2 },
	"less free disk space than receiver.min_free" };
static const struct acceptor_refusal too_many_of_peer = { { 2, 3, 2 },
	"more associations of one address than receiver.max_associations_per_peer" };
static const struct acceptor_refusal spool_failed = { { 2, 3, 2 }, "the spool cannot be written" };

/* What to do about a refusal that is none of the caller's making. A limit says whose it is. */
static const struct {
	const struct acceptor_refusal *refusal;
	const char *remedy;
} remedies[] = {
	{ &disk_full,
		"make room, or let cleaner.retention be shorter; nothing is received until then" },
	{ &too_many_of_peer, "raise it, or let the sender open fewer" },
	{ &spool_failed, "the line before says why" },
	{ &held, "end that with: dcmspool release --receiver" },
};

const char *admit_remedy(const struct acceptor_refusal *refusal)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (remedies[i].refusal == refusal)
			return remedies[i].remedy;
	return memcmp(&refusal->reject, &limit, sizeof(limit)) == 0
		       ? "raise it if this machine can do more"
		       : NULL;
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
		.certificate = *caller->certificate ? caller->certificate : NULL,
		.sender = a->sender ? a->sender->name : NULL,
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
	(void)association_remove(a); /* it has logged */
	return -1;
}

/* key: of the section that was asked, the sender's own or the receiver's. */
static const struct acceptor_refusal *say(struct acceptor_reject reject, const char *is,
	const struct conf_sender *sender, const char *key)
{
	static char reason[512]; /* one process refuses once */
	static struct acceptor_refusal refusal = { .reason = reason };

	refusal.reject = reject;
	(void)snprintf(reason, sizeof(reason), "%s %s%s.%s", is, sender ? "sender." : "receiver",
		sender ? sender->name : "", key); /* fits */
	return &refusal;
}

/* A sender may have places of its own; else one of the places in all and one of this address. */
static const struct acceptor_refusal *take_places(
	const struct association *a, const struct caller *caller, int places)
{
	const struct conf_receiver *conf = &a->conf->receiver;
	const struct conf_sender *own = a->sender && a->sender->max_associations ? a->sender : NULL;
	char name[256]; /* both fit */

	(void)snprintf(name, sizeof(name), "%s%s", own ? "sender " : "", own ? own->name : "");
	if (places_take(places, name, own ? own->max_associations : conf->max_associations) < 0)
		return errno == EAGAIN
			       ? say(limit, "more associations than", own, "max_associations")
			       : &spool_failed;
	(void)snprintf(name, sizeof(name), "peer %s", caller->peer);
	if (!own && places_take(places, name, conf->max_associations_per_peer) < 0)
		return errno == EAGAIN ? &too_many_of_peer : &spool_failed;
	return NULL;
}

static const struct acceptor_refusal *check_limits(
	const struct association *a, const struct caller *caller)
{
	int64_t free_bytes = disk_free_bytes(a->spool->dir[SPOOL_RECEIVING]);
	const struct acceptor_refusal *refusal = &spool_failed;
	int places = places_open(a->spool); /* until this process ends */

	if (free_bytes >= 0 && places >= 0)
		refusal = free_bytes / 1048576 < a->conf->receiver.min_free_mb
				  ? &disk_full
				  : take_places(a, caller, places);
	if (refusal == &spool_failed)
		log_error("unable to look at the spool: %s", strerror(errno));
	return refusal;
}

const struct acceptor_refusal *admit(struct association *a, const struct caller *caller)
{
	const struct conf_sender *sender = a->sender;
	const struct acceptor_refusal *refusal;

	if (!section_address_ok(a->conf, sender, caller))
		return say(no_reason, "address not in", NULL, "allow");
	if (!section_calling_ok(a->conf, sender, caller))
		return say(calling_unknown, "calling AE title empty or not in",
			sender && sender->calling_aets.count ? sender : NULL, "calling_aets");
	if (!section_called_ok(a->conf, sender, caller))
		return say(called_unknown, "called AE title empty or not in",
			sender && sender->called_aets.count ? sender : NULL, "called_aets");
	if (held_is(a->spool->dir[SPOOL_RECEIVING]))
		return &held;
	refusal = check_limits(a, caller);
	if (!refusal && make(a, caller) < 0) {
		log_error("unable to make receiving/%s: %s", a->name, strerror(errno));
		refusal = &spool_failed;
	}
	return refusal;
}
