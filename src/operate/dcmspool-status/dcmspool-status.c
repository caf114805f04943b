/*
 * dcmspool-status: is it well? One screen, from the tree, the journal and what s6 writes.
 * dcmspool-status(8).
 *
 *   look.c, disk.c, lately.c   what there is
 *   problems.c                 what of that waits for a person
 *   text.c, object.c           that on a screen, or as JSON
 *   follow.c                   that again whenever it changes
 */
#define _GNU_SOURCE /* realpath */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/show.h"
#include "follow.h"
#include "status.h"

static const char usage[] = "usage: dcmspool-status [-fjn] [-c FILE]\n";

static bool json, again;

static void option(int letter, const char *argument)
{
	(void)argument; /* none has one */
	json |= letter == 'j';
	again |= letter == 'f';
}

static void print(const struct status *status)
{
	if (json)
		show_json(status_object(status));
	else
		status_text(status);
	show_close();
}

/* Returns an exit code. */
static int look_once(const struct spool *spool, const char *file, struct lately *lately)
{
	struct status status;
	int code;

	status_look(&status, spool, file, lately);
	print(&status);
	code = status_code(&status);
	status_free(&status);
	return code;
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process */
	struct lately lately = { 0 };
	struct running running;
	char *file, *absolute;
	int code = 0;

	log_open(argv[0]);
	file = cli_options_file(argc, argv, "fj", option, usage);
	if (optind < argc) {
		log_error("there is nothing to be named: %s", argv[optind]);
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	if (again && !json && !isatty(STDOUT_FILENO))
		die(EXIT_PERMANENT, "--watch needs a terminal, or --json: a line for each change");
	absolute = realpath(file, NULL); /* the spool becomes the working directory */
	if (absolute) {
		free(file);
		file = absolute;
	}
	running_look(file, &running);
	operator_look_at(&spool, running.spool);
	show_open();
	if (again)
		follow(&spool, file, &lately, print, !json);
	else
		code = look_once(&spool, file, &lately);
	lately_free(&lately);
	running_free(&running);
	free(file);
	return code;
}
