#include "answers.h"

#include <string.h>

#include "base/jsonfile.h"
#include "base/log.h"
#include "cli/moment.h"
#include "cli/show.h"
#include "spool/spool.h"

static _Noreturn void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to print the answers: out of memory; try again");
}

/* "stored 0000: text" */
static void add_answer(struct buf *out, const json_t *answer)
{
	const char *status = jsonfile_text(answer, "status"), *text = jsonfile_text(answer, "text");

	buf_puts(out, jsonfile_text(answer, "result"));
	if (*status && strcmp(status, "-") != 0) {
		buf_puts(out, " ");
		show_add(out, status);
	}
	buf_puts(out, *text ? ": " : "");
	show_add(out, text);
}

/* image: its last answer. */
static json_t *last_answers(const json_t *answers)
{
	json_t *last = json_object(), *answer;
	size_t i;

	json_array_foreach (answers, i, answer)
		if (json_object_set(last, jsonfile_text(answer, "image"), answer) < 0)
			no_memory();
	return last;
}

static void tell_each(const json_t *last, unsigned margin, unsigned indent)
{
	char moment[MOMENT_SIZE];
	struct buf text = { 0 };
	const char *image, *label = "answers:";
	json_t *answer;

	json_object_foreach ((json_t *)last, image, answer) {
		moment_text(
			spool_stamp_time(jsonfile_text(answer, "time")), moment, sizeof(moment));
		buf_printf(&text, "%s ", moment);
		show_add(&text, image);
		buf_puts(&text, " ");
		add_answer(&text, answer);
		show_labelled(&text, label, margin, indent, false);
		label = "";
	}
}

/* A group: the number of images, and the last of them. */
static json_t *group(const json_t *last)
{
	json_t *groups = json_object(), *answer, *one;
	const char *image;

	json_object_foreach ((json_t *)last, image, answer) {
		struct buf words = { 0 };

		add_answer(&words, answer);
		one = words.data ? json_object_get(groups, words.data) : NULL;
		one = json_pack("{s:I, s:s, s:O}", "count",
			json_integer_value(json_object_get(one, "count")) + 1, "image", image,
			"answer", answer);
		if (words.failed || json_object_set_new(groups, words.data, one) < 0)
			no_memory();
		buf_free(&words);
	}
	return groups;
}

static void tell_groups(const json_t *last, unsigned margin, unsigned indent)
{
	json_t *groups = group(last), *one;
	const char *words, *label = "answers:";
	char moment[MOMENT_SIZE];
	struct buf text = { 0 };

	json_object_foreach (groups, words, one) {
		json_int_t count = json_integer_value(json_object_get(one, "count"));

		if (count == 1)
			show_add(&text, jsonfile_text(one, "image"));
		else
			buf_printf(&text, "%lld images", (long long)count);
		moment_text(spool_stamp_time(jsonfile_text(json_object_get(one, "answer"), "time")),
			moment, sizeof(moment));
		buf_puts(&text, " ");
		buf_puts(&text, words);
		buf_printf(&text, " (%s%s)", count == 1 ? "" : "the last at ", moment);
		show_labelled(&text, label, margin, indent, false);
		label = "";
	}
	json_decref(groups);
}

void answers_tell(const json_t *answers, unsigned margin, unsigned indent, bool all)
{
	json_t *last = last_answers(answers);

	(all ? tell_each : tell_groups)(last, margin, indent);
	json_decref(last);
}
