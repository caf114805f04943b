#include "cli/acting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/confirm.h"
#include "cli/query.h"
#include "spool/held.h"
#include "spool/job.h"

/* Not where one of them has the form of a job, or is a target. */
static bool are_query(const struct conf *conf, char *operand[])
{
	bool query = true;

	for (; *operand; operand++) {
		const char *equals = strchr(*operand, '='), *slash = strchr(*operand, '/');

		if (equals && (!slash || equals < slash))
			return true;
		query &= !slash && !job_base(*operand) && strcmp(*operand, HELD_ALL) != 0 &&
			 !conf_target(conf, *operand);
	}
	return query;
}

static int act_on_found(const struct verb *verb, const struct verb_kind *kind, struct walk *found)
{
	int code = 0, result;

	for (size_t i = 0; i < found->count; i++)
		for (size_t k = 0; k < found->item[i].count; k++) {
			const struct place *place = &found->item[i].place[k];
			struct queued job = { 0 };

			if (!place->meant)
				continue;
			(void)snprintf(job.name, sizeof(job.name), "%s", place->name);
			(void)snprintf(job.target, sizeof(job.target), "%s", place->target);
			result = kind->on_found(verb, &job);
			code = result > code ? result : code;
		}
	return code;
}

static bool is_queued(const struct place *place)
{
	return place->state == PLACE_AHEAD || place->state == PLACE_WAITING ||
	       place->state == PLACE_SENDING;
}

/* A single word that fits nothing may be a name that is none: on_job knows best what to say. */
static int act(const struct verb *verb, const struct verb_kind *kind, const struct query *query,
	char *operand[], int count)
{
	struct queued meant;
	struct walk found;
	int code;

	query_find(query, &verb->spool, &found);
	confirm_only(&found, is_queued);
	if (found.count == 0 && count == 1 && !strchr(*operand, '=')) {
		walk_free(&found);
		if (queues_operand(verb->spool.path, *operand, &meant) < 0)
			return EXIT_PERMANENT;
		return kind->on_job(verb, &meant);
	}
	code = confirm_found(&verb->spool, &found, kind->ask, verb->yes);
	if (code == 0) {
		code = act_on_found(verb, kind, &found);
		/* what was missed was told */
		code = code == 0 && found.incomplete ? EXIT_TEMPORARY : code;
	}
	walk_free(&found);
	return code;
}

int acting_query(struct verb *verb, const struct verb_kind *kind, char *operand[], int count)
{
	struct query query;
	int code;

	if (!are_query(verb->conf, operand))
		return -1;
	if (query_read(&query, verb->conf, operand, (size_t)count) < 0)
		return EXIT_PERMANENT;
	operator_open(verb, verb->conf);
	code = act(verb, kind, &query, operand, count);
	query_free(&query);
	return code;
}
