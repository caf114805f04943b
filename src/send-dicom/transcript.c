#include "transcript.h"

#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char not_accepted[] =
	"the target accepts this SOP class in no transfer syntax that was offered";

void transcript_open(struct transcript *t, struct sender *sender)
{
	*t = (struct transcript){ .sender = sender, .current = -1, .status = SENDER_NO_STATUS };
}

static void __attribute__((format(printf, 3, 4)))
set(char *out, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(out, size, format, args); /* a longer text is cut */
	va_end(args);
}

/* Ends work on the current image. */
static void idle(struct transcript *t)
{
	t->state = TRANSCRIPT_IDLE;
	t->current = -1;
	t->sending = false;
	t->refusal[0] = '\0';
}

static void fail(struct transcript *t, const char *text)
{
	if (t->current >= 0)
		sender_answer(t->sender, (size_t)t->current, SENDER_FAILED, SENDER_NO_STATUS, text);
	idle(t);
}

/* The target is to blame: current stays, so that the caller sees with which image it happened. */
static void broken(struct transcript *t, const char *what)
{
	set(t->reason, sizeof(t->reason), "%s", what);
	t->stop = true;
}

/* "0006:0317 Peer aborted Association" without the number that DimseCondition::dump() puts first. */
static const char *words(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef:");

	return n == 9 && text[9] == ' ' ? text + 10 : text;
}

static void on_check(struct transcript *t, char *text)
{
	text[strcspn(text, "'")] = '\0';
	t->current = sender_find(t->sender, text);
}

/* All files have been checked; whatever happens next is not the last one's doing. */
static void on_association(struct transcript *t, char *text)
{
	(void)text;
	idle(t);
}

/* "NAME: REASON, ignoring file" */
static void on_bad_file(struct transcript *t, char *text)
{
	char *colon = strstr(text, ": "), *tail = strstr(text, ", ignoring file");

	if (!colon)
		return;
	*colon = '\0';
	if (tail)
		*tail = '\0';
	t->current = sender_find(t->sender, text);
	fail(t, colon + 2);
}

/* Either dcmsend has a way of giving up that we do not know, or something plays log lines to us. */
static void give_up(struct transcript *t)
{
	fail(t, "dcmsend does not say what became of this image");
}

static void on_sending(struct transcript *t, char *text)
{
	if (t->sending) {
		give_up(t); /* and trust in this run ends */
		t->stop = true;
		return;
	}
	idle(t);
	t->current = sender_find(t->sender, text);
	t->sending = true;
	t->state = TRANSCRIPT_READING;
}

static void on_unreadable(struct transcript *t, char *text)
{
	char *colon = strstr(text, ": ");

	fail(t, colon ? colon + 2 : "unreadable");
}

static void on_incomplete(struct transcript *t, char *text)
{
	(void)text;
	fail(t, "the data set has no SOP Class UID or no SOP Instance UID");
}

static void on_no_context(struct transcript *t, char *text)
{
	(void)text;
	fail(t, not_accepted);
}

/* dimse.cc's warnings before it gives up: "DIMSE Warning (AE,AE): sendMessage: dataset is empty". */
static void on_dimse_warning(struct transcript *t, char *text)
{
	char *what = strstr(text, "): ");

	if (t->sending)
		set(t->refusal, sizeof(t->refusal), "%s", what ? what + 3 : text);
}

/* dcmsend could not even begin; the association is as good as before. Conditions of DCMTK 3.6.7,
 * cond.h, that checkPresentationContextForMessage() in dimse.cc and its callees return. */
static const struct {
	const char *condition, *text;
} refusals[] = {
	/* ASC_BADPRESENTATIONCONTEXTID: proposed, not accepted */
	{ "0006:0101 ", not_accepted },
	/* DIMSEC_RECEIVEFAILED, although nothing is received, around 0006:0212 */
	{ "0006:020d ", "dcmsend does not know the transfer syntax of this image" },
};

static void on_send_failed(struct transcript *t, char *text)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strncmp(text, refusals[i].condition, strlen(refusals[i].condition)) == 0) {
			fail(t, refusals[i].text);
			return;
		}
	if (!t->refusal[0]) {
		broken(t, words(text));
		return;
	}
	/* After a data set that broke off half-way the association is of no use. */
	t->stop = strstr(t->refusal, "writeBlock") != NULL;
	fail(t, t->refusal);
}

static void on_no_answer(struct transcript *t, char *text)
{
	broken(t, words(text));
}

static void on_wrong_command(struct transcript *t, char *text)
{
	(void)text;
	broken(t, "protocol error: the target sent another message instead of a C-STORE response");
}

static void on_request(struct transcript *t, char *text)
{
	(void)text;
	if (t->state == TRANSCRIPT_READING)
		t->state = TRANSCRIPT_REQUEST;
	t->request_id = -1;
}

static void on_request_id(struct transcript *t, char *text)
{
	if (t->state == TRANSCRIPT_REQUEST && t->request_id < 0)
		t->request_id = strtol(text, NULL, 10);
}

static void on_response(struct transcript *t, char *text)
{
	(void)text;
	if (t->state == TRANSCRIPT_SENT)
		t->state = TRANSCRIPT_RESPONSE;
	t->response_id = -1;
	t->status = SENDER_NO_STATUS;
}

static void on_response_id(struct transcript *t, char *text)
{
	if (t->state == TRANSCRIPT_RESPONSE && t->response_id < 0)
		t->response_id = strtol(text, NULL, 10);
}

static void on_status(struct transcript *t, char *text)
{
	char *end;
	long status = strtol(text, &end, 16);

	if (t->state == TRANSCRIPT_RESPONSE && end == text + 4 && status >= 0)
		t->status = (int)status;
}

static void on_end(struct transcript *t, char *text)
{
	(void)text;
	if (t->state == TRANSCRIPT_REQUEST) {
		t->state = TRANSCRIPT_SENT;
		return;
	}
	if (t->state != TRANSCRIPT_RESPONSE)
		return;
	if (t->request_id < 0 || t->response_id != t->request_id) {
		broken(t, "protocol error: the target answered another request than the one sent");
		return;
	}
	if (t->status == SENDER_NO_STATUS) {
		broken(t, "protocol error: the target's answer has no status");
		return;
	}
	t->responses++;
	if (t->current >= 0)
		sender_answer(t->sender, (size_t)t->current,
			status_stored(t->status) ? SENDER_STORED : SENDER_FAILED, t->status,
			status_text(t->status));
	idle(t);
}

static void on_rejection(struct transcript *t, char *text)
{
	size_t length = strlen(t->detail);

	set(t->detail + length, sizeof(t->detail) - length, "%s%s", length ? ", " : "", text);
}

static void on_fatal(struct transcript *t, char *text)
{
	static const char prefix[] = "cannot negotiate network association: ";

	/* Each of the files has had its own line, and none was left to send. */
	if (strcmp(text, "no valid input files to be processed") == 0)
		return;
	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		text += sizeof(prefix) - 1;
	set(t->reason, sizeof(t->reason), "%s%s%s", text, t->detail[0] ? ": " : "", t->detail);
	t->stop = true;
	idle(t);
}

/* The lines that matter, as DCMTK 3.6.7 writes them: who logs them, at which level, and how they
 * begin; the rest of the line goes to take(). */
static const struct {
	const char *source;
	char level;
	const char *begin;
	void (*take)(struct transcript *t, char *rest);
} lines[] = {
	{ "dstorscu.cc", 'D', "adding DICOM file '", on_check },
	{ "dcmsend.cc", 'W', "bad DICOM file: ", on_bad_file },
	{ "scu.cc", 'I', "Requesting Association", on_association },
	{ "dstorscu.cc", 'D', "sending SOP instance from file: ", on_sending },
	{ "dstorscu.cc", 'E', "cannot send SOP instance from file: ", on_unreadable },
	{ "scu.cc", 'E', "Cannot send SOP instance, missing information", on_incomplete },
	{ "scu.cc", 'E', "No presentation context found for sending C-STORE", on_no_context },
	{ "dimse.cc", 'W', "", on_dimse_warning },
	{ "scu.cc", 'E', "Failed sending C-STORE request: ", on_send_failed },
	{ "scu.cc", 'E', "Failed receiving DIMSE response: ", on_no_answer },
	{ "scu.cc", 'E', "Expected C-STORE response", on_wrong_command },
	{ "scu.cc", 'D', "===================== OUTGOING DIMSE MESSAGE", on_request },
	{ "scu.cc", 'D', "Message ID                    : ", on_request_id },
	{ "scu.cc", 'D', "===================== INCOMING DIMSE MESSAGE", on_response },
	{ "scu.cc", 'D', "Message ID Being Responded To : ", on_response_id },
	{ "scu.cc", 'D', "DIMSE Status                  : 0x", on_status },
	{ "scu.cc", 'D', "======================= END DIMSE MESSAGE", on_end },
	{ "scu.cc", 'D', "Result: ", on_rejection },
	{ "scu.cc", 'D', "Reason: ", on_rejection },
	{ "dcmsend.cc", 'F', "", on_fatal },
};

void transcript_line(struct transcript *t, char *line)
{
	char *end, *source, *text;

	if (t->stop || !line[0] || line[1] != '|')
		return;
	end = strchr(line + 2, '|');
	if (!end)
		return;
	*end = '\0';
	text = end + 1;
	source = strrchr(line + 2, '/');
	source = source ? source + 1 : line + 2;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t length = strlen(lines[i].begin);

		if (line[0] == lines[i].level && strcmp(source, lines[i].source) == 0 &&
			strncmp(text, lines[i].begin, length) == 0) {
			lines[i].take(t, text + length);
			return;
		}
	}
}

void transcript_end(struct transcript *t)
{
	if (t->sending)
		give_up(t);
}
