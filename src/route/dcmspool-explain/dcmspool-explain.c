/*
 * dcmspool-explain: where series would go by this configuration, and how each rule came to its
 * answer. Reads only. dcmspool-explain(8).
 *
 *   series.c, files.c, find.c   what the operands stand for
 *   tell.c, why.c               the decision (decide.h) in words; a rule's expression
 */
#define _GNU_SOURCE /* optind */
#include <stdio.h>
#include <unistd.h>

#include "cli/options.h"
#include "conf/conf.h"
#include "decide/rules.h"
#include "base/log.h"
#include "series.h"
#include "cli/show.h"
#include "tell.h"

static const char usage[] = "usage: dcmspool-explain [-n] [-c FILE | --config FILE] PATH ...\n";

int main(int argc, char *argv[])
{
	struct conf *conf;
	int worst = 0;

	log_open(argv[0]);
	conf = cli_options_checked(argc, argv, "", NULL, usage, rules_check);
	if (optind == argc) {
		(void)fputs(usage, stderr);
		conf_free(conf);
		return EXIT_PERMANENT;
	}
	show_open();
	for (int i = optind; i < argc; i++) {
		int code = series_each(conf, argv[i], tell);

		if (code > worst)
			worst = code;
	}
	show_close();
	conf_free(conf);
	return worst;
}
