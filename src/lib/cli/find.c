#define _GNU_SOURCE /* getcwd() that allocates */
#include "cli/find.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/run.h"
#include "base/str.h"

#define INSTALLED SYSCONFDIR "/dcmspool/dcmspool.conf"

static char *checked(char *text)
{
	if (!text)
		die(EXIT_TEMPORARY, "unable to look for the configuration: %s; try again",
			strerror(errno));
	return text;
}

/* Is there such a file? What cannot be told now must not lead to another configuration. */
static bool exists(const char *file)
{
	if (access(file, F_OK) == 0)
		return true;
	if (failure_code(errno) == EXIT_TEMPORARY && errno != EACCES)
		die(EXIT_TEMPORARY, "unable to look for %s: %s; try again", file, strerror(errno));
	return false;
}

static char *from_environment(void)
{
	const char *file = getenv("DCMSPOOL_CONF");

	if (!file || !*file)
		return NULL;
	if (!exists(file))
		die(failure_code(errno),
			"unable to find %s, which DCMSPOOL_CONF names: %s; "
			"correct it, or name another with -c FILE",
			file, strerror(errno));
	return checked(strdup(file));
}

/* A configuration names programs to be run. In a directory where anybody may write, anybody could
 * have put one. */
static void trust(const char *file, const struct stat *st)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		die(EXIT_PERMANENT,
			"unable to use %s: it belongs to another user; "
			"be that user, or name a configuration with -c FILE",
			file);
}

/* Of the spool that the working directory is or lies in. */
static char *running(void)
{
	char *directory = getcwd(NULL, 0), *slash, *found = NULL;
	struct stat st;

	if (!directory && errno == ENOMEM)
		(void)checked(NULL);
	/* "(unreachable)/..." is none, getcwd(3) */
	while (directory && *directory == '/' && !found) {
		struct buf file = { 0 };

		slash = strrchr(directory, '/');
		buf_printf(&file, "%s/.service/dcmspool.conf", slash[1] ? directory : "");
		if (exists(checked(file.data)) && lstat(file.data, &st) == 0 &&
			S_ISREG(st.st_mode)) {
			trust(file.data, &st);
			found = file.data;
		} else {
			buf_free(&file);
		}
		*slash = '\0';
	}
	free(directory);
	return found;
}

/* A clone's programs lie in bin/, beside spool-layout/. */
static char *of_clone(void)
{
	char *mark = checked(run_beside("../spool-layout/directories"));
	char *beside = checked(run_beside("../etc/dcmspool.conf")), *file = NULL;

	if (exists(mark) && exists(beside))
		file = checked(realpath(beside, NULL));
	free(mark);
	free(beside);
	return file;
}

static char *installed(void)
{
	if (!exists(INSTALLED) && errno != EACCES)
		die(EXIT_PERMANENT,
			"unable to find a configuration: there is no %s; "
			"name one with -c FILE, or with DCMSPOOL_CONF in the environment",
			INSTALLED);
	return checked(strdup(INSTALLED));
}

char *find_conf(const char *named)
{
	char *file = named ? checked(strdup(named)) : from_environment();

	if (!file)
		file = running();
	if (!file)
		file = of_clone();
	return file ? file : installed();
}
