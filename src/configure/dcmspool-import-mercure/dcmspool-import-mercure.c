/*
 * dcmspool-import-mercure: from mercure's configuration to one of ours, on standard output; what
 * has no counterpart is told on standard error, one a line. dcmspool-import-mercure(8).
 *
 * The result is read back as dcmspool-conf -n would before it is printed: what is printed is right.
 */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/conf.h"
#include "decide/rules.h"
#include "import.h"
#include "base/log.h"

static const char usage[] = "usage: dcmspool-import-mercure [-h] FILE\n";

enum { LARGEST = 16 << 20 }; /* bytes; a real one has some thousand */

static struct buf read_all(FILE *in, const char *name)
{
	struct buf text = { 0 };
	char block[65536];
	size_t n;

	while ((n = fread(block, 1, sizeof(block), in)) > 0) {
		buf_add(&text, block, n);
		if (text.length > LARGEST)
			die(EXIT_PERMANENT, "unable to read %s: more than %d bytes", name,
				(int)LARGEST);
	}
	if (ferror(in))
		die(failure_code(errno), "unable to read %s: %s", name, strerror(errno));
	if (text.failed)
		need(NULL);
	return text;
}

/* What is wrong is not quoted: a password may stand there. */
static json_t *load(const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	FILE *in = standard ? stdin : fopen(path, "re");
	struct buf text;
	json_error_t error;
	json_t *root;

	if (!in)
		die(failure_code(errno), "unable to open %s: %s", name, strerror(errno));
	text = read_all(in, name);
	if (!standard)
		(void)fclose(in); /* only read */
	root = json_loadb(text.data ? text.data : "", text.length, 0, &error);
	buf_free(&text);
	if (!root)
		die(EXIT_PERMANENT, "unable to read %s: it is no JSON from line %d, column %d on",
			name, error.line, error.column);
	if (!json_is_object(root) || (!json_is_object(json_object_get(root, "targets")) &&
					     !json_is_object(json_object_get(root, "rules"))))
		die(EXIT_PERMANENT,
			"unable to read %s: no targets and no rules; give mercure's mercure.json",
			name);
	return root;
}

/* Reads it as every program will. */
static void check(const struct buf *out)
{
	int fd = memfd_create("dcmspool.conf", MFD_CLOEXEC);
	struct conf *conf;
	char path[64];

	if (fd < 0)
		die(EXIT_TEMPORARY, "unable to check the result: %s; try again", strerror(errno));
	for (size_t done = 0; done < out->length;) {
		ssize_t n = write(fd, out->data + done, out->length - done);

		if (n < 0)
			die(EXIT_TEMPORARY, "unable to check the result: %s; try again",
				strerror(errno));
		done += (size_t)n;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* fits */
	conf = conf_load(path, rules_check);
	if (!conf && errno != EINVAL)
		die(EXIT_TEMPORARY, "unable to check the result: %s; try again", strerror(errno));
	if (!conf)
		die(EXIT_BUG, "unable to convert the configuration: the result has the mistakes "
			      "above; report it");
	conf_free(conf);
	(void)close(fd); /* nothing to keep */
}

int main(int argc, char *argv[])
{
	struct import import = { 0 };
	int letter;

	log_open(argv[0]);
	opterr = 0;
	while ((letter = getopt(argc, argv, "+h")) != -1) {
		if (letter == '?')
			log_error("unknown option -%c", optopt);
		(void)fputs(usage, letter == 'h' ? stdout : stderr);
		return letter == 'h' ? 0 : EXIT_PERMANENT;
	}
	if (argc - optind != 1) {
		(void)fputs(usage, stderr);
		return EXIT_PERMANENT;
	}
	import.root = load(argv[optind]);
	import.file = strcmp(argv[optind], "-") == 0 ? "standard input" : argv[optind];
	buf_puts(
		&import.out, "# Made from mercure's configuration by dcmspool import-mercure.\n\n");
	import_globals(&import);
	import_targets(&import);
	import_rules(&import);
	if (import.out.failed)
		need(NULL);
	check(&import.out);
	if (fwrite(import.out.data, 1, import.out.length, stdout) != import.out.length ||
		fflush(stdout) == EOF)
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
	free(import.target);
	buf_free(&import.out);
	json_decref(import.root);
	return 0;
}
