#include "transcript_impl.h"

#include "status.h"
#include "syntax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void transcript_open(struct transcript *t, struct sender *sender, const char *decompress)
{
	*t = (struct transcript){ .sender = sender,
		.current = -1,
		.status = SENDER_NO_STATUS,
		.decompress = decompress };
}

void transcript_idle(struct transcript *t)
{
	t->state = TRANSCRIPT_IDLE;
	t->current = -1;
	t->sending = false;
	t->refusal[0] = '\0';
}

void transcript_fail(struct transcript *t, const char *text)
{
	if (t->current >= 0)
		sender_answer(t->sender, (size_t)t->current, SENDER_FAILED, SENDER_NO_STATUS, text);
	transcript_idle(t);
}

void transcript_broken(struct transcript *t, const char *what)
{
	(void)snprintf(t->reason, sizeof(t->reason), "%s", what); /* a longer text is cut */
	t->stop = true;
}

void transcript_not_accepted(struct transcript *t, size_t index)
{
	char text[400];

	syntax_not_accepted(t->sender->image[index].name, t->decompress, text, sizeof(text));
	sender_answer(t->sender, index, SENDER_FAILED, SENDER_NO_STATUS, text);
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
	transcript_idle(t);
}

/* Either the program has a way of giving up that we do not know, or something plays log lines to
 * us. */
static void give_up(struct transcript *t)
{
	transcript_fail(t, "DCMTK does not say what became of this image");
}

static void on_sending(struct transcript *t, char *text)
{
	if (t->sending) {
		give_up(t); /* and trust in this run ends */
		t->stop = true;
		return;
	}
	transcript_idle(t);
	t->current = sender_find(t->sender, text);
	t->sending = true;
	t->state = TRANSCRIPT_READING;
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
		transcript_broken(
			t, "protocol error: the target answered another request than the one sent");
		return;
	}
	if (t->status == SENDER_NO_STATUS) {
		transcript_broken(t, "protocol error: the target's answer has no status");
		return;
	}
	t->responses++;
	if (t->current >= 0)
		sender_answer(t->sender, (size_t)t->current,
			status_stored(t->status) ? SENDER_STORED : SENDER_FAILED, t->status,
			status_text(t->status));
	transcript_idle(t);
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
	{ "dcmsend.cc", 'W', "bad DICOM file: ", transcript_on_bad_file },
	{ "scu.cc", 'I', "Requesting Association", on_association },
	{ "dstorscu.cc", 'D', "sending SOP instance from file: ", on_sending },
	{ "dstorscu.cc", 'E', "cannot send SOP instance from file: ", transcript_on_unreadable },
	{ "scu.cc", 'E', "Cannot send SOP instance, missing information",
		transcript_on_incomplete },
	{ "scu.cc", 'E', "No presentation context found for sending C-STORE",
		transcript_on_no_context },
	{ "dimse.cc", 'W', "", transcript_on_dimse_warning },
	{ "scu.cc", 'E', "Failed sending C-STORE request: ", transcript_on_send_failed },
	{ "scu.cc", 'E', "Failed receiving DIMSE response: ", transcript_on_no_answer },
	{ "scu.cc", 'E', "Expected C-STORE response", transcript_on_wrong_command },
	{ "scu.cc", 'D', "===================== OUTGOING DIMSE MESSAGE", on_request },
	{ "scu.cc", 'D', "Message ID                    : ", on_request_id },
	{ "scu.cc", 'D', "===================== INCOMING DIMSE MESSAGE", on_response },
	{ "scu.cc", 'D', "Message ID Being Responded To : ", on_response_id },
	{ "scu.cc", 'D', "DIMSE Status                  : 0x", on_status },
	{ "scu.cc", 'D', "======================= END DIMSE MESSAGE", on_end },
	{ "scu.cc", 'D', "Result: ", transcript_on_detail },
	{ "scu.cc", 'D', "Reason: ", transcript_on_detail },
	{ "dcmsend.cc", 'F', "", transcript_on_fatal },
	{ "storescu.cc", 'W', "cannot access file: ", transcript_on_missing },
	{ "storescu.cc", 'I', "Requesting Association", on_association },
	{ "storescu.cc", 'I', "Sending file: ", on_sending },
	{ "storescu.cc", 'E', "Bad DICOM file: ", transcript_on_unreadable },
	{ "storescu.cc", 'E', "No SOP Class or Instance UID in file", transcript_on_incomplete },
	{ "storescu.cc", 'E', "No presentation context for: ", transcript_on_no_context },
	{ "storescu.cc", 'D', "===================== OUTGOING DIMSE MESSAGE", on_request },
	{ "storescu.cc", 'D', "Message ID                    : ", on_request_id },
	{ "storescu.cc", 'D', "===================== INCOMING DIMSE MESSAGE", on_response },
	{ "storescu.cc", 'D', "Message ID Being Responded To : ", on_response_id },
	{ "storescu.cc", 'D', "DIMSE Status                  : 0x", on_status },
	{ "storescu.cc", 'D', "======================= END DIMSE MESSAGE", on_end },
	{ "storescu.cc", 'E', "Store Failed, file: ", transcript_on_store_failed },
	{ "storescu.cc", 'E', "", transcript_on_store_failure },
	{ "storescu.cc", 'F', "", transcript_on_storescu_fatal },
	{ "tlsopt.cc", 'W', "", transcript_on_detail },
	{ "tlswhy.c", 'E', "", transcript_on_detail },
};

static void take_line(struct transcript *t, char *line)
{
	const char *source;
	char level, *text;

	if (!tool_split(line, &level, &source, &text))
		return;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t length = strlen(lines[i].begin);

		if (level == lines[i].level && strcmp(source, lines[i].source) == 0 &&
			strncmp(text, lines[i].begin, length) == 0) {
			lines[i].take(t, text + length);
			return;
		}
	}
}

void transcript_follow(struct transcript *t, struct tool *tool)
{
	char *line;

	while (!t->stop && (line = tool_line(tool)))
		take_line(t, line);
}

void transcript_end(struct transcript *t)
{
	if (t->sending)
		give_up(t);
}
