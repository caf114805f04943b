/*
 * dcmspool-log: the journal in words, also while it is being written. dcmspool-log(8).
 *
 *   judge.c   which lines fit a query
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/watch.h"
#include "cli/event.h"
#include "cli/moment.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/query.h"
#include "cli/show.h"
#include "cli/when.h"
#include "judge.h"
#include "spool/journal_read.h"

static const char usage[] = "usage: dcmspool-log [-fjn] [-c FILE] [QUERY ...]\n";

enum { MARGIN = 2, INDENT = 23, SUBJECT = 256 };

static bool json, follow;

static void option(int letter, const char *argument)
{
	(void)argument; /* none has one */
	json |= letter == 'j';
	follow |= letter == 'f';
}

/* On a terminal what a line is about stands above it once; elsewhere in each line, to be searched.
 */
static void print_text(const json_t *line)
{
	static char before[SUBJECT];
	const char *subject = event_subject(line);
	char moment[MOMENT_SIZE];
	struct buf text = { 0 };

	moment_full(journal_time_us(line), moment, sizeof(moment));
	if (!show_columns()) {
		buf_printf(&text, "%s  ", moment);
		show_add(&text, *subject ? subject : "-");
		buf_puts(&text, "  ");
		event_text(line, &text);
		show_whole(&text, 0);
		return;
	}
	if (strncmp(subject, before, SUBJECT - 1) != 0 && *subject) {
		(void)fputs(show_colour(SHOW_TITLE), stdout);
		show_add(&text, subject);
		buf_puts(&text, show_colour(SHOW_PLAIN));
		show_whole(&text, 0);
	}
	(void)snprintf(before, sizeof(before), "%s", subject);
	event_text(line, &text);
	show_labelled(&text, moment, MARGIN, INDENT, false);
}

/* What there is now. Returns whether a line was printed. */
static bool print_lines(struct journal_reader *reader, struct judge *judge, bool new)
{
	json_t *line;
	bool any = false;
	int more;

	while ((more = journal_reader_next(reader, &line)) > 0) {
		if (!judge_line(judge, line, new)) {
			json_decref(line);
			continue;
		}
		any = true;
		if (json) {
			show_json(line);
			continue;
		}
		print_text(line);
		json_decref(line);
	}
	if (more < 0)
		die(failure_code(errno),
			"unable to read the journal: %s; be the user who runs dcmspool",
			strerror(errno));
	return any;
}

static const char gone[] =
	"unable to read the journal: its directory is gone; dcmspool layout makes it anew";

/* Ends with the process. */
static _Noreturn void follow_lines(struct journal_reader *reader, struct judge *judge)
{
	char path[64];
	struct loop loop;

	loop_open_bare(&loop);
	watch_begin();
	(void)snprintf(path, sizeof(path), "%s/", spool_name(SPOOL_JOURNAL));
	/* A directory that somebody has open tells nobody that it was removed: its own does. */
	if (watch_keep(path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0 ||
		watch_keep("./", IN_DELETE) < 0)
		die(EXIT_TEMPORARY,
			"unable to watch the journal: %s; raise fs.inotify.max_user_watches",
			strerror(errno));
	watch_end();
	for (;;) {
		(void)print_lines(reader, judge, true);
		show_close();
		if (disk_exists(AT_FDCWD, spool_name(SPOOL_JOURNAL)) == 0)
			die(EXIT_TEMPORARY, "%s", gone);
		(void)watch_wait(&loop, 0, NULL);
	}
}

/* From when on: since=, or the first there is; without a query today's. */
static int64_t from_us(const struct query *query)
{
	int64_t from = 0;
	time_t today;

	for (size_t i = 0; i < query->count; i++)
		if (query->word[i].key == QUERY_SINCE && query->word[i].time_us > from)
			from = query->word[i].time_us;
	if (query->count == 0 && when_read("today", time(NULL), &today) == 0)
		from = (int64_t)today * 1000000;
	return from;
}

/* until when; 0: no end. */
static int64_t until_us(const struct query *query)
{
	int64_t until = 0;

	for (size_t i = 0; i < query->count; i++)
		if (query->word[i].key == QUERY_UNTIL && (!until || query->word[i].time_us < until))
			until = query->word[i].time_us;
	return until;
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process, as conf */
	static struct conf *conf;
	struct journal_reader reader;
	struct query query;
	struct judge judge;
	bool any;

	log_open(argv[0]);
	conf = cli_options_anywhere(argc, argv, "fj", option, usage);
	if (query_read(&query, conf, argv + optind, (size_t)(argc - optind)) < 0)
		return EXIT_PERMANENT;
	if (follow && until_us(&query))
		die(EXIT_PERMANENT, "-f goes on, so it has no until=; leave one of them out");
	operator_look(&spool, conf);
	show_open();
	judge_open(&judge, &query, &spool);
	journal_reader_open(&reader, &spool, from_us(&query), until_us(&query));
	any = print_lines(&reader, &judge, false);
	if (follow)
		follow_lines(&reader, &judge);
	if (reader.skipped)
		log_warning("lines of the journal that were no JSON were left out: %zu",
			reader.skipped);
	show_close();
	journal_reader_close(&reader);
	judge_close(&judge);
	query_free(&query);
	return any || optind == argc ? 0 : 1;
}
