/*
 * dcmspool-show: everything about the series that a query means. dcmspool-show(8).
 *
 *   known.c             what the tree and the journal say of it
 *   tell.c, answers.c   that in words
 */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/query.h"
#include "cli/show.h"
#include "known.h"
#include "tell.h"

static const char usage[] = "usage: dcmspool-show [-ajn] [-c FILE] QUERY ...\n";

static bool json, all;

static void option(int letter, const char *argument)
{
	(void)argument; /* none has one */
	json |= letter == 'j';
	all |= letter == 'a';
}

/* Returns an exit code. */
static int show_found(const struct conf *conf, const struct spool *spool, struct walk *found)
{
	struct known *known;
	struct walk walk;

	if (found->count == 0) {
		log_error("nothing in the spool %s fits; what was deleted is in: dcmspool log",
			spool->path);
		return found->incomplete ? EXIT_TEMPORARY : 1;
	}
	/* All of it: what a job waits for may be any other. */
	if (walk_spool(spool, &walk) < 0)
		die(EXIT_TEMPORARY, "unable to look at the spool %s: out of memory; try again",
			spool->path);
	known = known_gather(conf, spool, &walk, found);
	for (size_t i = 0; i < found->count; i++) {
		if (i && !json)
			(void)putchar('\n'); /* show_close() sees a failure */
		if (json)
			tell_json(spool, &walk, &known[i]);
		else
			tell_text(spool, &walk, &known[i], all);
	}
	known_free(known, found->count);
	found->incomplete |= walk.incomplete;
	walk_free(&walk);
	return found->incomplete ? EXIT_TEMPORARY : 0;
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process, as conf */
	static struct conf *conf;
	struct query query;
	struct walk found;
	int code;

	log_open(argv[0]);
	conf = cli_options_as(CLI_ANYWHERE, argc, argv, "aj", option, usage);
	if (optind == argc) {
		log_error("the job, the UID or the query is missing");
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	if (query_read(&query, conf, argv + optind, (size_t)(argc - optind)) < 0)
		return EXIT_PERMANENT;
	operator_look(&spool, conf);
	show_open();
	query_find(&query, &spool, &found);
	code = show_found(conf, &spool, &found);
	show_close();
	walk_free(&found);
	query_free(&query);
	return code;
}
