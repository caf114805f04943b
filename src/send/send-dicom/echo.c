#include "echo.h"

#include "base/log.h"
#include "status.h"

#include <stdio.h>

/* PS3.7 C.5.6, C.5.8: it answers, and has no C-ECHO. */
enum { NO_SUCH_CLASS = 0x0122, NO_SUCH_OPERATION = 0x0211 };
enum { OUT_OF_RESOURCES = 0xa7, RESOURCE_LIMITATION = 0x0213 };

/* What keeps a C-ECHO out need not keep images out, so a job is worth a try: many a target knows
 * whoever wants to verify not at all. Only resources are short for both. */
static bool refuses_echo_only(const struct association *a, int status)
{
	switch (a->trouble) {
	case ASSOCIATION_FINE:
		return status >> 8 != OUT_OF_RESOURCES && status != RESOURCE_LIMITATION;
	case ASSOCIATION_REJECTED:
	case ASSOCIATION_ABORTED:
	case ASSOCIATION_CLOSED:
		return true;
	default:
		return false;
	}
}

bool echo_ok(const struct peer *peer, bool job, char *why, size_t size)
{
	static const struct associate_proposal verification = { DIMSE_VERIFICATION,
		"1.2.840.10008.1.2" };
	struct dimse_response response = {
		0
	}; /* success: it takes the association, and no C-ECHO */
	struct association_call call;
	struct association a;
	bool ok = false;

	peer_call(peer, &verification, 1, &call);
	if (association_open(&a, &call) == 0 && a.answer.accepted[0])
		(void)association_echo(&a, 0, &response); /* trouble tells */
	if (a.trouble)
		(void)snprintf(why, size, "%s:%s: %s", peer->host, peer->port, a.why);
	else if (response.status == 0 || response.status == NO_SUCH_CLASS ||
		 response.status == NO_SUCH_OPERATION)
		ok = true;
	else
		(void)snprintf(why, size, "%s:%s answers a C-ECHO with status %04X: %s", peer->host,
			peer->port, (unsigned int)response.status, status_text(response.status));
	if (!ok && job && refuses_echo_only(&a, response.status)) {
		log_info("the target refuses a C-ECHO, so it is there; images are tried: %s", why);
		ok = true;
	}
	association_close(&a);
	return ok;
}
