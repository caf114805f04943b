/*
 * dcmspool-fsck: is everything in the spool where the table of states has it? dcmspool-fsck(8).
 *
 * It takes no lock and may look while everything runs. A state that is just passing is no finding:
 * what is found is looked for again after a moment, and only what was found both times is told.
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/show.h"
#include "look.h"
#include "repair.h"

enum { MOMENT_MS = 1000, EXIT_FINDINGS = 1 };

static const char usage[] =
	"usage: dcmspool-fsck [-ijnr] [--images] [--json] [--repair] [-c FILE]\n";
static bool as_json, do_repair, read_images;

static void option(int letter, const char *argument)
{
	(void)argument; /* none takes one */
	as_json |= letter == 'j';
	do_repair |= letter == 'r';
	read_images |= letter == 'i';
}

static bool look_once(const struct conf *conf, const struct spool *spool, struct findings *found)
{
	struct look look = { .conf = conf, .read_images = read_images, .found = found };

	look_at_spool(&look, spool->dir[SPOOL_ROOT]);
	return !look.failed;
}

/* Twice when there is something; returns whether all could be looked at. */
static bool look_twice(const struct conf *conf, const struct spool *spool, struct findings *found)
{
	struct findings before = { 0 };
	bool whole = look_once(conf, spool, found);

	if (found->count == 0)
		return whole;
	before = *found;
	*found = (struct findings){ 0 };
	(void)poll(NULL, 0, MOMENT_MS);
	whole = look_once(conf, spool, found);
	findings_keep(found, &before);
	findings_free(&before);
	return whole;
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process */
	static struct findings found;
	const struct conf *conf;
	bool failed = false;
	size_t repaired = 0;

	log_open(argv[0]);
	conf = cli_options_anywhere(argc, argv, "ijr", option, usage);
	if (optind < argc) {
		log_error("there is nothing to name: the whole spool is looked at");
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	show_open();
	if (do_repair)
		operator_open_spool(&spool, conf);
	else
		operator_look(&spool, conf);
	if (do_repair)
		repaired = repair(&spool, conf, as_json, &failed);
	failed |= !look_twice(conf, &spool, &found);
	findings_print(&found, spool.path, repaired, as_json);
	show_close();
	return failed ? EXIT_TEMPORARY : found.count > 0 ? EXIT_FINDINGS : 0;
}
