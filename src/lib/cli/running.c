#define _GNU_SOURCE /* fopen "e" */
#include "cli/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "conf/table.h"

static char *checked(char *text)
{
	if (!text)
		die(EXIT_TEMPORARY, "unable to look for the configuration: %s; try again",
			strerror(errno));
	return text;
}

/* Does s6-svscan run there? Only then somebody reads its control fifo. */
bool running_on(const char *spool)
{
	struct buf path = { 0 };
	int fd;

	buf_printf(&path, "%s/.service/.s6-svscan/control", spool);
	fd = open(checked(path.data), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	buf_free(&path);
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return fd >= 0;
}

/* The value of the last line "spool = ..." of a file that cannot be understood as a whole; a
 * relative path begins where the file is. */
static char *spool_of(const char *file)
{
	char *line = NULL, *directory = NULL, *slash;
	struct buf spool = { 0 };
	FILE *in = fopen(file, "re");
	char value[4096];
	size_t size = 0;

	while (in && getline(&line, &size, in) >= 0) {
		if (sscanf(line, " spool = \"%4095[^\"]\"", value) != 1 &&
			sscanf(line, " spool = %4095[^ \t\r\n\"#;]", value) != 1)
			continue;
		buf_free(&spool);
		if (*value != '/' && !directory && (directory = realpath(file, NULL)) &&
			(slash = strrchr(directory, '/')))
			*slash = '\0';
		buf_printf(&spool, "%s%s%s",
			*value == '/' ? ""
			: directory   ? directory
				      : ".",
			*value == '/' ? "" : "/", value);
	}
	if (in)
		(void)fclose(in); /* only read */
	free(line);
	free(directory);
	return spool.data ? spool.data
			  : checked(strdup(conf_key_find(CONF_TOP, "spool", NULL)->initial));
}

static bool same(struct conf *a, struct conf *b)
{
	struct buf text[2] = { 0 };
	bool result;

	conf_print_all(&text[0], a);
	conf_print_all(&text[1], b);
	result = strcmp(checked(text[0].data), checked(text[1].data)) == 0;
	buf_free(&text[0]);
	buf_free(&text[1]);
	return result;
}

struct conf *running_conf(const char *file, struct conf *conf)
{
	char *spool = conf ? checked(strdup(conf->spool)) : spool_of(file);
	struct buf copy = { 0 };
	struct conf *runs = NULL;
	struct stat st;

	if (!running_on(spool))
		goto out;
	buf_printf(&copy, "%s/.service/dcmspool.conf", spool);
	if (lstat(checked(copy.data), &st) < 0 || !S_ISREG(st.st_mode) ||
		(st.st_uid != geteuid() && st.st_uid != 0))
		goto out; /* the spool is somebody else's, who acts is told so */
	runs = conf_load(copy.data, NULL);
	if (runs && conf && same(runs, conf)) {
		conf_free(runs);
		runs = NULL;
	} else if (runs) {
		if (conf)
			log_warning("%s differs from what runs on %s, which is used; "
				    "dcmspool reload takes it",
				file, spool);
		else
			log_warning("%s has mistakes, see above; it is not what runs on %s, "
				    "which is used; correct it",
				file, spool);
		conf_free(conf);
	}
out:
	free(spool);
	buf_free(&copy);
	errno = EINVAL;
	return runs ? runs : conf;
}
