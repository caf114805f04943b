#include "given_up.h"

#include "base/str.h"
#include "spool/reason.h"
#include "spool/spool.h"

#include <errno.h>

bool given_up_by_ledger(const struct attempt *attempt, const struct image *image)
{
	return !image->stored &&
	       (image->refused_for_good ||
		       image->failures >= attempt->claimed->target->image_retries);
}

bool given_up_is(const struct attempt *attempt, const struct image *image)
{
	return given_up_by_ledger(attempt, image) ||
	       (attempt->claimed->hopeless.is && !image->stored);
}

size_t given_up_count(const struct attempt *attempt)
{
	size_t n = 0;

	for (size_t i = 0; i < attempt->answers.count; i++)
		n += given_up_is(attempt, &attempt->answers.image[i]);
	return n;
}

/* Why images were given up, in one sentence. */
static void say_why(const struct attempt *attempt, struct buf *text)
{
	const struct conf_target *target = attempt->claimed->target;
	const struct hopeless *hopeless = &attempt->claimed->hopeless;
	size_t given_up = given_up_count(attempt);
	char stamp[SPOOL_STAMP_SIZE];

	if (!hopeless->is) {
		buf_printf(text,
			"Target %s did not take %zu of %zu images, each tried at most %ld time%s; "
			"these lie here:\n",
			target->name, given_up, attempt->answers.count, target->image_retries,
			target->image_retries == 1 ? "" : "s");
		return;
	}
	spool_stamp(hopeless->since_us, stamp, sizeof(stamp));
	buf_printf(text,
		"Target %s could not be used for these images since %s (last: %s), "
		"longer than its give_up allows. These %zu of %zu were not sent:\n",
		target->name, stamp, hopeless->reason, given_up, attempt->answers.count);
}

int given_up_tell(const struct attempt *attempt, int dir)
{
	struct buf text = { 0 };
	int result = -1;

	say_why(attempt, &text);
	for (size_t i = 0; i < attempt->answers.count; i++) {
		const struct image *image = &attempt->answers.image[i];

		if (given_up_is(attempt, image))
			buf_printf(&text, "%s: %s %s\n", image->name,
				*image->status ? image->status : "-",
				*image->text ? image->text : "not answered");
	}
	buf_printf(&text,
		"To send them to %s again: move this directory to outgoing/%s/ (mv).\n"
		"To route them again, by the rules of now: move it to incoming/.\n",
		attempt->claimed->target->name, attempt->claimed->target->name);
	if (text.failed)
		errno = ENOMEM;
	else
		result = reason_store(dir, text.data, text.length);
	buf_free(&text);
	return result;
}
