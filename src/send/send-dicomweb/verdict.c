#include "verdict.h"

#include "redirect.h"

#include <stdio.h>

/* Statuses of HTTP (RFC 9110, PS3.18 10.5.3.1) that mean something of their own; other ones are
 * judged by their first digit. searching: what a request for nothing is told, when that is not the
 * same. */
static const struct {
	int http;
	enum verdict storing, searching;
	const char *text;
} statuses[] = {
	{ 400, VERDICT_ANSWERED, VERDICT_ANSWERED, "bad request" },
	{ 401, VERDICT_DOWN, VERDICT_DOWN,
		"the credentials are not accepted; see username, password_file and token_file" },
	{ 403, VERDICT_DOWN, VERDICT_ANSWERED,
		"these credentials are not allowed to store; "
		"see username, password_file and token_file" },
	{ 404, VERDICT_DOWN, VERDICT_ANSWERED, "there is no such service; see url" },
	{ 405, VERDICT_DOWN, VERDICT_ANSWERED, "this is no service that stores; see url" },
	{ 406, VERDICT_DOWN, VERDICT_ANSWERED, "the target cannot answer in JSON" },
	{ 407, VERDICT_DOWN, VERDICT_DOWN, "the proxy wants credentials" },
	{ 409, VERDICT_ANSWERED, VERDICT_ANSWERED, "conflict" },
	{ 413, VERDICT_TOO_LARGE, VERDICT_ANSWERED, "larger than the target takes" },
	{ 415, VERDICT_REFUSED, VERDICT_ANSWERED, "the target does not take such data" },
	{ 422, VERDICT_ANSWERED, VERDICT_ANSWERED, "the target cannot process it" },
	{ 429, VERDICT_DOWN, VERDICT_DOWN, "the target asks for a pause" },
	{ 500, VERDICT_BROKEN, VERDICT_DOWN, "the target has an internal error" },
	{ 501, VERDICT_DOWN, VERDICT_ANSWERED, "the target cannot do that; see url" },
	{ 502, VERDICT_BROKEN, VERDICT_DOWN, "what is behind the target does not answer" },
	{ 503, VERDICT_NO_ROOM, VERDICT_DOWN, "the target is not available at the moment" },
	{ 504, VERDICT_BROKEN, VERDICT_DOWN, "what is behind the target does not answer in time" },
	{ 507, VERDICT_NO_ROOM, VERDICT_DOWN, "the target's disk is full" },
};
static const size_t status_count = sizeof(statuses) / sizeof(statuses[0]);

/* What curl(1) has for exit statuses whose own message does not tell what to do about it. bare:
 * what it means without ca_file, when that is something else. */
static const struct {
	int code;
	const char *text, *bare;
} codes[] = {
	{ 28, "it does not answer in time; see timeout", NULL },
	{ 35, "no TLS connection", NULL },
	{ 52, "it closes the connection without an answer", NULL },
	{ 60, "its certificate is not trusted; see ca_file",
		"its certificate is not trusted by this machine; "
		"if its authority is one of your own, set ca_file" },
	{ 77, "ca_file has no certificate that can be used",
		"this machine knows no authority for certificates; install ca-certificates" },
};

/* No answer, or one that broke off. */
static void say_broken(
	const struct request_target *t, const struct request_result *r, char *why, size_t size)
{
	const char *text = "";

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == r->code)
			text = !t->ca_file && codes[i].bare ? codes[i].bare : codes[i].text;
	if (*text || r->message[0])
		(void)snprintf(why, size, "%s: %s%s%s", t->url, text,
			*text && r->message[0] ? ": " : "", r->message);
	else
		(void)snprintf(why, size, "%s: curl ended with status %d", t->url, r->code);
}

static const char *status_text(int http)
{
	for (size_t i = 0; i < status_count; i++)
		if (statuses[i].http == http)
			return statuses[i].text;
	return "unexpected";
}

static void say_status(
	const struct request_target *t, const struct request_result *r, char *why, size_t size)
{
	bool wait = r->retry_after[0] && (r->http == 429 || r->http == 503);

	if (r->http / 100 == 3)
		(void)snprintf(why, size,
			"%s: HTTP %d: this redirection is not followed; "
			"set url to where it is now: %s",
			t->url, r->http, r->location);
	else
		(void)snprintf(why, size, "%s: HTTP %d: %s%s%s", t->url, r->http,
			status_text(r->http), wait ? "; it says to wait " : "",
			wait ? r->retry_after : "");
}

/* By the first digit: 2: answered, 3 and 4: not this way, 5: broken while storing. */
static enum verdict by_status(int http, bool storing)
{
	for (size_t i = 0; i < status_count; i++)
		if (statuses[i].http == http)
			return storing ? statuses[i].storing : statuses[i].searching;
	switch (http / 100) {
	case 2:
		return VERDICT_ANSWERED;
	case 4:
		return storing ? VERDICT_DOWN : VERDICT_ANSWERED;
	case 5:
		return storing ? VERDICT_BROKEN : VERDICT_DOWN;
	}
	return VERDICT_DOWN;
}

enum verdict verdict_post(
	const struct request_target *t, const struct request_result *r, char *why, size_t size)
{
	enum verdict verdict = r->http ? by_status(r->http, true) : VERDICT_BROKEN;

	/* Success is believed to the end only: all was taken, and the answer came whole. */
	if (verdict == VERDICT_ANSWERED && r->http < 300 && r->body != BODY_DONE) {
		(void)snprintf(
			why, size, "%s: the answer came before the images had been read", t->url);
		return VERDICT_BROKEN;
	}
	if (r->http && (r->code == 0 || verdict != VERDICT_ANSWERED)) {
		say_status(t, r, why, size);
		return verdict;
	}
	say_broken(t, r, why, size);
	return r->uploaded > 0 ? VERDICT_BROKEN : VERDICT_DOWN;
}

enum verdict verdict_probe(
	const struct request_target *t, const struct request_result *r, char *why, size_t size)
{
	if (!r->http) {
		say_broken(t, r, why, size);
		return VERDICT_DOWN;
	}
	say_status(t, r, why, size);
	return redirect_ok(r->http, t->url, r->location) ? VERDICT_ANSWERED
							 : by_status(r->http, false);
}
