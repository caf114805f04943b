/*
 * dcmspool-conf: prints the configuration's values for scripts, or all of it, defaults included.
 *
 *   dcmspool-conf KEY...   the values of each KEY, one a line: "spool", "receiver.port",
 *                          "targets", "target.NAME.type", ...
 *   dcmspool-conf          everything, in the configuration's own syntax: it can be read back
 *   dcmspool-conf -k       which keys there are, with type, range and default
 *   dcmspool-conf -r ...   the same of what runs, where a router does
 *
 * What can be asked for is what the tables of conf_schema hold; nothing is known twice.
 */
#define _GNU_SOURCE /* optind */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "conf/table.h"
#include "decide/rules.h"
#include "keys.h"
#include "base/log.h"
#include "base/str.h"

static const char usage[] = "dcmspool-conf [-hknr] [-c FILE] [KEY ...]";

/* Frees what it writes. */
static void print(struct buf *out)
{
	if (out->failed)
		die(EXIT_TEMPORARY, "unable to print the configuration: out of memory; try again");
	if (fwrite(out->data ? out->data : "", 1, out->length, stdout) != out->length ||
		fflush(stdout) == EOF)
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
	buf_free(out);
}

/* -k needs no configuration; -r is looked for before. */
static void option(int letter, const char *argument)
{
	struct buf out = { 0 };

	(void)argument; /* none has one */
	if (letter == 'r')
		return;
	keys_print(&out);
	print(&out);
	exit(0);
}

/* Only a look at the options: cli_options() reads them again and speaks of mistakes. */
static bool looked_for(int argc, char *argv[], int wanted)
{
	static const struct option words[] = { { "config", required_argument, NULL, 'c' }, { 0 } };
	bool found = false;
	int letter;

	opterr = 0;
	optind = 1;
	while ((letter = getopt_long(argc, argv, "+:c:hknr", words, NULL)) != -1)
		found |= letter == wanted;
	return found;
}

/* An operand of -n is a file whose -c was forgotten: another file is not called right instead. */
static bool checking(int argc, char *argv[])
{
	bool found = looked_for(argc, argv, 'n');

	if (found && optind < argc)
		die(EXIT_PERMANENT,
			"unable to check %s: it is no option; name the file with -c; usage: "
			"dcmspool-conf -n [-c FILE]",
			argv[optind]);
	return found;
}

int main(int argc, char *argv[])
{
	struct conf *conf;
	struct buf out = { 0 };
	bool acts, checks;

	log_open(argv[0]);
	acts = looked_for(argc, argv, 'r');
	checks = checking(argc, argv);
	optind = 1;
	if (acts)
		conf = cli_options_as(CLI_ACTING, argc, argv, "kr", option, usage);
	else
		conf = cli_options_checked(argc, argv, "kr", option, usage,
			checks ? rules_check_and_warn : rules_check);
	if (optind == argc)
		conf_print_all(&out, conf);
	for (int i = optind; i < argc; i++)
		if (!conf_print_key(&out, conf, argv[i]))
			die(EXIT_PERMANENT,
				"unable to print %s: the configuration has no such key; without "
				"KEY, "
				"dcmspool-conf prints all",
				argv[i]);
	print(&out);
	conf_free(conf);
	return 0;
}
