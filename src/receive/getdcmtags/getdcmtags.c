/*
 * getdcmtags: reads the tags of DICOM files: prints them, or files the images into the spool.
 * getdcmtags(1) specifies it.
 */
#include "cli/options.h"
#include "conf/conf.h"
#include "decide/names.h"
#include "base/disk.h"
#include "base/log.h"
#include "print.h"
#include "receive/filing.h"
#include "receive/follow.h"
#include "spool/assoc.h"
#include "spool/spool.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: getdcmtags [-p] [-c CONFIG] [-t TAG,...] FILE...         print tags as JSON\n"
	"       getdcmtags -k FILE...                                    is the data set whole?\n"
	"       getdcmtags [-n] [-c CONFIG] FILE ADDRESS SENDER-AET RECEIVER-AET   file one image\n"
	"       getdcmtags [-n] [-c CONFIG] -w receiving/ASSOCIATION     watch one association\n";

enum { OPERANDS_OF_FILING = 4 };

static bool print, check, configured;
static const char *watched;
static struct buf extra; /* what -t says, in one list */

static void option(int letter, const char *argument)
{
	if (letter == 'p')
		print = true;
	else if (letter == 'k')
		check = true;
	else if (letter == 'w')
		watched = argument;
	else if (letter == 'c')
		configured = true;
	else if (letter == 't')
		buf_printf(&extra, "%s%s", extra.length ? "," : "", argument);
}

/* Only a look at the options: cli_options() reads them again and speaks of mistakes. Returns
 * whether there is none and all are such that printing and checking know. */
static bool look_at_options(int argc, char *argv[])
{
	bool known = true;
	int letter;

	opterr = 0;
	while ((letter = getopt(argc, argv, "+:c:nhpkt:w:")) != -1) {
		option(letter, optarg);
		known &= letter != '?' && letter != ':' && letter != 'n' && letter != 'h';
	}
	return known;
}

static void want_extra(void)
{
	char why[NAMES_WHY];

	if (extra.failed)
		die(EXIT_TEMPORARY, "unable to read the option -t: no memory");
	if (extra.length && names_want_list(extra.data, why, sizeof(why)) < 0)
		die(EXIT_PERMANENT, "unable to read the tags of -t %s: %s", extra.data, why);
}

/* The greatest exit code of one call per file. */
static int each_file(int count, char *file[], int (*call)(const char *path))
{
	int worst = 0;

	for (int i = 0; i < count; i++) {
		int code = call(file[i]);

		worst = code > worst ? code : worst;
	}
	return worst;
}

/* mercure's command line. Nobody will say when the series ends: the marker is ".assoc.unknown". */
static int file_one(const struct conf *conf, char *operand[])
{
	struct filing filing = { .association = assoc_unknown };
	char *slash = strrchr(operand[0], '/'), label[64], stamp[SPOOL_STAMP_SIZE];
	const char *name = slash ? slash + 1 : operand[0];
	static struct spool spool; /* for the life of the process */
	enum filing_result result;
	int dir, there;

	if (slash)
		*slash = '\0';
	/* Opened before spool_open() changes the working directory; "/x" has its slash cut off. */
	dir = disk_open_dir(AT_FDCWD, !slash ? "." : *operand[0] ? operand[0] : "/");
	if (dir < 0)
		die(EXIT_TEMPORARY, "unable to open the directory of %s: %s", name,
			strerror(errno));
	there = disk_exists(dir, name);
	if (there != 1)
		die(there == 0 ? EXIT_PERMANENT : EXIT_TEMPORARY, "unable to file %s: %s", name,
			strerror(there == 0 ? ENOENT : errno));
	spool_open(&spool, conf->spool);
	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	(void)snprintf(label, sizeof(label), "%s.%ld", stamp, (long)getpid());
	filing.spool = &spool;
	filing.label = label;
	filing.sender = json_pack("{s:s, s:s?, s:s?, s:s?}", "association", assoc_unknown, "peer",
		operand[1], "calling_aet", operand[2], "called_aet", operand[3]);
	if (!filing.sender) /* not UTF-8: what is not known is better left out than guessed */
		filing.sender = json_object();
	result = filing_file(&filing, dir, name, false);
	json_decref(filing.sender);
	(void)close(dir); /* only used as a base */
	return result == FILING_FAILED ? EXIT_TEMPORARY : 0;
}

int main(int argc, char *argv[])
{
	static struct spool spool; /* for the life of the process */
	int (*each)(const char *path) = NULL;
	struct conf *conf = NULL;
	int operands, code = EXIT_PERMANENT;
	bool known;

	log_open(argv[0]);
	known = look_at_options(argc, argv);
	operands = argc - optind;
	if (operands > 0 && check && !print)
		each = check_whole;
	else if (operands > 0 && !watched &&
		 (print || extra.data || operands != OPERANDS_OF_FILING))
		each = print_tags;
	if (!each || !known || configured) { /* printing alone needs no configuration */
		optind = 1;
		buf_free(&extra);
		conf = cli_options_checked(argc, argv, "pkt:w:", option, usage, names_check);
	}
	want_extra();
	if (each) {
		code = each_file(operands, argv + optind, each);
	} else if (watched) {
		spool_open(&spool, conf->spool);
		code = follow_association(&spool, watched);
	} else if (operands == OPERANDS_OF_FILING) {
		code = file_one(conf, argv + optind);
	} else {
		(void)fputs(usage, stderr);
	}
	buf_free(&extra);
	conf_free(conf);
	return code;
}
