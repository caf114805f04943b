#include "answer.h"

#include "xml.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SOP_CLASS      "00081150"
#define SOP_INSTANCE   "00081155"
#define WARNING_REASON "00081196"
#define FAILURE_REASON "00081197"
#define FAILED         "00081198"
#define REFERENCED     "00081199"
#define OTHER_FAILURES "0008119A"

/* PS3.18 Annex I.2, PS3.7 Annex C; the first line that fits. */
static const struct {
	int mask, status;
	bool warning;
	const char *text;
} meanings[] = {
	{ 0xffff, 0xb000, true, "warning: the target changed data elements" },
	{ 0xffff, 0xb006, true, "warning: the target discarded data elements" },
	{ 0xffff, 0xb007, true,
		"warning: the data set does not match its SOP class, yet was stored" },
	{ 0xf000, 0xb000, true, "warning: stored, for an unknown reason not without remark" },
	{ 0xffff, 0x0001, true, "warning: stored, for an unknown reason not without remark" },
	{ 0xff00, 0xa700, false, "refused: the target is out of resources" },
	{ 0xff00, 0xa900, false, "error: the data set does not match its SOP class" },
	{ 0xffff, 0xc122, false, "refused: the target does not support this transfer syntax" },
	{ 0xf000, 0xc000, false, "error: the target cannot understand the data set" },
	{ 0xffff, 0x0110, false, "failure: processing failure at the target" },
	{ 0xffff, 0x0111, false, "failure: the target has this SOP instance already" },
	{ 0xffff, 0x0117, false, "failure: invalid SOP instance" },
	{ 0xffff, 0x0122, false, "refused: the target does not support this SOP class" },
	{ 0xffff, 0x0124, false, "refused: not authorised" },
	{ 0x0000, 0x0000, false, "failure: for an unknown reason" },
};

static size_t meaning(int status)
{
	size_t i = 0;

	while ((status & meanings[i].mask) != meanings[i].status)
		i++; /* the last line fits everything */
	return i;
}

/* The array Value of an attribute, NULL when there is none. */
static const json_t *values(const json_t *item, const char *tag)
{
	const json_t *value = json_object_get(json_object_get(item, tag), "Value");

	return json_is_array(value) ? value : NULL;
}

/* A reason, or SENDER_NO_STATUS when it is none. XML has text, and some servers have it in JSON. */
static int reason(const json_t *item, const char *tag)
{
	const json_t *value = json_array_get(values(item, tag), 0);
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
	long parsed;

	if (json_is_string(value) && parse_long(json_string_value(value), 0, 0xffff, &parsed) == 0)
		number = parsed;
	return number >= 0 && number <= 0xffff ? (int)number : SENDER_NO_STATUS;
}

/* Is the item's attribute this UID? A UID may be padded by a space at its end. */
static bool is_uid(const json_t *item, const char *tag, const char *uid)
{
	const char *text = json_string_value(json_array_get(values(item, tag), 0));
	size_t length = strlen(uid);

	return text && strncmp(text, uid, length) == 0 &&
	       strspn(text + length, " ") == strlen(text + length);
}

/* The image that an item names, or -1. Some servers leave out the class; one that is there must be
 * right. */
static long find(const struct batch *batch, const json_t *item)
{
	if (!values(item, SOP_INSTANCE))
		return -1;
	for (size_t i = 0; i < batch->count; i++)
		if (is_uid(item, SOP_INSTANCE, batch->item[i].object.instance))
			return !values(item, SOP_CLASS) || is_uid(item, SOP_CLASS,
								   batch->item[i].object.sop_class)
				       ? (long)batch->item[i].index
				       : -1;
	return -1;
}

static void fail(struct sender *sender, long index, int status)
{
	const char *text = status == SENDER_NO_STATUS ? "failure: the target gives no reason"
						      : meanings[meaning(status)].text;

	if (index >= 0)
		sender_answer(sender, (size_t)index, SENDER_FAILED, status, text);
}

static void store(struct sender *sender, long index, const json_t *item)
{
	int warning = reason(item, WARNING_REASON);

	if (index < 0)
		return;
	if (json_object_get(item, FAILURE_REASON))
		fail(sender, index, reason(item, FAILURE_REASON));
	else if (!json_object_get(item, WARNING_REASON))
		sender_answer(sender, (size_t)index, SENDER_STORED, 0, "success");
	else if (warning >= 0 && meanings[meaning(warning)].warning)
		sender_answer(sender, (size_t)index, SENDER_STORED, warning,
			meanings[meaning(warning)].text);
	else /* a warning that is none */
		fail(sender, index, warning);
}

static void read_response(struct sender *sender, const struct batch *batch, const json_t *response)
{
	const json_t *failed = values(response, FAILED), *stored = values(response, REFERENCED);

	for (size_t i = 0; i < json_array_size(failed); i++) {
		const json_t *item = json_array_get(failed, i);

		fail(sender, find(batch, item), reason(item, FAILURE_REASON));
	}
	for (size_t i = 0; i < json_array_size(stored); i++) {
		const json_t *item = json_array_get(stored, i);

		store(sender, find(batch, item), item);
	}
}

static bool is_response(const json_t *response)
{
	return json_object_get(response, FAILED) || json_object_get(response, REFERENCED) ||
	       json_object_get(response, OTHER_FAILURES);
}

bool answer_read(struct sender *sender, const struct batch *batch, const struct buf *text)
{
	json_t *root = NULL;
	const json_t *response;
	bool is;

	if (xml_is(text))
		root = xml_read(text);
	else if (text->data)
		root = json_loadb(text->data, text->length, 0, NULL);
	response = root;
	if (json_is_array(root) && json_array_size(root) == 1)
		response = json_array_get(root, 0); /* some servers put it into a list */
	is = is_response(response);
	if (is)
		read_response(sender, batch, response);
	json_decref(root);
	return is;
}
