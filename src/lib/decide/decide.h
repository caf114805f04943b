/*
 * decide: what the rules of a configuration say about a series. The router carries it out;
 * dcmspool-explain and dcmspool-what-if only show it. Nothing here writes.
 *
 * A rule sees the tags of the series' first image in the order of InstanceNumber (images without a
 * number come last; ties go by file name); with on = any it applies when it applies to any image,
 * and fails when that takes too much time. Rules are taken in the order of the file: a discard rule
 * that applies ends it, fallback rules count when no other rule applied. Targets of all rules that
 * apply are united; a target's priority is the most urgent of the rules that name it.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include <jansson.h>
#include <stddef.h>

#include "conf/conf.h"

enum decide_state {
	DECIDE_NOT_ASKED, /* disabled, after a discard rule, or a fallback rule that is not needed
			   */
	DECIDE_NO,
	DECIDE_YES,
	DECIDE_FAILED /* the evaluation raised; the rule does not apply */
};

struct decision_rule {
	enum decide_state state;
	char *image; /* which image's tags it saw last: the one that made it apply, or fail; or NULL
		      */
	char *why;   /* DECIDE_FAILED: one line, may quote a patient's data; else NULL */
};

struct decision_target {
	const char *name; /* of conf */
	enum job_priority priority;
};

struct decision {
	struct decision_rule *rule; /* one for each conf->rule, in the same order */
	const struct conf_rule *discarded_by;
	struct decision_target *target; /* in the order in which the rules named them */
	size_t target_count;
	char *first; /* the name of the first image; NULL when there is none */
	/* One of the names given, or NULL: */
	const char *damaged;    /* an image that is damaged and so had no tags */
	const char *unreadable; /* after -1: the image that could not be read */
};

/* Decides on the images names[0..count) below the directory dir. series: the object of series.json,
 * whose tags tell who sent it, or NULL. An image that is damaged has no tags; without any image the
 * rules see the sender's only. Reads each image's header, and holds one at a time. Returns -1 with
 * errno when something could not be read now: nothing is decided then. decide_free() frees in any
 * case. */
int decide(const struct conf *conf, int dir, char *const *names, size_t count, const json_t *series,
	struct decision *out);
void decide_free(const struct conf *conf, struct decision *decision);

/* The tags of one image (NULL: of none) as rules see them: keyword: text, SenderAET and the like
 * among them, "" for all that a damaged image has. The caller decrefs; NULL with errno when it
 * cannot be read now. */
json_t *decide_tags(int dir, const char *image, const json_t *series);

/* rule_tag_fn for an object of decide_tags(); names of tags are case-insensitive. */
const char *decide_tag(const void *tags, const char *name);

#endif
