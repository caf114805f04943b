/*
 * dcmspool-resend: what is at rest goes again. dcmspool-resend(8); resend.h does it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/await.h"
#include "cli/confirm.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/query.h"
#include "cli/show.h"
#include "resend.h"
#include "spool/newjob.h"

static const char usage[] =
	"usage: dcmspool-resend [-nwy] [-c FILE] [-t TARGET | --to TARGET] QUERY ...\n";

static const char *target;
static bool yes, waits;

static void option(int letter, const char *argument)
{
	if (letter == 't')
		target = argument;
	yes |= letter == 'y';
	waits |= letter == 'w';
}

/* What is on its way goes by itself. */
static bool is_at_rest(const struct place *place)
{
	return place->state >= PLACE_SENT;
}

/* Its images can be had, wherever it is; of what lies in error/ as no job nobody knows what it is.
 */
static bool has_images(const struct place *place)
{
	return place->state >= PLACE_WAITING && place->state != PLACE_QUARANTINED;
}

static int send_to(
	const struct verb *verb, struct walk *all, struct item *item, struct await *await)
{
	const char *waits_as = resend_waits(&verb->spool, all, item, target);

	if (!waits_as)
		return resend_to(verb, item, target, await);
	log_error("%s waits for %s already, as %s; it is not sent twice", item->name, target,
		waits_as);
	return 1;
}

static int act(const struct verb *verb, struct walk *found)
{
	struct await await = { .since_us = spool_now_us() };
	struct walk all = { 0 };
	int code = 0, result;

	if (target)
		newjob_clear(&verb->spool, target);
	if (target && walk_spool(&verb->spool, &all) < 0)
		die(EXIT_TEMPORARY, "unable to look at the spool %s: out of memory; try again",
			verb->spool.path);
	for (size_t i = 0; i < found->count; i++) {
		result = target ? send_to(verb, &all, &found->item[i], &await)
				: resend_back(verb, &found->item[i], &await);
		code = result > code ? result : code;
	}
	walk_free(&all);
	if (waits && await.jobs.count > 0) {
		result = await_all(&await, &verb->spool);
		code = result > code ? result : code;
	}
	await_free(&await);
	return code;
}

static int resend(const struct verb *verb, const struct query *query)
{
	struct walk found;
	size_t fit;
	int code;

	query_find(query, &verb->spool, &found);
	fit = found.count;
	confirm_only(&found, target ? has_images : is_at_rest);
	if (fit > 0 && found.count == 0) {
		log_error("what fits is still on its way, and goes by itself; see: dcmspool list");
		code = 1;
	} else {
		code = confirm_found(&verb->spool, &found,
			target ? "Send again to this target" : "Route again", yes);
		if (code == 0)
			code = act(verb, &found);
		if (code == 0 && found.incomplete)
			code = EXIT_TEMPORARY; /* what could not be seen may fit, too */
	}
	walk_free(&found);
	return code;
}

int main(int argc, char *argv[])
{
	static struct verb verb; /* for the life of the process, as conf */
	static struct conf *conf;
	struct query query;
	int code;

	log_open(argv[0]);
	conf = cli_options_acting_anywhere(argc, argv, "t:wy", option, usage);
	if (optind == argc) {
		log_error("the query is missing");
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	if (target && !conf_target(conf, target))
		return operator_no_target(conf, target);
	if (query_read(&query, conf, argv + optind, (size_t)(argc - optind)) < 0)
		return EXIT_PERMANENT;
	operator_open(&verb, conf);
	show_open();
	code = resend(&verb, &query);
	show_close();
	query_free(&query);
	return code;
}
