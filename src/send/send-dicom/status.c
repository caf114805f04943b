#include "status.h"

#include <stddef.h>

/* PS3.4 Table B.2-1 and PS3.7 Annex C. The first line whose masked status fits counts. 0001, 0107
 * and 0116 are warnings about attributes that operations on other objects have set: what they say
 * of a C-STORE the standard does not tell, so the image counts as not stored, and is sent twice
 * rather than not at all. */
static const struct {
	int mask, status;
	bool stored;
	const char *text;
} meanings[] = {
	{ 0xffff, 0x0000, true, "success" },
	{ 0xffff, 0xb000, true, "warning: the target changed data elements" },
	{ 0xffff, 0xb006, true, "warning: the target discarded data elements" },
	{ 0xffff, 0xb007, true,
		"warning: the data set does not match its SOP class, yet was stored" },
	{ 0xffff, 0x0001, false, "not confirmed as stored: optional attributes not supported" },
	{ 0xff00, 0xa700, false, "refused: the target is out of resources" },
	{ 0xff00, 0xa900, false, "error: the data set does not match its SOP class" },
	{ 0xf000, 0xc000, false, "error: the target cannot understand the data set" },
	{ 0xffff, 0x0105, false, "failure: no such attribute" },
	{ 0xffff, 0x0106, false, "failure: invalid attribute value" },
	{ 0xffff, 0x0107, false, "not confirmed as stored: attribute list error" },
	{ 0xffff, 0x0110, false, "failure: processing failure at the target" },
	{ 0xffff, 0x0111, false, "failure: the target has this SOP instance already" },
	{ 0xffff, 0x0112, false, "failure: no such SOP instance" },
	{ 0xffff, 0x0113, false, "failure: no such event type" },
	{ 0xffff, 0x0114, false, "failure: no such argument" },
	{ 0xffff, 0x0115, false, "failure: invalid argument value" },
	{ 0xffff, 0x0116, false, "not confirmed as stored: attribute value out of range" },
	{ 0xffff, 0x0117, false, "failure: invalid SOP instance" },
	{ 0xffff, 0x0118, false, "failure: no such SOP class" },
	{ 0xffff, 0x0119, false, "failure: conflict of class and instance" },
	{ 0xffff, 0x0120, false, "failure: missing attribute" },
	{ 0xffff, 0x0121, false, "failure: missing attribute value" },
	{ 0xffff, 0x0122, false, "refused: the target does not support this SOP class" },
	{ 0xffff, 0x0123, false, "failure: no such action" },
	{ 0xffff, 0x0124, false, "refused: not authorised" },
	{ 0xffff, 0x0210, false, "failure: duplicate invocation" },
	{ 0xffff, 0x0211, false, "failure: unrecognised operation" },
	{ 0xffff, 0x0212, false, "failure: mistyped argument" },
	{ 0xffff, 0x0213, false, "failure: resource limitation at the target" },
	{ 0xffff, 0xfe00, false, "not stored: cancelled" },
	{ 0xfffe, 0xff00, false, "not confirmed as stored: pending" },
	{ 0xf000, 0xa000, false, "failure: unknown status of class A" },
	{ 0xf000, 0xb000, false, "not confirmed as stored: unknown warning" },
	{ 0x0000, 0x0000, false, "not confirmed as stored: unknown status" },
};

static size_t find(int status)
{
	size_t i = 0;

	while ((status & meanings[i].mask) != meanings[i].status)
		i++; /* the last line fits everything */
	return i;
}

bool status_stored(int status)
{
	return meanings[find(status)].stored;
}

const char *status_text(int status)
{
	return meanings[find(status)].text;
}
