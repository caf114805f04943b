#include "echo.h"

#include "base/log.h"
#include "status.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char log_configuration[] = TOOL_LOG "log4cplus.logger.dcmtk.apps.echoscu = INFO\n";

/* What echoscu has said. */
struct echo {
	bool answered; /* the target has answered the C-ECHO */
	bool no_echo;  /* it took the association, but knows no C-ECHO: then it can be used as well
			*/
	long status;   /* of the answer */
	bool there;    /* it refused for good, or broke off: somebody listens and speaks */
	char detail[256]; /* what is known about TLS; "" */
	char reason[256]; /* why it failed; "" */
};

static void add(char *text, size_t size, const char *more)
{
	size_t length = strlen(text);

	(void)snprintf(
		text + length, size - length, "%s%s", length ? " " : "", more); /* or is cut */
}

/* echoscu's words for an answer: "(Success)" or "(Unknown Status: 0x122)" */
static void take_answer(struct echo *e, const char *text)
{
	const char *number = strstr(text, "0x");

	e->answered = true;
	e->status = number ? strtol(number, NULL, 16) : 0;
}

static void take_reason(struct echo *e, const char *text)
{
	static const char rejected[] = "Result: Rejected Permanent", aborted[] = "Peer aborted";

	if (strncmp(text, rejected, sizeof(rejected) - 1) == 0 ||
		strncmp(text, aborted, sizeof(aborted) - 1) == 0)
		e->there = true;
	add(e->reason, sizeof(e->reason), text);
}

static void take_line(struct echo *e, char *line)
{
	static const char answer[] = "Received Echo Response (";
	static const char *const prefixes[] = {
		"Association Request Failed: ", "Echo Failed: ", "Echo SCU Failed: "
	};
	const char *source;
	char level, *text;

	if (!tool_split(line, &level, &source, &text))
		return;
	if (strcmp(source, "tlswhy.c") == 0 || strcmp(source, "tlsopt.cc") == 0) {
		add(e->detail, sizeof(e->detail), text);
	} else if (strcmp(source, "echoscu.cc") == 0 && level == 'I') {
		if (strncmp(text, answer, sizeof(answer) - 1) == 0)
			take_answer(e, text + sizeof(answer) - 1);
	} else if (strcmp(source, "echoscu.cc") == 0 &&
		   strcmp(text, "No Acceptable Presentation Contexts") == 0) {
		e->no_echo = true;
	} else if (strcmp(source, "echoscu.cc") == 0 && (level == 'F' || !e->reason[0])) {
		for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
			if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
				text += strlen(prefixes[i]);
		take_reason(e, tool_words(text));
	}
}

static int run(struct echo *e, const struct peer *peer)
{
	struct tool_arguments a;
	struct tool tool;
	int result;
	char *line;

	if (tool_arguments(&a, "echoscu", 0) < 0)
		return -1;
	tool_add_peer(&a, peer);
	tool_add_tls(&a, peer);
	tool_add(&a, peer->host);
	tool_add(&a, peer->port);
	result = tool_start(&tool, &a, peer, log_configuration, -1);
	free(a.argv);
	if (result < 0)
		return -1;
	while ((line = tool_line(&tool)))
		take_line(e, line);
	return tool_end(&tool, false);
}

/* What keeps a C-ECHO out need not keep images out, so a job is worth a try: many a target knows
 * whoever wants to verify not at all. Only resources are short for both. */
static bool refuses_echo_only(const struct echo *e)
{
	enum { OUT_OF_RESOURCES = 0xa7, RESOURCE_LIMITATION = 0x0213 };

	if (e->answered)
		return e->status >> 8 != OUT_OF_RESOURCES && e->status != RESOURCE_LIMITATION;
	return e->there && !e->detail[0];
}

bool echo_ok(const struct peer *peer, bool job, char *why, size_t size)
{
	/* PS3.7 C.5.6, C.5.8: it answers, and has no C-ECHO */
	enum { NO_SUCH_CLASS = 0x0122, NO_SUCH_OPERATION = 0x0211 };
	struct echo e = { 0 };
	int code = run(&e, peer);

	if (code < 0) {
		(void)snprintf(why, size, "unable to run echoscu: %s", strerror(errno));
		return false;
	}
	if (e.no_echo || (e.answered && (e.status == 0 || e.status == NO_SUCH_CLASS ||
						e.status == NO_SUCH_OPERATION)))
		return true;
	if (e.answered)
		(void)snprintf(why, size, "%s:%s answers a C-ECHO with status %04lX: %s",
			peer->host, peer->port, (unsigned long)e.status,
			status_text((int)e.status));
	else if (e.detail[0] || e.reason[0])
		(void)snprintf(why, size, "%s:%s: %s", peer->host, peer->port,
			e.detail[0] ? e.detail : e.reason);
	else
		(void)snprintf(why, size, "echoscu ended without an answer, status %d", code);
	if (!job || !refuses_echo_only(&e))
		return false;
	log_info("the target refuses a C-ECHO, so it is there; images are tried: %s", why);
	return true;
}
