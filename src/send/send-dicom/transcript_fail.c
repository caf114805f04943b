/*
 * The lines that say why an image or an association failed. Whose fault it is matters most: an
 * image's costs the others nothing, the target's costs the image nothing.
 */
#include "transcript_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void __attribute__((format(printf, 3, 4)))
set(char *out, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(out, size, format, args); /* a longer text is cut */
	va_end(args);
}

static void not_accepted(struct transcript *t)
{
	if (t->current >= 0)
		transcript_not_accepted(t, (size_t)t->current);
	transcript_idle(t);
}

/* storescu: "NAME, ignoring file" */
void transcript_on_missing(struct transcript *t, char *text)
{
	char *tail = strstr(text, ", ignoring file");

	if (tail)
		*tail = '\0';
	t->current = sender_find(t->sender, text);
	transcript_fail(t, "there is no such file, or it is unreadable");
}

/* dcmsend: "NAME: REASON, ignoring file" */
void transcript_on_bad_file(struct transcript *t, char *text)
{
	char *colon = strstr(text, ": "), *tail = strstr(text, ", ignoring file");

	if (!colon)
		return;
	*colon = '\0';
	if (tail)
		*tail = '\0';
	t->current = sender_find(t->sender, text);
	transcript_fail(t, colon + 2);
}

void transcript_on_unreadable(struct transcript *t, char *text)
{
	char *colon = strstr(text, ": ");

	transcript_fail(t, colon ? colon + 2 : "unreadable");
}

void transcript_on_incomplete(struct transcript *t, char *text)
{
	(void)text;
	transcript_fail(t, "the data set has no SOP Class UID or no SOP Instance UID");
}

void transcript_on_no_context(struct transcript *t, char *text)
{
	(void)text;
	not_accepted(t);
}

/* dimse.cc's warnings before it gives up: "DIMSE Warning (AE,AE): sendMessage: dataset is empty".
 */
void transcript_on_dimse_warning(struct transcript *t, char *text)
{
	char *what = strstr(text, "): ");

	what = what ? what + 3 : text;
	/* The other kinds are about what the target has answered. */
	if (t->sending && strncmp(what, "C-Store RSP", 11) != 0 &&
		strncmp(what, "DIMSE receive", 13) != 0)
		set(t->refusal, sizeof(t->refusal), "%s", what);
}

/* The program could not even begin: then the association is as good as before, and the image fails.
 * Otherwise the target is to blame. */
static void not_sent(struct transcript *t, const char *text)
{
	/* ASC_BADPRESENTATIONCONTEXTID, in which case dcmsend proposed a context for this image
	 * alone; or storescu tried one that it proposed for another one. */
	if (strncmp(text, "0006:0101 ", 10) == 0 ||
		strstr(t->refusal, "unable to convert dataset")) {
		not_accepted(t);
	} else if (t->refusal[0]) {
		/* After a data set that broke off half-way the association is of no use. */
		t->stop = strstr(t->refusal, "writeBlock") != NULL;
		transcript_fail(t, t->refusal);
	} else {
		transcript_broken(t, tool_words(text));
	}
}

void transcript_on_send_failed(struct transcript *t, char *text)
{
	/* DIMSEC_RECEIVEFAILED, although nothing is received: from getTransferSyntax() in dimse.cc
	 */
	if (strncmp(text, "0006:020d ", 10) == 0)
		transcript_fail(t, "dcmsend does not know the transfer syntax of this image");
	else
		not_sent(t, text);
}

/* storescu: "Store Failed, file: NAME:", and in the next line why, while sending as while
 * receiving. */
void transcript_on_store_failed(struct transcript *t, char *text)
{
	(void)text;
	t->failing = t->sending;
}

void transcript_on_store_failure(struct transcript *t, char *text)
{
	if (t->failing)
		not_sent(t, text);
	t->failing = false;
}

void transcript_on_no_answer(struct transcript *t, char *text)
{
	transcript_broken(t, tool_words(text));
}

void transcript_on_wrong_command(struct transcript *t, char *text)
{
	(void)text;
	transcript_broken(
		t, "protocol error: the target sent another message instead of a C-STORE response");
}

/* What is known besides about an association that does not come about. */
void transcript_on_detail(struct transcript *t, char *text)
{
	size_t length = strlen(t->detail);

	set(t->detail + length, sizeof(t->detail) - length, "%s%s", length ? ", " : "", text);
}

void transcript_on_fatal(struct transcript *t, char *text)
{
	static const char prefix[] = "cannot negotiate network association: ";

	/* Each of the files has had its own line, and none was left to send. */
	if (strcmp(text, "no valid input files to be processed") == 0)
		return;
	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		text += sizeof(prefix) - 1;
	set(t->reason, sizeof(t->reason), "%s%s%s", text, t->detail[0] ? ": " : "", t->detail);
	t->stop = true;
	transcript_idle(t);
}

/* storescu ends by itself after these: the target cannot be used, and several lines say why. */
void transcript_on_storescu_fatal(struct transcript *t, char *text)
{
	static const char prefix[] = "Association Request Failed: ";
	size_t length = strlen(t->reason);

	if (strcmp(text, "No Acceptable Presentation Contexts") == 0) {
		t->no_context = true;
		return;
	}
	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		text += sizeof(prefix) - 1;
	if (t->detail[0] && !length) { /* what tlswhy.so has said is more than what follows */
		set(t->reason, sizeof(t->reason), "%s", t->detail);
		return;
	}
	set(t->reason + length, sizeof(t->reason) - length, "%s%s", length ? " " : "",
		tool_words(text));
}
