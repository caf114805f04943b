#define _GNU_SOURCE /* syncfs */
#include "serve.h"

#include "admit.h"
#include "association.h"
#include "collect.h"
#include "profile.h"
#include "relay.h"
#include "request.h"
#include "section.h"
#include "spool/places.h"
#include "standin.h"

#include "conf/conf.h"
#include "dicom/network/peek.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/jsonfile.h"
#include "spool/journal.h"
#include "base/log.h"
#include "base/run.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { BULK_S = 1 }; /* an association that lasted so long brought many images */

static const struct acceptor_reject congestion = { 2, 3, 1 }; /* PS3.8 table 9-21 */

void serve_let_go(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, fd) < 0)
		die(EXIT_TEMPORARY, "unable to close the connection: %s", strerror(errno));
	(void)close(null); /* its copy stays */
}

/* length: of the request; 0: there is none that could be answered. Returns 0: for whoever started
 * us, a refusal is a connection handled. */
static int refuse(const struct spool *spool, const struct caller *caller,
	const struct conf_sender *sender, size_t length, const struct acceptor_refusal *refusal)
{
	const struct acceptor_reject *reject = &refusal->reject;
	const char *remedy = admit_remedy(refusal);
	char numbers[16] = "aborted";

	if (remedy)
		log_warning("association refused peer=%s calling=%s called=%s: %s; %s",
			caller->peer, caller->calling, caller->called, refusal->reason, remedy);
	else
		log_info("association refused peer=%s calling=%s called=%s: %s", caller->peer,
			caller->calling, caller->called, refusal->reason);
	if (reject->result)
		(void)snprintf(numbers, sizeof(numbers), "%d/%d/%d", reject->result, reject->source,
			reject->reason);
	journal_write(spool, "association-refused", "peer", caller->peer, "calling_aet",
		caller->calling, "called_aet", caller->called, "reason", refusal->reason,
		"rejected", length > 0 ? numbers : NULL, "sender", sender ? sender->name : NULL,
		NULL);
	if (length > 0) /* who asks the journal because of the answer finds it there */
		request_refuse(STDIN_FILENO, length, *reject);
	return 0;
}

/* Behind TLS a caller has a process before his request is there, so these are counted by places
 * of their own, held until they are closed. Returns NULL; or why there is none for him. */
static const char *take_silent_place(
	const struct spool *spool, const struct caller *caller, int *places)
{
	char name[sizeof("tls peer ") + sizeof(caller->peer)];

	*places = places_open(spool);
	(void)snprintf(name, sizeof(name), "tls peer %s", caller->peer); /* fits */
	if (*places < 0)
		die(EXIT_TEMPORARY, "unable to look at the spool: %s", strerror(errno));
	if (places_take(*places, name, REQUEST_SILENT_OF_PEER) < 0)
		return request_too_many_of_peer;
	return places_take(*places, "tls", REQUEST_SILENT_MAX) < 0 ? request_too_many : NULL;
}

/* As peek_request(). */
static const char *wait_for_request(const struct spool *spool, const struct conf_receiver *conf,
	bool behind_tls, const struct caller *caller, unsigned char **pdu, size_t *length)
{
	int places = -1;
	const char *wrong = behind_tls ? take_silent_place(spool, caller, &places) : NULL;

	if (!wrong)
		wrong = peek_request(STDIN_FILENO, conf->request_timeout_s, pdu, length);
	if (places >= 0)
		(void)close(places); /* gives them back */
	return wrong;
}

/* The caller frees *pdu, which is still waiting on the socket. */
static void read_request(const struct spool *spool, const struct conf_receiver *conf,
	bool behind_tls, struct caller *caller, struct acceptor_request *request,
	unsigned char **pdu, size_t *length)
{
	struct acceptor_refusal wrong = { ACCEPTOR_ABORT, NULL };
	const struct acceptor_refusal *refusal;

	if (caller_read(STDIN_FILENO, caller) < 0)
		die(errno == ENOTSOCK || errno == EBADF ? EXIT_PERMANENT : EXIT_TEMPORARY,
			"unable to use standard input: %s; it must be a connection, as "
			"dcmspool-receiver, tcpserver or a systemd socket give it",
			strerror(errno));
	if (behind_tls && caller_from_environment(caller, conf->tls_port) < 0)
		die(EXIT_PERMANENT,
			"unable to tell who is calling: REMOTE_HOST is no address; -t is for "
			"dcmspool-tls");
	wrong.reason = wait_for_request(spool, conf, behind_tls, caller, pdu, length);
	if (wrong.reason && !*wrong.reason)
		exit(0);
	if (wrong.reason)
		exit(refuse(spool, caller, NULL, 0, &wrong));
	wrong.reason = acceptor_parse(*pdu, *length, request);
	(void)snprintf(caller->calling, sizeof(caller->calling), "%s", request->calling);
	(void)snprintf(caller->called, sizeof(caller->called), "%s", request->called);
	refusal = wrong.reason ? &wrong : acceptor_judge(request);
	if (refusal)
		exit(refuse(spool, caller, NULL, *length, refusal));
}

/* How long it has taken; -1: not known. */
static int64_t lasted_s(const struct association *a)
{
	int64_t began = spool_stamp_time(a->name);

	return began < 0 ? -1 : (clock_now_us() - began) / 1000000;
}

/* Whoever was killed may not have told it. */
static void tell_opened_again(const struct association *a, const json_t *assoc)
{
	journal_write(a->spool, "association-opened", "association", a->name, "peer",
		jsonfile_text(assoc, "peer"), "calling_aet", jsonfile_text(assoc, "calling_aet"),
		"called_aet", jsonfile_text(assoc, "called_aet"), "sender",
		json_string_value(json_object_get(assoc, "sender")), "again", "true", NULL);
}

/* caller: who had the connection; NULL when there was none, or nobody knows. */
static void tell_end(const struct association *a, const char *how, const char *caller,
	const struct assoc_counts *counts)
{
	const int64_t seconds = lasted_s(a);
	const unsigned long number[] = { counts->received, counts->filed, counts->duplicates,
		counts->quarantined };
	char text[5][24];

	(void)snprintf(text[4], sizeof(text[4]), "%lld", (long long)seconds);
	for (int i = 0; i < 4; i++)
		(void)snprintf(text[i], sizeof(text[i]), "%lu", number[i]);
	log_info("association ended association=%s how=%s", a->name, how);
	journal_write(a->spool, "association-ended", "association", a->name, "calling_aet", caller,
		"how", how, "seconds", seconds < 0 ? NULL : text[4], "received", text[0], "filed",
		text[1], "duplicates", text[2], "quarantined", text[3], NULL);
}

/* Waits for the children, tells the end, and takes the directory apart. Told, and on the disk,
 * before the directory goes: without it nobody would tell it after a crash. assoc: association.json
 * of a connection that is recovered. -1: not yet. */
static int take_apart(struct collect *c, const json_t *assoc, const char *how)
{
	const char *caller = c->a->caller ? c->a->caller->calling : NULL;
	struct assoc_counts counts;

	if (collect_run(c) < 0)
		return -1;
	free(assoc_reading_load(c->a->dir, &counts));
	if (association_settle(c->a) < 0)
		return -1;
	if (!how)
		how = c->broken ? "broken" : c->aborted ? "aborted" : "clean";
	if (assoc) {
		tell_opened_again(c->a, assoc);
		caller = jsonfile_text(assoc, "calling_aet");
	}
	tell_end(c->a, how, caller, &counts);
	if (journal_sync(c->a->spool) < 0)
		log_warning("unable to sync the journal: %s; a power failure may take the line of "
			    "its end association=%s",
			strerror(errno), c->a->name);
	return association_remove(c->a);
}

static int finish(struct collect *c, const json_t *assoc, const char *how)
{
	const struct association *a = c->a;

	if (take_apart(c, assoc, how) < 0) {
		log_error("association kept for recovery: receiving/%s", a->name);
		return EXIT_TEMPORARY;
	}
	/* The router will want these images on the disk when it claims them, after
	 * association_grace; begun now, that is done by then. Not for senders with a connection per
	 * image: theirs add up. */
	if (lasted_s(a) >= BULK_S)
		(void)syncfs(
			a->spool->dir[SPOOL_ROOT]); /* the router's own says whether it worked */
	return 0;
}

/* A dead association: waits until the last of its processes has let the lock go. */
int serve_recover(const struct conf *conf, const struct spool *spool, const char *name)
{
	static const struct stand_ins none;
	struct association recovered = {
		.conf = conf, .spool = spool, .stand_ins = &none, .dir = -1
	};
	struct association *a = &recovered;
	struct collect c = {
		.a = a, .storescp = -1, .life = -1, .log = -1, .stopping = true
	}; /* whoever started us tries again, see dcmspool-receiver */
	int receiving = a->spool->dir[SPOOL_RECEIVING], result;
	json_t *assoc;

	if (!name_ok(name))
		die(EXIT_PERMANENT, "unable to recover: not a name in receiving/");
	(void)snprintf(a->name, sizeof(a->name), "%s", name);
	a->dir = disk_lock_dir(receiving, name, LOCK_EX);
	if (a->dir < 0 && errno == ENOENT)
		return 0; /* it ended by itself */
	if (a->dir < 0)
		die(EXIT_TEMPORARY, "unable to lock receiving/%s: %s", name, strerror(errno));
	if (unlinkat(receiving, name, AT_REMOVEDIR) == 0)
		return 0; /* it had not begun */
	loop_open(&c.loop);
	(void)collect_start(&c); /* collect_run() tries again */
	assoc = assoc_load(a->dir);
	result = finish(&c, assoc && !assoc_is_dropped(assoc) ? assoc : NULL, "recovered");
	json_decref(assoc);
	return result;
}

/* Puts the stand-ins into a request that needs some; *rewritten is the one for storescp then. */
static void put_stand_ins(struct acceptor_request *request, enum conf_accept accept,
	const unsigned char *pdu, size_t length, struct stand_ins *stand_ins, struct buf *rewritten)
{
	standin_choose(request, accept, stand_ins);
	if (stand_ins->count == 0)
		return;
	if (standin_request(stand_ins, pdu, length, rewritten) || rewritten->failed ||
		acceptor_parse((const unsigned char *)rewritten->data, rewritten->length, request))
		die(EXIT_TEMPORARY, "unable to rewrite the request: out of memory");
}

/* storescp gets the connection itself or, when there is a request for it, the end of a relay. */
static void start_storescp(struct collect *c, const char *profile, size_t length,
	const struct buf *request, int parked)
{
	bool relayed = c->a->stand_ins->count > 0;
	int socket = STDIN_FILENO;

	c->storescp = -1;
	if (relayed)
		socket = relay_open(c->relay, STDIN_FILENO, length, request, c->a->stand_ins);
	if (socket >= 0)
		(void)collect_storescp(c, socket, profile, parked);
	if (c->storescp < 0) {
		log_error("unable to start storescp: %s; is DCMTK installed?", strerror(errno));
		request_refuse(STDIN_FILENO, length, congestion);
		collect_storescp_ended(c, 0);
	}
	if (relayed && socket >= 0)
		(void)close(socket); /* storescp has it */
	if (parked >= 0)
		(void)close(parked); /* we have no other connection */
	serve_let_go(STDIN_FILENO);
}

static int serve(struct association *a, const struct caller *caller, const char *profile,
	size_t length, const struct buf *request, int parked)
{
	struct relay relay = RELAY_NONE;
	struct collect c = { .a = a, .storescp = 1, .life = -1, .log = -1, .relay = &relay };

	loop_open(&c.loop);
	log_info("association opened association=%s peer=%s calling=%s called=%s", a->name,
		caller->peer, caller->calling, caller->called);
	journal_write(a->spool, "association-opened", "association", a->name, "peer", caller->peer,
		"calling_aet", caller->calling, "called_aet", caller->called, "sender",
		a->sender ? a->sender->name : NULL, NULL);
	(void)collect_start(&c); /* collect_run() tries again */
	start_storescp(&c, profile, length, request, parked);
	return finish(&c, NULL, NULL);
}

int serve_connection(
	const struct conf *conf, const struct spool *spool, bool behind_tls, int parked)
{
	static struct acceptor_request *request; /* these for the life of the process */
	static struct buf profile, rewritten;
	static struct stand_ins stand_ins;
	struct association a = { .conf = conf, .spool = spool, .stand_ins = &stand_ins, .dir = -1 };
	const struct acceptor_refusal *refusal;
	enum conf_accept accept;
	struct caller caller;
	unsigned char *pdu;
	size_t length;

	request = calloc(1, sizeof(*request));
	if (!request)
		die(EXIT_TEMPORARY, "unable to read the request: out of memory");
	read_request(spool, &conf->receiver, behind_tls, &caller, request, &pdu, &length);
	a.caller = &caller;
	a.sender = section_find(conf, &caller);
	accept = section_accept(conf, a.sender);
	put_stand_ins(request, accept, pdu, length, &stand_ins, &rewritten);
	free(pdu);
	refusal = admit(&a, &caller);
	if (refusal)
		return refuse(spool, &caller, a.sender, length, refusal);
	if (profile_make(request, accept, &stand_ins, &profile) == 0 || request->bad_uids > 0)
		log_warning("nothing acceptable proposed association=%s bad_uids=%zu", a.name,
			request->bad_uids);
	free(request);
	request = NULL;
	if (profile.failed)
		die(EXIT_TEMPORARY, "unable to write the profile: out of memory");
	return serve(&a, &caller, profile.data, length, &rewritten, parked);
}
