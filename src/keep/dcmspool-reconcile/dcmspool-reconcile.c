/*
 * dcmspool-reconcile: has everything that came in a day become something? dcmspool-reconcile(8).
 *
 *   the journal: what came, and what came to rest   the tree: what waits, and what rests
 *
 * It looks while everything runs, so a difference counts only when a second look has it, too.
 */
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "balance.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/show.h"
#include "cli/when.h"
#include "lines.h"
#include "tree.h"
#include "which.h"

enum { MOMENT_MS = 1000, EXIT_DIFFERENCE = 1 };

static const char usage[] =
	"usage: dcmspool-reconcile [-ijn] [--images] [--json] [-c FILE] [-d|--day DAY]\n"
	"                          [-s|--sender AET] [-T|--target TARGET]\n";
static bool as_json, name_images, all_told;
static const char *day = "today";
static struct balance_of of;

static void option(int letter, const char *argument)
{
	as_json |= letter == 'j';
	name_images |= letter == 'i';
	if (letter == 'd')
		day = argument;
	if (letter == 's')
		of.sender = argument;
	if (letter == 'T')
		of.target = argument;
}

/* The balance of now; the caller decrefs. */
static json_t *look(struct account *account, const struct spool *spool, time_t from, time_t until)
{
	account_open(account, spool, (int64_t)from * 1000000, (int64_t)until * 1000000);
	all_told = tree_tell(spool);
	tree_read(account);
	lines_read(account);
	return balance(account, &of);
}

static json_t *look_twice(
	struct account *account, const struct spool *spool, time_t from, time_t until)
{
	json_t *now = look(account, spool, from, until), *before;

	if (json_array_size(json_object_get(now, "differences")) == 0)
		return now;
	before = now;
	account_free(account);
	(void)poll(NULL, 0, MOMENT_MS);
	now = look(account, spool, from, until);
	balance_keep(now, before);
	json_decref(before);
	return now;
}

static void print_difference(const json_t *one)
{
	const char *target = jsonfile_text(one, "target");
	struct buf line = { 0 };
	json_t *image;
	size_t i;

	if (json_object_get(one, "association"))
		buf_printf(&line, "association %s: ", jsonfile_text(one, "association"));
	else
		buf_printf(&line, "job %s%s%s: ", jsonfile_text(one, "job"),
			*target ? ", target " : "", target);
	show_add(&line, jsonfile_text(one, "what"));
	show_whole(&line, 0);
	json_array_foreach (json_object_get(one, "images"), i, image) {
		show_add(&line, json_string_value(image));
		show_whole(&line, 4);
	}
}

static void print_for_people(const json_t *balance, const struct spool *spool)
{
	json_t *differences = json_object_get(balance, "differences"), *one;
	size_t i;

	json_array_foreach (differences, i, one)
		print_difference(one);
#define N(key) (long long)account_get(balance, key)
	if (json_array_size(differences) > 0)
		(void)printf("what the journal knows of one: grep NAME %s/journal/*.jsonl; "
			     "what is wrong in the tree: dcmspool fsck\n",
			spool->path);
	(void)printf("%s: %s: %lld images received in %lld associations (%lld open), "
		     "%lld duplicates, %lld quarantined; %lld jobs: images sent %lld, failed %lld, "
		     "discarded %lld, waiting %lld\n",
		day, json_array_size(differences) > 0 ? "NOT balanced" : "balanced", N("received"),
		N("associations"), N("open"), N("duplicates"), N("quarantined"), N("jobs"),
		N("sent"), N("failed"), N("discarded"), N("waits"));
	if (N("skipped") > 0)
		log_warning(
			"lines of the journal that are no JSON were skipped: %lld", N("skipped"));
#undef N
}

static void print(json_t *balance, const struct spool *spool, time_t from, time_t until)
{
	char begins[SPOOL_RFC3339_SIZE], ends[SPOOL_RFC3339_SIZE];

	spool_rfc3339((int64_t)from * 1000000, begins, sizeof(begins));
	spool_rfc3339((int64_t)until * 1000000, ends, sizeof(ends));
	(void)json_object_set_new(balance, "from", json_string(begins));
	(void)json_object_set_new(balance, "until", json_string(ends));
	if (as_json)
		show_json(json_incref(balance));
	else
		print_for_people(balance, spool);
	show_close();
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process */
	const struct conf *conf;
	struct account account;
	time_t from, until;
	json_t *found, *one;
	size_t differences, i;

	log_open(argv[0]);
	conf = cli_options_as(CLI_ANYWHERE, argc, argv, "ijd:s:T:", option, usage);
	if (optind < argc) {
		log_error("there is nothing to name; a day is asked for by --day");
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	if (when_day(day, time(NULL), &from, &until) < 0)
		die(EXIT_PERMANENT, "%s is no day; write %s", day, WHEN_DAYS);
	show_open();
	operator_open_spool(&spool, conf);
	found = look_twice(&account, &spool, from, until);
	differences = json_array_size(json_object_get(found, "differences"));
	json_array_foreach (json_object_get(found, "differences"), i, one)
		if (name_images && json_object_get(one, "job"))
			which_images(&account, one);
	print(found, &spool, from, until);
	json_decref(found);
	account_free(&account);
	return differences > 0 ? EXIT_DIFFERENCE : all_told ? 0 : EXIT_TEMPORARY;
}
