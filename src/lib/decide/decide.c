#include "decide/impl.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of processor time, in nanoseconds, that a rule may take for a series: a search that goes wrong
 * takes a tenth of a second for each image, and the next series waits for its router. */
static const int64_t series_ns = 2000000000;

struct image {
	const char *name;
	bool numbered;
	long long number; /* InstanceNumber */
};

/* One decision being made. */
struct deciding {
	const struct conf *conf;
	int dir;
	const json_t *series;
	struct image *image; /* in the order of their numbers */
	size_t count;
	json_t *first;    /* the tags of the first one */
	const char **saw; /* for each rule, the image whose tags it saw last */
	int64_t *
		spent; /* for each rule, its processor time; more than series_ns: not asked again */
	struct decision *out;
};

/* ---- the images
 * ------------------------------------------------------------------------------------- */

/* decide_read() of the i-th image, told to the caller of decide(). */
static int look(struct deciding *d, size_t i, struct dicom_header *header)
{
	int result = decide_read(d->dir, d->image[i].name, header);

	if (result < 0)
		d->out->unreadable = d->image[i].name;
	else if (result > 0 && !d->out->damaged)
		d->out->damaged = d->image[i].name;
	return result < 0 ? -1 : 0;
}

/* The i-th image's tags; those of a series without images are its sender's. NULL with errno. */
static json_t *tags_of(struct deciding *d, size_t i)
{
	struct dicom_header header = { 0 };
	json_t *tags;

	if (i < d->count && look(d, i, &header) < 0)
		return NULL;
	tags = decide_make_tags(&header, d->series);
	dicom_header_free(&header);
	return tags;
}

/* Blanks around an integer string do not count (PS3.5 6.2). */
static bool parse_number(const char *text, long long *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return end != text && end[strspn(end, " ")] == '\0' && errno == 0;
}

static int by_number(const void *a, const void *b)
{
	const struct image *left = a, *right = b;

	if (left->numbered != right->numbered)
		return left->numbered ? -1 : 1;
	if (left->numbered && left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* Puts the images into the order of their numbers. A single one need not be read for that. */
static int sort_images(struct deciding *d, char *const *names)
{
	struct dicom_header header;

	for (size_t i = 0; i < d->count; i++)
		d->image[i].name = names[i];
	for (size_t i = 0; d->count > 1 && i < d->count; i++) {
		if (look(d, i, &header) < 0)
			return -1;
		d->image[i].numbered =
			parse_number(dicom_get(&header, "InstanceNumber"), &d->image[i].number);
		dicom_header_free(&header);
	}
	qsort(d->image, d->count, sizeof(*d->image), by_number);
	return 0;
}

/* ---- the rules
 * -------------------------------------------------------------------------------------- */

static int64_t processor_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(
		CLOCK_THREAD_CPUTIME_ID, &now); /* a bound only; without a clock there is none */
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* rule_evaluate() within the time that a rule has for a series. */
static enum rule_result evaluate(
	struct deciding *d, size_t r, const json_t *tags, char *why, size_t size)
{
	int64_t begin = processor_ns();
	enum rule_result result =
		rule_evaluate(d->conf->rule[r].compiled, decide_tag, tags, why, size);

	d->spent[r] += processor_ns() - begin;
	if (result == RULE_TRUE || d->spent[r] <= series_ns)
		return result;
	(void)snprintf(why, size, /* fits */
		"RuntimeError: the rule took more than %d s for the images of the series",
		(int)(series_ns / 1000000000));
	return RULE_FAILED;
}

/* Asks a rule about the tags of the i-th image. One that fails on an image may apply to another;
 * its first failure is kept until then. */
static int ask(struct deciding *d, size_t r, size_t i, const json_t *tags)
{
	struct decision_rule *rule = &d->out->rule[r];
	char why[RULE_WHY] = "";
	enum rule_result result = evaluate(d, r, tags, why, sizeof(why));

	if (rule->state == DECIDE_FAILED && result != RULE_TRUE)
		return 0;
	d->saw[r] = i < d->count ? d->image[i].name : NULL;
	free(rule->why);
	rule->why = NULL;
	switch (result) {
	case RULE_TRUE:
		rule->state = DECIDE_YES;
		return 0;
	case RULE_FALSE:
		rule->state = DECIDE_NO;
		return 0;
	case RULE_FAILED:
		break;
	}
	rule->state = DECIDE_FAILED;
	rule->why = strdup(why);
	return rule->why ? 0 : -1;
}

static bool ends_it(const struct deciding *d, size_t r)
{
	return d->out->rule[r].state == DECIDE_YES && d->conf->rule[r].action == CONF_DISCARD;
}

/* The next rule from r on that the i-th image decides about; the number of rules when there is
 * none. */
static size_t next_open(const struct deciding *d, bool fallback, size_t r, size_t i)
{
	for (; r < d->conf->rule_count && (r == 0 || !ends_it(d, r - 1)); r++) {
		const struct conf_rule *rule = &d->conf->rule[r];

		if (rule->fallback == fallback && !rule->disabled &&
			(i == 0 || (rule->on == CONF_ON_ANY && d->spent[r] <= series_ns)) &&
			d->out->rule[r].state != DECIDE_YES)
			return r;
	}
	return d->conf->rule_count;
}

/* Asks the rules about one image after the other, as long as one of them wants to see more. */
static int ask_rules(struct deciding *d, bool fallback)
{
	for (size_t i = 0; i == 0 || i < d->count; i++) {
		size_t r = next_open(d, fallback, 0, i);
		json_t *tags;

		if (r == d->conf->rule_count)
			return 0;
		tags = i == 0 ? json_incref(d->first) : tags_of(d, i);
		if (!tags)
			return -1;
		for (; r < d->conf->rule_count; r = next_open(d, fallback, r + 1, i))
			if (ask(d, r, i, tags) < 0) {
				json_decref(tags);
				return -1;
			}
		json_decref(tags);
	}
	return 0;
}

/* ---- the outcome
 * ------------------------------------------------------------------------------------ */

static void add_targets(struct decision *out, const struct conf_rule *rule)
{
	for (size_t i = 0; i < rule->targets.count; i++) {
		const char *name = rule->targets.item[i];
		size_t t = 0;

		while (t < out->target_count && strcmp(out->target[t].name, name) != 0)
			t++;
		if (t == out->target_count)
			out->target[out->target_count++] =
				(struct decision_target){ name, rule->priority };
		else if (rule->priority < out->target[t].priority)
			out->target[t].priority = rule->priority;
	}
}

/* Takes together what the rules said. What was asked of rules behind a discard rule, before an
 * image was seen to which that applies, is forgotten. Returns whether any applied. */
static bool take_together(struct deciding *d, bool fallback)
{
	struct decision *out = d->out;
	bool any = false;

	for (size_t r = 0; r < d->conf->rule_count; r++) {
		const struct conf_rule *rule = &d->conf->rule[r];

		if (rule->fallback != fallback)
			continue;
		if (out->discarded_by) {
			free(out->rule[r].why);
			out->rule[r] = (struct decision_rule){ .state = DECIDE_NOT_ASKED };
			d->saw[r] = NULL;
		} else if (ends_it(d, r)) {
			out->discarded_by = rule;
			out->target_count = 0;
			any = true;
		} else if (out->rule[r].state == DECIDE_YES) {
			add_targets(out, rule);
			any = true;
		}
	}
	return any;
}

/* The names of the images go to the caller. */
static int name_images(struct deciding *d)
{
	if (d->count > 0 && !(d->out->first = strdup(d->image[0].name)))
		return -1;
	for (size_t r = 0; r < d->conf->rule_count; r++)
		if (d->saw[r] && !(d->out->rule[r].image = strdup(d->saw[r])))
			return -1;
	return 0;
}

/* Room for all that may be found; what lacks is told by -1, what was got is freed at the end. */
static int prepare(struct deciding *d)
{
	size_t targets = 0, rules = d->conf->rule_count;

	for (size_t r = 0; r < rules; r++)
		targets += d->conf->rule[r].targets.count;
	d->image = calloc(d->count + 1, sizeof(*d->image));
	d->saw = calloc(rules + 1, sizeof(*d->saw));
	d->spent = calloc(rules + 1, sizeof(*d->spent));
	d->out->rule = calloc(rules + 1, sizeof(*d->out->rule));
	d->out->target = calloc(targets + 1, sizeof(*d->out->target));
	return d->image && d->saw && d->spent && d->out->rule && d->out->target ? 0 : -1;
}

int decide(const struct conf *conf, int dir, char *const *names, size_t count, const json_t *series,
	struct decision *out)
{
	struct deciding d = {
		.conf = conf, .dir = dir, .series = series, .count = count, .out = out
	};
	int result = -1, saved;

	*out = (struct decision){ 0 };
	if (prepare(&d) < 0 || sort_images(&d, names) < 0 || !(d.first = tags_of(&d, 0)) ||
		ask_rules(&d, false) < 0)
		goto out;
	if (!take_together(&d, false)) {
		if (ask_rules(&d, true) < 0)
			goto out;
		(void)take_together(&d, true); /* none applies: no target */
	}
	result = name_images(&d);
out:
	saved = errno;
	json_decref(d.first);
	free(d.image);
	free(d.saw);
	free(d.spent);
	errno = saved;
	return result;
}

void decide_free(const struct conf *conf, struct decision *decision)
{
	for (size_t r = 0; decision->rule && r < conf->rule_count; r++) {
		free(decision->rule[r].image);
		free(decision->rule[r].why);
	}
	free(decision->rule);
	free(decision->target);
	free(decision->first);
	*decision = (struct decision){ 0 };
}
