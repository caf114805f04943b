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

/* The file that a copy was made from, as its first line says; NULL: it is no copy. */
static char *original_of(const char *file)
{
	static const char says[] = "# copy of ";
	char *line = NULL, *found = NULL;
	size_t size = 0;
	FILE *in = fopen(file, "re");

	if (in && getline(&line, &size, in) > 0 && strncmp(line, says, sizeof(says) - 1) == 0) {
		line[strcspn(line, "\n")] = '\0';
		found = checked(strdup(line + sizeof(says) - 1));
	}
	if (in)
		(void)fclose(in); /* only read */
	free(line);
	return found;
}

static char *copy_of(const char *spool)
{
	struct buf path = { 0 };

	buf_printf(&path, "%s/.service/dcmspool.conf", spool);
	return checked(path.data);
}

void running_look(const char *file, struct running *out)
{
	char *copy, *original = original_of(file);
	struct stat st;

	*out = (struct running){ .file = original ? original : checked(strdup(file)) };
	errno = 0;
	out->conf = conf_load(out->file, NULL);
	out->why = out->conf ? 0 : errno;
	if (out->conf) {
		free(out->file);
		out->file = checked(strdup(out->conf->file)); /* absolute */
	}
	out->spool = out->conf ? checked(strdup(out->conf->spool)) : spool_of(file);
	copy = copy_of(out->spool);
	if (lstat(copy, &st) == 0 && S_ISREG(st.st_mode))
		out->copy = conf_load(copy, NULL);
	out->differ = out->copy && out->conf && !same(out->copy, out->conf);
	free(copy);
}

void running_free(struct running *running)
{
	conf_free(running->conf);
	conf_free(running->copy);
	free(running->file);
	free(running->spool);
	*running = (struct running){ 0 };
}

struct conf *running_conf(const char *file, struct conf *conf)
{
	char *spool = conf ? checked(strdup(conf->spool)) : spool_of(file);
	char *copy = copy_of(spool);
	struct conf *runs = NULL;
	struct stat st;

	if (!running_on(spool))
		goto out;
	if (lstat(copy, &st) < 0 || !S_ISREG(st.st_mode) ||
		(st.st_uid != geteuid() && st.st_uid != 0))
		goto out; /* the spool is somebody else's, who acts is told so */
	runs = conf_load(copy, NULL);
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
	free(copy);
	errno = EINVAL;
	return runs ? runs : conf;
}
