#include "reply.h"

#include "base/log.h"
#include "sender/sender.h"

#include <stdio.h>
#include <string.h>

enum { CODE_SIZE = 64, MESSAGE_SIZE = 200 };
enum { NO_AUTHORITIES = 77 }; /* curl's status without a file of them */

/* Errors that S3 has names for, where the name says more than the status. Amazon's API reference,
 * "List of error codes"; others use the same. */
static const struct {
	const char *code;
	enum reply_meaning meaning;
	const char *remedy;
} codes[] = {
	{ "AccessDenied", REPLY_TARGET, "the key lacks the right to do this" },
	{ "AuthorizationHeaderMalformed", REPLY_TARGET, "see TARGET_REGION" },
	{ "ExpiredToken", REPLY_TARGET, "see TARGET_KEY_FILE" },
	{ "InternalError", REPLY_BROKEN, NULL },
	{ "InvalidAccessKeyId", REPLY_TARGET, "see TARGET_KEY_FILE" },
	{ "InvalidBucketName", REPLY_TARGET, "see TARGET_URL" },
	{ "InvalidToken", REPLY_TARGET, "see TARGET_KEY_FILE" },
	{ "NoSuchBucket", REPLY_TARGET, "make it, or see TARGET_URL" },
	{ "PermanentRedirect", REPLY_TARGET, "see TARGET_URL and TARGET_REGION" },
	{ "RequestTimeTooSkewed", REPLY_TARGET, "set the clock of this machine" },
	{ "RequestTimeout", REPLY_BROKEN, NULL },
	{ "SignatureDoesNotMatch", REPLY_TARGET, "see TARGET_KEY_FILE" },
};

/* The same by the status; the last line fits all others: what S3 never answers, what a whole server
 * suffers from, and what asks us to come back later. */
static const struct {
	int from, to;
	enum reply_meaning meaning;
} statuses[] = {
	{ 401, 401, REPLY_TARGET },
	{ 403, 405, REPLY_TARGET },
	{ 407, 407, REPLY_TARGET },
	{ 408, 408, REPLY_BROKEN },
	{ 429, 429, REPLY_TARGET },
	{ 400, 499, REPLY_IMAGE },
	{ 500, 500, REPLY_BROKEN },
	{ 502, 502, REPLY_BROKEN },
	{ 503, 503, REPLY_FULL },
	{ 504, 504, REPLY_BROKEN },
	{ 507, 507, REPLY_FULL },
	{ 0, 999, REPLY_TARGET },
};

/* curl's statuses, curl(1), when a request got through to the server: partial answer, time-out, no
 * answer, failure to send and to receive. All others are of what comes before. */
static const int breaks[] = { 18, 28, 52, 55, 56 };

/* The text of an XML element of the body. */
static void element(const struct reply *reply, const char *name, char *out, size_t size)
{
	char tag[CODE_SIZE];
	const char *from, *to;

	out[0] = '\0';
	(void)snprintf(tag, sizeof(tag), "<%s>", name);
	from = strstr(reply->body, tag);
	if (!from)
		return;
	from += strlen(tag);
	to = strchr(from, '<');
	if (to) /* a longer text is cut */
		(void)snprintf(out, size, "%.*s", (int)(to - from), from);
}

static enum reply_meaning broken(const struct reply *reply)
{
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
		if (reply->exit == breaks[i])
			return REPLY_BROKEN;
	return REPLY_TARGET;
}

/* An error that has a name, or only a status. */
static enum reply_meaning refused(const struct reply *reply, char *text, size_t size)
{
	char code[CODE_SIZE], message[MESSAGE_SIZE];
	const char *remedy = NULL;
	enum reply_meaning meaning = REPLY_TARGET;
	size_t i = 0;

	element(reply, "Code", code, sizeof(code));
	element(reply, "Message", message, sizeof(message));
	while (reply->status < statuses[i].from || reply->status > statuses[i].to)
		i++;
	meaning = statuses[i].meaning;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(codes[i].code, code) == 0) {
			meaning = codes[i].meaning;
			remedy = codes[i].remedy;
		}
	}
	(void)snprintf(text, size, "HTTP status %d%s%s%s%s%s%s", reply->status, code[0] ? " " : "",
		code, message[0] ? ": " : "", message, remedy ? "; " : "", remedy ? remedy : "");
	return meaning;
}

/* Success is told by a status and headers only; the one newline is ours. */
static bool is_blank(const struct reply *reply)
{
	return strspn(reply->body, " \r\n") == reply->length;
}

enum reply_meaning reply_judge(const struct reply *reply, char *text, size_t size)
{
	if (reply->exit != 0) {
		bool bare = reply->exit == NO_AUTHORITIES && !sender_setting("CA_FILE", NULL);

		(void)snprintf(text, size, "%s (curl %d)%s", reply->message, reply->exit,
			bare ? "; install ca-certificates" : "");
		return broken(reply);
	}
	if (reply->status != 200)
		return refused(reply, text, size);
	if (!reply->etag) {
		(void)snprintf(text, size,
			"the answer to an upload has no ETag, so this is no S3 server; "
			"see TARGET_URL");
		return REPLY_TARGET;
	}
	if (!is_blank(reply)) {
		(void)snprintf(text, size,
			"the answer to an upload has a text, so this is no S3 server; "
			"see TARGET_URL");
		return REPLY_TARGET;
	}
	if (!reply->whole) {
		(void)snprintf(text, size, "success was told before the image was sent");
		return REPLY_BROKEN;
	}
	(void)snprintf(text, size, "stored");
	return REPLY_STORED;
}

/* It refuses to list, for no reason that would keep an upload out as well: a server that has no
 * such request, say. */
static bool refuses_list_only(const struct reply *reply, const char *code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].code, code) == 0)
			return strcmp(code, "AccessDenied") == 0;
	return reply->status == 501 ||
	       (reply->status >= 400 && reply->status < 500 && reply->status != 407 &&
		       reply->status != 408 && reply->status != 429);
}

bool reply_usable(const struct reply *reply, bool job, char *text, size_t size)
{
	char code[CODE_SIZE];

	if (reply->exit == 0 && reply->status == 200) {
		(void)snprintf(text, size,
			"the answer is no list of a bucket, so this is no S3 server; "
			"see TARGET_URL");
		return strstr(reply->body, "<ListBucketResult") != NULL;
	}
	(void)reply_judge(reply, text, size);
	element(reply, "Code", code, sizeof(code));
	if (reply->exit == 0 && job && refuses_list_only(reply, code)) {
		log_info("the server refuses to list, so it is there; images are tried: %s", text);
		return true;
	}
	/* It knows us, but we may not list; or the URL has a prefix, and no object is called so. */
	return reply->exit == 0 &&
	       ((reply->status == 403 && strcmp(code, "AccessDenied") == 0) ||
		       (reply->status == 404 && strcmp(code, "NoSuchKey") == 0));
}
