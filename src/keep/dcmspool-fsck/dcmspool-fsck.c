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

static void look_once(struct look *look, const struct spool *spool, struct findings *found)
{
	look->found = found;
	look->directories = look->images = 0;
	look->failed = false;
	look_at_spool(look, spool->dir[SPOOL_ROOT]);
}

/* Twice when there is something. */
static void look_twice(struct look *look, const struct spool *spool, struct findings *found)
{
	struct findings before = { 0 };

	look_once(look, spool, found);
	if (found->count == 0)
		return;
	before = *found;
	*found = (struct findings){ 0 };
	(void)poll(NULL, 0, MOMENT_MS);
	look_once(look, spool, found);
	findings_keep(found, &before);
	findings_free(&before);
}

static void print_for_people(const struct look *look, const char *spool, size_t repaired)
{
	for (size_t i = 0; i < look->found->count; i++)
		findings_print(&look->found->item[i]);
	if (look->found->count == 0)
		(void)printf("%s: nothing is wrong", spool);
	else
		(void)printf("%s: findings: %zu", spool, look->found->count);
	(void)printf("; looked at %zu directories, %zu images", look->directories, look->images);
	if (repaired > 0)
		(void)printf("; repaired: %zu", repaired);
	(void)putchar('\n'); /* show_close() sees a failure to write */
}

static void print(const struct look *look, const char *spool, size_t repaired)
{
	if (!as_json) {
		print_for_people(look, spool, repaired);
		return;
	}
	show_json(json_pack("{s:s, s:I, s:I, s:I, s:o}", "spool", spool, "directories",
		(json_int_t)look->directories, "images", (json_int_t)look->images, "repaired",
		(json_int_t)repaired, "findings", findings_json(look->found)));
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process */
	static struct findings found;
	struct look look = { .found = &found };
	bool failed = false;
	size_t repaired = 0;

	log_open(argv[0]);
	look.conf = cli_options_anywhere(argc, argv, "ijr", option, usage);
	if (optind < argc) {
		log_error("there is nothing to name: the whole spool is looked at");
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	show_open();
	if (do_repair)
		operator_open_spool(&spool, look.conf);
	else
		operator_look(&spool, look.conf);
	if (do_repair)
		repaired = repair(&spool, look.conf, as_json, &failed);
	look.read_images = read_images;
	look_twice(&look, &spool, &found);
	failed |= look.failed;
	print(&look, spool.path, repaired);
	show_close();
	return failed ? EXIT_TEMPORARY : found.count > 0 ? EXIT_FINDINGS : 0;
}
