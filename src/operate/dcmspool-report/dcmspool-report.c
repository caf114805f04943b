/*
 * dcmspool-report: what came in a day, a week or a month, and how fast it was sent.
 * dcmspool-report(8).
 *
 *   report.c, lines.c, rows.c   what the journal says of it
 *   tell.c, words.c             that as tables, and as JSON
 *   page.c, chart.c             and as a page
 */
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/show.h"
#include "cli/when.h"
#include "page.h"
#include "report.h"
#include "tell.h"

static const char usage[] = "usage: dcmspool-report [-jn] [-c FILE] [-d DAY | -W | -M] [-H]\n"
			    "                       (--day DAY, --week, --month, --json, --html)\n";

static const char named[] = "there is nothing to name; a day is asked for by --day";
static const char several[] =
	"say only one of --day, --week and --month, and one of --json and --html";

static const char to_file[] = "a page is nothing for a terminal; write it to a file: "
			      "dcmspool report --html >report.html";

/* The charts of a period have bars of step_s * STEPS_OF_A_BAR: an hour, six, a day. */
static const struct period {
	int letter;
	const char *first; /* its first day, for when_day() */
	long step_s;
} periods[] = {
	{ 'd', "today", 600 },
	{ 'W', "6d", 3600 },
	{ 'M', "29d", 4 * 3600 },
};

static const struct period *period = &periods[0];
static const char *day;
static bool json, html;
static int chosen;

static void option(int letter, const char *argument)
{
	json |= letter == 'j';
	html |= letter == 'H';
	for (size_t i = 0; i < sizeof(periods) / sizeof(*periods); i++)
		if (letter == periods[i].letter) {
			period = &periods[i];
			day = argument;
			chosen++;
		}
}

/* From the first of its days on, until the end of its last. */
static void find_period(time_t *from, time_t *until)
{
	const time_t now = time(NULL);
	time_t end;

	if (when_day(day ? day : period->first, now, from, until) < 0)
		die(EXIT_PERMANENT, "%s is no day; write %s", day, WHEN_DAYS);
	if (!day && when_day("today", now, &end, until) < 0)
		die(EXIT_BUG, "unable to tell which day it is");
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process, as conf */
	static struct report report;
	struct conf *conf;
	time_t from, until;

	log_open(argv[0]);
	conf = cli_options_anywhere(argc, argv, "d:jHMW", option, usage);
	if (optind < argc || chosen > 1 || (json && html)) {
		log_error("%s", optind < argc ? named : several);
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	if (html && isatty(STDOUT_FILENO))
		die(EXIT_PERMANENT, "%s", to_file);
	find_period(&from, &until);
	operator_look(&spool, conf);
	show_open();
	report_read(&report, &spool, (int64_t)from * 1000000, (int64_t)until * 1000000,
		(int64_t)period->step_s * 1000000);
	if (report.skipped)
		log_warning("lines of the journal that were no JSON were left out: %zu",
			report.skipped);
	if (json)
		tell_json(&report);
	else if (html)
		page_print(&report, &spool);
	else
		tell_tables(&report);
	show_close();
	report_free(&report);
	return 0;
}
