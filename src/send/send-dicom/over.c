#include "over.h"

#include "base/log.h"
#include "convert.h"
#include "sender/stop.h"
#include "status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WHY = 256, TEXT = 768 };

/* How an image goes: its context, and when it has to be converted how. */
struct way {
	long context; /* -1: none was accepted */
	const char *tool, *option, *syntax;
};

static long accepted(const struct over *over, const char *sop_class, const char *syntax)
{
	const long i = offer_find(&over->offer, sop_class, syntax);

	return i >= 0 && over->association.answer.accepted[i] ? i : -1;
}

static struct way find_way(const struct over *over, const struct dicom_object *o)
{
	struct way way = { .context = accepted(over, o->sop_class, o->syntax) };
	struct syntax_fallback other[SYNTAX_FALLBACKS];
	const size_t n = syntax_fallbacks(o->syntax, over->peer->decompress, other);

	for (size_t i = 0; way.context < 0 && i < n; i++) {
		way.context = accepted(over, o->sop_class, other[i].uid);
		way.tool = syntax_tool(o->syntax);
		way.option = other[i].option;
		way.syntax = other[i].uid;
	}
	return way;
}

static void fail(struct over *over, size_t index, enum sender_answer how, const char *text)
{
	sender_answer(over->images->sender, index, how, SENDER_NO_STATUS, text);
}

/* Puts the converted copy in place of the file, which is own. False when the image is answered. */
static bool change(struct over *over, size_t index, const struct way *way,
	const struct dicom_object *own, struct image_file *file)
{
	const char *name = over->images->sender->image[index].name;
	char why[WHY], text[TEXT], from[128], to[128];
	int ours, copy;

	(void)close(file->fd); /* only read */
	copy = convert(way->tool, way->option, name, &ours, why, sizeof(why));
	if (copy >= 0 && image_open(over->images, index, copy, file)) {
		memcpy(file->object.sop_class, own->sop_class, sizeof(own->sop_class));
		memcpy(file->object.instance, own->instance, sizeof(own->instance));
		return true;
	}
	syntax_name(own->syntax, from, sizeof(from));
	syntax_name(way->syntax, to, sizeof(to));
	(void)snprintf(text, sizeof(text),
		"the target does not take %s, and the conversion to %s by %s failed: %s", from, to,
		way->tool, why);
	if (copy < 0 && ours)
		sender_own_fault("%s", text);
	else
		fail(over, index, SENDER_NEVER, text);
	return false;
}

/* Adds what the target says besides the status. */
static void add_comment(char *text, size_t size, const struct dimse_response *r)
{
	size_t n = strlen(text);

	if (r->comment[0])
		n += (size_t)snprintf(text + n, size - n, ": %s", r->comment);
	for (size_t i = 0; i < r->offending_count && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s(%04x,%04x)",
			i == 0 ? "; offending element " : " ",
			(unsigned int)(r->offending[i] >> 16),
			(unsigned int)(r->offending[i] & 0xffff));
}

static void answer(struct over *over, size_t index, const struct way *way,
	const struct dicom_object *own, const struct dimse_response *r)
{
	char text[TEXT], from[128], to[128];

	(void)snprintf(text, sizeof(text), "%s", status_text(r->status));
	add_comment(text, sizeof(text), r);
	if (way->tool) {
		const size_t n = strlen(text);

		syntax_name(own->syntax, from, sizeof(from));
		syntax_name(way->syntax, to, sizeof(to));
		(void)snprintf(text + n, sizeof(text) - n, "; converted from %s to %s by %s", from,
			to, way->tool);
	}
	over->responses++;
	sender_answer(over->images->sender, index,
		status_stored(r->status) ? SENDER_STORED : SENDER_FAILED, r->status, text);
}

/* Sends an image whose file is open, and closes that. */
static void send_file(struct over *over, size_t index, const struct way *way,
	struct image_file *file, const struct dicom_object *own)
{
	const struct association_data data = { file->fd, file->object.begin, file->length,
		syntax_deflated(way->tool ? way->syntax : own->syntax) };
	struct dimse_response response;
	int result;

	stop_hold();
	if (association_check(&over->association) == 0) {
		over->current = (long)index;
		result = association_store(&over->association, (size_t)way->context,
			file->object.instance, &data, &response);
		if (result == 0) {
			answer(over, index, way, own, &response);
			over->current = -1;
		} else if (over->association.trouble == ASSOCIATION_OURS) {
			fail(over, index, SENDER_FAILED, over->association.why);
			over->current = -1;
		}
	}
	(void)close(file->fd); /* only read */
	if (over->current >= 0)
		return; /* held until the doubt is told */
	if (stop_wanted())
		over_close(over); /* a release, not a break */
	stop_let();
}

static void send_one(struct over *over, size_t index)
{
	struct dicom_object own;
	struct image_file file;
	struct way way;
	char text[TEXT];

	if (!image_open(over->images, index, -1, &file))
		return;
	own = file.object;
	way = find_way(over, &own);
	if (way.context < 0) {
		syntax_not_accepted(own.syntax, over->peer->decompress, text, sizeof(text));
		fail(over, index, syntax_tool(own.syntax) ? SENDER_FAILED : SENDER_NEVER, text);
		(void)close(file.fd); /* only read */
	} else if (!way.tool || change(over, index, &way, &own, &file)) {
		send_file(over, index, &way, &file, &own);
	}
}

/* A new association, when the one there is does not serve. */
static void call(struct over *over, const struct offer *wanted)
{
	struct association_call how;

	if (over->called && offer_covers(&over->offer, wanted) &&
		association_check(&over->association) == 0)
		return;
	over_close(over);
	over->offer = *wanted;
	peer_call(over->peer, over->offer.proposal, over->offer.count, &how);
	over->called = true;
	over->open = association_open(&over->association, &how) == 0;
}

void over_send(struct over *over, const struct offer *wanted, const struct peer *peer,
	struct images *images)
{
	over->peer = peer;
	over->images = images;
	over->current = -1;
	over->responses = 0;
	call(over, wanted);
	for (size_t i = 0;
		i < images->sender->count && !over->association.trouble &&
		!images->sender->target_failed && (over->most == 0 || over->responses < over->most);
		i++)
		if (images->image[i].chosen)
			send_one(over, i);
}

void over_close(struct over *over)
{
	if (over->called)
		association_close(&over->association);
	over->called = over->open = false;
}
