/*
 * send-dicom: the sender for targets of type dicom; see send-dicom(8) and dcmspool-sender(7).
 *
 * It speaks DICOM itself, and sends each image's data set byte for byte as it lies in the file;
 * attempt.h says what happens when the target does not answer.
 */
#include "attempt.h"
#include "echo.h"
#include "peer.h"
#include "sender/next.h"
#include "sender/sender.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

/* Whether the target can be used. With return_to_sender it is somebody else with each job, and the
 * one of this job must not hold up the others'. */
static void probe(struct sender *sender, const struct peer *peer, bool job)
{
	char why[512];

	if (!sender_yes("RETURN_TO_SENDER") && !echo_ok(peer, job, why, sizeof(why)))
		sender_target_failed(sender, "%s", why);
}

/* Images that were dropped by hand have no sender: no target's fault, and nothing that a retry
 * mends. */
static void fail_all(struct sender *sender)
{
	for (size_t i = 0; i < sender->count; i++)
		sender_answer(sender, i, SENDER_FAILED, SENDER_NO_STATUS,
			"return_to_sender: series.json has no sender with an address and an AE "
			"title");
}

/* One job after the other, as long as the dispatcher has some for this target; an association that
 * still serves is kept meanwhile. */
static void send_jobs(struct sender *sender, struct peer *peer)
{
	static struct attempt attempt;
	enum next next;

	do {
		if (peer->host)
			attempt_parallel(&attempt, sender, peer);
		else
			fail_all(sender);
		while ((next = next_wait(sender, attempt_watch(&attempt))) == NEXT_INPUT)
			attempt_idle(&attempt);
		if (next == NEXT_JOB && peer_again(peer))
			attempt_drop(&attempt);
	} while (next == NEXT_JOB);
	attempt_end(&attempt);
}

int main(int argc, char *argv[])
{
	struct sender sender;
	static struct peer peer; /* for the life of the process */
	const bool probing = sender_probing(argc, argv), checking = sender_checking(argc, argv);
	const bool job = !checking && (!probing || getenv("DCMSPOOL_JOB"));

	(void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
	sender_open(&sender, argv[0]);
	peer_read(&peer, job);
	if (probing)
		probe(&sender, &peer, job);
	else if (!checking)
		send_jobs(&sender, &peer);
	tls_free(peer.tls);
	return sender_close(&sender);
}
