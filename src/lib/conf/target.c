#include "conf/target.h"

#include "conf/table.h"

#include "base/run.h"
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool target_file_is_wrong(const char *path, bool secret, uid_t user, char *why, size_t size)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return false;
		(void)snprintf(why, size, "there is no file %s; make it", path);
	} else if (!S_ISREG(st.st_mode)) {
		(void)snprintf(why, size, "%s is no regular file; give the path of one", path);
	} else if (secret && st.st_uid != user) {
		(void)snprintf(why, size,
			"%s belongs to another user; chown it to the user that dcmspool runs as",
			path);
	} else if (secret && st.st_mode & 077) {
		(void)snprintf(why, size, "others may read %s; chmod 600 %s", path, path);
	} else {
		return false;
	}
	return true;
}

/* A site's own sender may mean something else by it. */
static long seconds(const struct conf_target *target, const char *key)
{
	const char *text = conf_setting(target, key);
	long s;

	return text && parse_long(text, 1, INT_MAX, &s) == 0 ? s : 0;
}

long target_silence_s(const struct conf_target *target)
{
	return seconds(target, "timeout") + seconds(target, "connect_timeout");
}

long target_jobs(const struct conf_target *target)
{
	const char *text = conf_setting(target, "connections");
	long connections = text ? strtol(text, NULL, 10) : 1; /* a number: conf_load() checked it */

	if (connections < 1 || connections > target->max_connections)
		connections = 1;
	return target->max_connections / connections;
}

/* Adds "name=value"; returns whether there was memory for it. */
static bool add(char **all, size_t *n, const char *name, const char *value)
{
	struct buf one = { 0 };

	buf_printf(&one, "%s=%s", name, value);
	if (one.failed) {
		buf_free(&one);
		return false;
	}
	all[(*n)++] = one.data;
	return true;
}

/* "TARGET_" and the setting's name in upper case. */
static void variable(const char *setting, char *out, size_t size)
{
	static const char prefix[] = "TARGET_";
	size_t n = sizeof(prefix) - 1;

	memcpy(out, prefix, n);
	for (; *setting && n < size - 1; setting++)
		out[n++] = (char)toupper((unsigned char)*setting);
	out[n] = '\0';
}

/* All jobs of a target together keep to its limit, however many there are at the moment. */
static bool add_rate_limit(char **all, size_t *n, const struct conf_target *target)
{
	struct buf text = { 0 };
	long share = target->rate_limit / target_jobs(target);
	bool added;

	if (target->rate_limit == 0)
		return true;
	buf_printf(&text, "%ld", share > 0 ? share : 1);
	added = !text.failed && add(all, n, "TARGET_RATE_LIMIT", text.data);
	buf_free(&text);
	return added;
}

char **target_environment(const struct conf_target *target, const char *job)
{
	const struct conf_strings *setting = &target->setting;
	char **all = calloc(setting->count / 2 + 4, sizeof(*all)), name[128];
	size_t n = 0;
	bool added = all != NULL;

	for (size_t i = 0; added && i + 1 < setting->count; i += 2) {
		variable(setting->item[i], name, sizeof(name));
		added = add(all, &n, name, setting->item[i + 1]);
	}
	added = added && add_rate_limit(all, &n, target) &&
		add(all, &n, "DCMSPOOL_TARGET", target->name) &&
		(!job || add(all, &n, "DCMSPOOL_JOB", job));
	if (added)
		return all;
	target_environment_free(all);
	return NULL;
}

void target_environment_free(char **environment)
{
	for (size_t i = 0; environment && environment[i]; i++)
		free(environment[i]);
	free(environment);
}

char *target_program(const struct conf_target *target)
{
	struct buf name = { 0 };
	char *path = NULL;

	buf_printf(&name, "send-%s", target->type);
	if (!name.failed)
		path = run_beside(name.data);
	buf_free(&name);
	return path;
}

bool target_takes_ahead(const struct conf_target *target)
{
	return conf_type_find(target->type)->takes_ahead;
}
