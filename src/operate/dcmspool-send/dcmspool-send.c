/*
 * dcmspool-send: DICOM files that were never in the spool go to a target, as jobs.
 * dcmspool-send(8).
 *
 *   files.c    which files, by series
 *   series.c   those of one series become a job
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/await.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/show.h"
#include "files.h"
#include "series.h"
#include "spool/newjob.h"

static const char usage[] =
	"usage: dcmspool-send [-nw] [-c FILE] -t TARGET | --to TARGET FILE|DIRECTORY ...\n";

static const char *target;
static bool waits;

static void option(int letter, const char *argument)
{
	if (letter == 't')
		target = argument;
	waits |= letter == 'w';
}

static int usage_mistake(const char *problem)
{
	log_error("%s", problem);
	(void)fputs(usage, stderr);
	return EXIT_PERMANENT;
}

/* Returns an exit code. */
static int send_all(const struct verb *verb, struct files *files)
{
	struct await await = { .since_us = spool_now_us() };
	int code = 0, result;

	newjob_clear(&verb->spool, target);
	for (size_t i = 0, end; i < files->count; i = end) {
		for (end = i + 1; end < files->count &&
				  strcmp(files->file[end].series, files->file[i].series) == 0;
			end++)
			;
		result = series_send(verb, files, i, end, target, &await);
		code = result > code ? result : code;
	}
	if (waits && await.jobs.count > 0) {
		result = await_all(&await, &verb->spool);
		code = result > code ? result : code;
	}
	await_free(&await);
	if (files->failed)
		return EXIT_TEMPORARY;
	return files->refused && code < EXIT_PERMANENT ? EXIT_PERMANENT : code;
}

int main(int argc, char *argv[])
{
	static struct verb verb; /* for the life of the process, as conf */
	static struct conf *conf;
	struct files files = { 0 };
	int code;

	log_open(argv[0]);
	conf = cli_options_acting_anywhere(argc, argv, "t:w", option, usage);
	if (optind == argc)
		return usage_mistake("the files are missing");
	if (!target)
		return usage_mistake("the target is missing: --to TARGET");
	if (!conf_target(conf, target))
		return operator_no_target(conf, target);
	for (int i = optind; i < argc; i++)
		files_add(&files, argv[i]);
	files_sort(&files);
	if (files.count == 0 && !files.refused && !files.failed) {
		log_error("there is nothing to send: no file lies there");
		return 1;
	}
	operator_open(&verb, conf);
	show_open();
	code = send_all(&verb, &files);
	show_close();
	files_free(&files);
	return code;
}
