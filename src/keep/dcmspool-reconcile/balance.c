#include "balance.h"

#include "base/log.h"
#include "ends.h"
#include "spool/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The two sides, while they are compared. */
struct comparing {
	struct account *account;
	const struct balance_of *of;
	json_t *out, *differences;
};

static void differ(struct comparing *c, const char *kind, const char *name, const char *target,
	json_int_t missing, const char *format, ...) __attribute__((format(printf, 6, 7)));
static void differ(struct comparing *c, const char *kind, const char *name, const char *target,
	json_int_t missing, const char *format, ...)
{
	json_t *one = json_pack("{s:s, s:I}", kind, name, "missing", missing);
	char what[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args); /* a long one is cut */
	va_end(args);
	if (target)
		(void)json_object_set_new(one, "target", json_string(target));
	if (json_object_set_new(one, "what", json_string(what)) < 0 ||
		json_array_append_new(c->differences, one) < 0)
		die(EXIT_TEMPORARY, "unable to keep the account: out of memory; try again");
}

/* Numbers that were lost on a full disk are 0: then what was found is believed. A getdcmtags that
 * was killed at a duplicate counts it as filed, but the duplicate has a line of its own; so has
 * what went to error/. */
static void compare_numbers(struct comparing *c, const char *name, const json_t *a)
{
	json_int_t received = account_get(a, "received"), filed = account_get(a, "filed");
	json_int_t duplicates = account_get(a, "duplicates"),
		   dropped = account_get(a, "quarantined");
	json_int_t jobs = account_get(a, "jobs"), waits = account_get(a, "waits");
	json_int_t miscounted = account_get(a, "duplicate_lines") +
				account_get(a, "quarantined_lines") - duplicates - dropped;

	if (received == 0 && filed == 0)
		return;
	if (received != filed + duplicates + dropped)
		differ(c, "association", name, NULL, received - filed - duplicates - dropped,
			"received %lld images, but %lld were filed, %lld were duplicates, %lld "
			"quarantined",
			(long long)received, (long long)filed, (long long)duplicates,
			(long long)dropped);
	if (filed == jobs + waits ||
		(filed > jobs + waits &&
			filed - jobs - waits <=
				c->account->unattributed + (miscounted > 0 ? miscounted : 0)))
		return;
	differ(c, "association", name, NULL, filed - jobs - waits,
		"filed %lld images, but %lld became jobs, and %lld wait in incoming/",
		(long long)filed, (long long)jobs, (long long)waits);
}

/* Each image that did not come into its batch has a line. */
static void compare_lines(struct comparing *c, const char *name, const json_t *a)
{
	static const char *const kinds[][3] = { { "duplicates", "duplicate_lines", "duplicate" },
		{ "quarantined", "quarantined_lines", "quarantined" } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		json_int_t said = account_get(a, kinds[i][0]), lines = account_get(a, kinds[i][1]);

		if (lines < said)
			differ(c, "association", name, NULL, 0,
				"%lld images were told as %s, but the journal has %lld lines %s",
				(long long)said, kinds[i][0], (long long)lines, kinds[i][2]);
	}
	if (account_get(a, "caller") && !account_get(a, "opened"))
		differ(c, "association", name, NULL, 0,
			"its line association-opened is not in the journal");
}

static void compare_association(struct comparing *c, const char *name, const json_t *a)
{
	account_add(c->out, "associations", 1);
	account_add(c->out, "open", account_get(a, "open"));
	account_add(c->out, "received", account_get(a, "received"));
	account_add(c->out, "duplicates", account_get(a, "duplicates"));
	account_add(c->out, "quarantined", account_get(a, "quarantined"));
	if (account_get(a, "open"))
		return; /* it is not at its end */
	if (!account_get(a, "ended"))
		differ(c, "association", name, NULL, 0,
			"its line association-ended is not in the journal, though it is not open; "
			"it brought %lld images that became jobs",
			(long long)account_get(a, "jobs"));
	else if (account_get(a, "numbers"))
		compare_numbers(c, name, a);
	compare_lines(c, name, a);
}

/* What the journal says lies at rest, and what does. What was given up may be removed by hand, what
 * was moved back is a job of its own. */
static void compare_rest(struct comparing *c, const char *name, const char *target,
	const json_t *job, const json_t *end)
{
	json_int_t told = ends_rested(end), rests = account_get(end, "rests");
	json_int_t gone = told - rests, moved = ends_moved(end);

	if (account_get(end, "unknown") || (account_get(end, "deleted") && gone >= 0))
		return;
	if (gone > 0 && account_get(end, "in_error") == 0)
		gone -= account_get(end, "failed") < gone ? account_get(end, "failed") : gone;
	if (!*target) /* discard/<job>: moved back, or to the queue of a target, under that name */
		moved += ends_moved(job);
	if (gone > 0 && !*target && json_object_size(json_object_get(job, "targets")) > 1)
		return;
	if (gone > moved)
		differ(c, "job", name, target, gone,
			"%lld images came to rest, but %lld lie in success/, discard/ or error/; "
			"nobody has moved them to incoming/ or deleted them",
			(long long)told, (long long)rests);
	if (gone < 0)
		differ(c, "job", name, target, 0,
			"%lld images lie in success/, discard/ or error/, but the journal has "
			"the lines of %lld",
			(long long)rests, (long long)told);
}

static void compare_end(struct comparing *c, const char *name, const json_t *job,
	const char *target, const json_t *end, json_int_t expected)
{
	json_int_t rested = ends_rested(end), waits = account_get(end, "waits");
	json_int_t moved = ends_moved(job), missing;

	if (!account_get(end, "planned") && account_get(end, "more"))
		expected = 0; /* it was never meant for this target, but sent there by hand */
	expected += account_get(end, "more") - account_get(end, "gone");
	missing = expected - rested - waits;
	if (missing > moved && !account_get(end, "unknown"))
		differ(c, "job", name, target, missing,
			"of %lld images %lld came to rest and %lld wait", (long long)expected,
			(long long)rested, (long long)waits);
	if (missing < 0 && ends_moved(job) == 0)
		differ(c, "job", name, target, missing,
			"of %lld images %lld came to rest and %lld wait: more than there are",
			(long long)expected, (long long)rested, (long long)waits);
	if (account_get(end, "requeued") > account_get(end, "requeues"))
		differ(c, "job", name, target, 0,
			"it was sent there again by hand %lld times, but the journal has %lld "
			"lines requeued",
			(long long)account_get(end, "requeued"),
			(long long)account_get(end, "requeues"));
	compare_rest(c, name, target, job, end);
}

/* Sums of what came to rest, for the whole. */
static void add_up(struct comparing *c, const json_t *end)
{
	static const char *const events[][2] = { { "sent ", "sent" }, { "failed ", "failed" },
		{ "cancelled ", "discarded" }, { "discarded ", "discarded" } };
	const char *line;
	json_t *images;

	json_object_foreach (json_object_get(end, "told"), line, images)
		for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
			if (strncmp(line, events[i][0], strlen(events[i][0])) == 0)
				account_add(c->out, events[i][1], json_integer_value(images));
	account_add(c->out, "waits", account_get(end, "waits"));
}

/* The lines of its decision, and of what went to error/ before that. */
static void compare_decision(struct comparing *c, const char *name, const json_t *job)
{
	json_t *told = json_object_get(job, "quarantined"), *one;
	const char *target, *file;
	bool sent = false;

	json_object_foreach (json_object_get(job, "targets"), target, one)
		sent |= *target != '\0';
	if (sent && account_get(job, "decided") && !account_get(job, "routing") &&
		!account_get(job, "routed") && !account_get(job, "discarded"))
		differ(c, "job", name, NULL, 0,
			"its line routed is not in the journal, so nobody knows which targets it "
			"was for");
	json_object_foreach (json_object_get(job, "in_error"), file, one)
		if (!json_object_get(told, file))
			differ(c, "job", name, NULL, 0,
				"%s lies in error/%s, but its line quarantined is not in the "
				"journal",
				file, name);
}

/* "1.2.3.dcm", also with what makes a name unique behind it. */
static bool was_image(const char *file)
{
	size_t length = strlen(file);
	const char *last = strrchr(file, '~');
	char name[ENDS_NAME_SIZE];

	if (last && last[1] && strspn(last + 1, "0123456789") == strlen(last + 1))
		length = (size_t)(last - file); /* disk_rename_unique() */
	(void)snprintf(name, sizeof(name), "%.*s", (int)length, file);
	return file_is_image(name);
}

static json_int_t quarantined_images(const json_t *job)
{
	json_int_t count = 0;
	const char *file;
	json_t *one;

	json_object_foreach (json_object_get(job, "quarantined"), file, one)
		count += was_image(file);
	json_object_foreach (json_object_get(job, "in_error"), file, one)
		count += was_image(file) &&
			 !json_object_get(json_object_get(job, "quarantined"), file);
	return count;
}

/* Without rules that wanted it, there is but one end. Ends that nobody planned are those that are
 * seen. */
static void compare_job(struct comparing *c, const char *name, const json_t *job)
{
	json_t *targets = json_object_get(job, "targets"), *end;
	json_int_t images = account_get(job, "images");
	const char *target;

	images -= quarantined_images(job);
	compare_decision(c, name, job);
	account_add(c->out, "jobs", 1);
	if (!account_get(job, "told") && !account_get(job, "routing"))
		differ(c, "job", name, NULL, 0,
			"its line complete (or resent) is not in the journal, so nobody knows "
			"how many images it began with");
	if (json_object_size(targets) == 0 && images > 0 && !account_get(job, "routing") &&
		ends_moved(job) < images)
		differ(c, "job", name, NULL, images,
			"of %lld images nobody knows where they went: it was neither routed nor "
			"discarded",
			(long long)images);
	json_object_foreach (targets, target, end) {
		if (c->of->target && strcmp(c->of->target, target) != 0)
			continue;
		add_up(c, end);
		if (account_get(job, "told") || account_get(job, "images"))
			compare_end(c, name, job, target, end, images);
	}
}

static bool is_from(const json_t *association, const char *sender)
{
	const char *calling = json_string_value(json_object_get(association, "calling"));

	return !sender || (calling && strcmp(calling, sender) == 0);
}

/* By its connections, or by what its files say. */
static bool is_job_from(const struct comparing *c, const json_t *job)
{
	const char *name;
	json_t *images;

	if (!c->of->sender || json_object_get(json_object_get(job, "senders"), c->of->sender))
		return true;
	json_object_foreach (json_object_get(job, "by"), name, images)
		if (is_from(json_object_get(c->account->associations, name), c->of->sender))
			return true;
	return false;
}

json_t *balance(struct account *account, const struct balance_of *of)
{
	struct comparing c = {
		.account = account, .of = of, .out = json_object(), .differences = json_array()
	};
	static const char *const numbers[] = { "associations", "open", "received", "duplicates",
		"quarantined", "jobs", "sent", "failed", "discarded", "waits" };
	const char *name;
	json_t *one;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		account_set(c.out, numbers[i], 0);
	json_object_foreach (account->associations, name, one)
		if (account_is_of_day(account, name) && !of->target && is_from(one, of->sender))
			compare_association(&c, name, one);
	json_object_foreach (account->jobs, name, one)
		if (is_job_from(&c, one))
			compare_job(&c, name, one);
	account_set(c.out, "skipped", (json_int_t)account->skipped);
	if (json_object_set_new(c.out, "differences", c.differences) < 0)
		die(EXIT_TEMPORARY, "unable to keep the account: out of memory; try again");
	return c.out;
}

static bool is_same(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "association", "job", "target" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *left = json_object_get(a, keys[i]),
			     *right = json_object_get(b, keys[i]);

		if (left != right && !json_equal(left, right))
			return false;
	}
	return true;
}

void balance_keep(json_t *balance, const json_t *other)
{
	json_t *mine = json_object_get(balance, "differences"), *one;
	const json_t *theirs = json_object_get(other, "differences");
	size_t i, j;

	for (i = json_array_size(mine); i-- > 0;) {
		bool kept = false;

		json_array_foreach ((json_t *)theirs, j, one)
			kept |= is_same(json_array_get(mine, i), one);
		if (!kept)
			(void)json_array_remove(mine, i);
	}
}
