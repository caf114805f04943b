/*
 * dcmspool-find: a table of the series that a query means. dcmspool-find(8).
 */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/listing.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/query.h"

static const char usage[] = "usage: dcmspool-find [-jnu] [-c FILE] QUERY ...\n";

static bool json, unfinished;

static void option(int letter, const char *argument)
{
	(void)argument; /* none has one */
	json |= letter == 'j';
	unfinished |= letter == 'u';
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process, as conf */
	static struct conf *conf;
	struct query query;
	struct walk walk;
	int code;

	log_open(argv[0]);
	conf = cli_options_as(CLI_ANYWHERE, argc, argv, "ju", option, usage);
	if (optind == argc && !unfinished) {
		log_error("the query is missing; without one: dcmspool list");
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	if (query_read(&query, conf, argv + optind, (size_t)(argc - optind)) < 0)
		return EXIT_PERMANENT;
	query.unfinished = unfinished;
	operator_look(&spool, conf);
	show_open();
	query_find(&query, &spool, &walk);
	if (json)
		listing_json(&spool, &walk);
	else
		listing_table(&spool, &walk, true);
	show_close();
	code = walk.incomplete ? EXIT_TEMPORARY : walk.count == 0 && !unfinished;
	walk_free(&walk);
	query_free(&query);
	return code;
}
