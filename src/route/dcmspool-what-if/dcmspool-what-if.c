/*
 * dcmspool-what-if: what the rules of a configuration would have done with the series in success/
 * and discard/, beside what was done. Reads only. dcmspool-what-if(8).
 *
 *   jobs.c      which series there are
 *   compare.c   one series: before and now
 *   tally.c     counts per rule
 */
#define _GNU_SOURCE /* optind */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "cli/options.h"
#include "conf/conf.h"
#include "decide/rules.h"
#include "base/log.h"
#include "cli/show.h"

static const char usage[] = "usage: dcmspool-what-if [-n] [-c FILE | --config FILE] [SPOOL]\n";

/* show_close() sees a failure to write. */
static void print_summary(const struct compared *compared)
{
	if (compared->changed || compared->unreadable)
		(void)putchar('\n');
	tally_print(&compared->tally);
	(void)printf("\n%zu series: %zu unchanged",
		compared->unchanged + compared->changed + compared->unreadable,
		compared->unchanged);
	if (compared->other_rules)
		(void)printf(" (%zu by other rules)", compared->other_rules);
	(void)printf(", %zu changed, %zu could not be compared\n", compared->changed,
		compared->unreadable);
}

int main(int argc, char *argv[])
{
	struct compared compared = { 0 };
	struct conf *conf;
	struct jobs jobs;

	log_open(argv[0]);
	conf = cli_options_checked(argc, argv, "", NULL, usage, rules_check);
	if (argc - optind > 1) {
		(void)fputs(usage, stderr);
		conf_free(conf);
		return EXIT_PERMANENT;
	}
	show_open();
	jobs_list(&jobs, optind < argc ? argv[optind] : conf->spool);
	tally_open(&compared.tally, conf);
	for (size_t i = 0, end; i < jobs.count; i = end) {
		for (end = i + 1; end < jobs.count; end++)
			if (strcmp(jobs.copy[end].key, jobs.copy[i].key) != 0)
				break;
		compare(conf, &jobs.copy[i], end - i, &compared);
	}
	print_summary(&compared);
	show_close();
	tally_free(&compared.tally);
	jobs_free(&jobs);
	conf_free(conf);
	return compared.unreadable ? EXIT_TEMPORARY : compared.changed ? 1 : 0;
}
