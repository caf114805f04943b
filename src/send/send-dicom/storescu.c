#include "storescu.h"

#include "base/log.h"
#include "base/str.h"
#include "syntax.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PS3.8 9.3.2: the numbers of presentation contexts are odd and fit a byte. */
enum { MAX_CONTEXTS = 128 };

/* storescu itself logs requests and responses. */
static const char log_configuration[] = TOOL_LOG "log4cplus.logger.dcmtk.apps.storescu = DEBUG\n";

/* What is proposed: uncompressed images in all three uncompressed transfer syntaxes, of which the
 * target chooses, any other in its own. */
struct proposal {
	struct context {
		char class[SYNTAX_UID_SIZE], syntax[SYNTAX_UID_SIZE]; /* syntax "": uncompressed */
	} context[MAX_CONTEXTS];
	size_t count;
	size_t *index; /* the images for which there is a context */
	size_t images;
};

/* False when there is no room for one more context. */
static bool propose(struct proposal *p, const char *class, const char *syntax)
{
	struct context *c;

	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->context[i].class, class) == 0 &&
			strcmp(p->context[i].syntax, syntax) == 0)
			return true;
	if (p->count == MAX_CONTEXTS)
		return false;
	c = &p->context[p->count++];
	(void)snprintf(c->class, sizeof(c->class), "%s", class);
	(void)snprintf(c->syntax, sizeof(c->syntax), "%s", syntax);
	return true;
}

/* Only what is made of these may stand in the file that storescu reads. */
static bool is_uid(const char *text)
{
	return text[0] && strspn(text, "0123456789.") == strlen(text);
}

/* Reads what the images are; one that can never be sent fails at once. */
static void propose_all(
	struct proposal *p, struct sender *sender, const size_t *index, size_t count)
{
	char class[SYNTAX_UID_SIZE], syntax[SYNTAX_UID_SIZE], why[256] = "";

	for (size_t i = 0; i < count; i++) {
		const char *name = sender->image[index[i]].name, *wrong = NULL;

		if (syntax_of(name, class, syntax, why, sizeof(why)) < 0)
			wrong = why;
		else if (!is_uid(class))
			wrong = "the data set has no SOP Class UID, or none that is valid";
		else if (!syntax_known(syntax))
			wrong = "storescu does not know the transfer syntax of this image";
		if (wrong)
			sender_answer(sender, index[i], SENDER_FAILED, SENDER_NO_STATUS, wrong);
		else if (propose(p, class, syntax_uncompressed(syntax) ? "" : syntax))
			p->index[p->images++] = index[i];
	}
}

/* The profile for option -xf (DCMTK 3.6.7, dcmnet/docs/asconfig.txt), as a file without a name. */
static int make_profile(const struct proposal *p)
{
	struct buf text = { 0 };
	int fd = -1;

	buf_puts(&text,
		"[[TransferSyntaxes]]\n[U]\nTransferSyntax1 = 1.2.840.10008.1.2.1\n"
		"TransferSyntax2 = 1.2.840.10008.1.2\nTransferSyntax3 = 1.2.840.10008.1.2.2\n");
	for (size_t i = 0; i < p->count; i++)
		if (p->context[i].syntax[0])
			buf_printf(
				&text, "[S%zu]\nTransferSyntax1 = %s\n", i, p->context[i].syntax);
	buf_puts(&text, "[[PresentationContexts]]\n[P]\n");
	for (size_t i = 0; i < p->count; i++) {
		buf_printf(&text, "PresentationContext%zu = %s\\", i + 1, p->context[i].class);
		if (p->context[i].syntax[0])
			buf_printf(&text, "S%zu\n", i);
		else
			buf_puts(&text, "U\n");
	}
	buf_puts(&text, "[[Profiles]]\n[P]\nPresentationContexts = P\n");
	if (text.failed)
		errno = ENOMEM;
	else
		fd = tool_memory_file("storescu profile", text.data);
	buf_free(&text);
	return fd;
}

static int start(struct tool *tool, const struct peer *peer, const struct sender *sender,
	const struct proposal *p, int profile)
{
	struct tool_arguments a;
	char path[32], pdu[TOOL_NUMBER_SIZE];
	int result;

	tool_path(profile, path, sizeof(path));
	const char *const fixed[] = { "--config-file", path, "P",
		"--no-halt", /* one refused image would else hold back all others */
		NULL };

	if (tool_arguments(&a, "storescu", p->images) < 0)
		return -1;
	tool_add_list(&a, fixed);
	tool_add_peer(&a, peer);
	tool_add_send_pdu(&a, peer, pdu);
	tool_add_tls(&a, peer);
	tool_add(&a, peer->host);
	tool_add(&a, peer->port);
	for (size_t i = 0; i < p->images; i++)
		tool_add(&a, sender->image[p->index[i]].name);
	result = tool_start(tool, &a, peer, log_configuration, profile);
	free(a.argv);
	return result;
}

/* Sends what has a context. */
static int run(const struct peer *peer, struct sender *sender, const struct proposal *p,
	struct transcript *transcript)
{
	int profile = make_profile(p), result = -1, saved;
	struct tool tool;

	if (profile < 0)
		return -1;
	if (start(&tool, peer, sender, p, profile) == 0) {
		transcript_follow(transcript, &tool);
		result = tool_end(&tool, transcript->stop);
		if (result == 0 && !transcript->stop)
			transcript_end(transcript);
		for (size_t i = 0; transcript->no_context && i < p->images; i++)
			transcript_not_accepted(transcript, p->index[i]);
	}
	saved = errno;
	(void)close(profile); /* memory */
	errno = saved;
	return result;
}

int storescu_run(const struct peer *peer, struct sender *sender, const size_t *index, size_t count,
	struct transcript *transcript)
{
	struct proposal *p = calloc(1, sizeof(*p));
	int result = -1;

	transcript_open(transcript, sender, peer->decompress);
	if (!p)
		return -1;
	p->index = calloc(count, sizeof(*p->index));
	if (p->index) {
		propose_all(p, sender, index, count);
		result = p->images ? run(peer, sender, p, transcript) : 0;
		free(p->index);
	}
	free(p);
	return result;
}
