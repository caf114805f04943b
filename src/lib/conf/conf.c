/*
 * conf: finds the files, has them read, scanned, parsed by libconfuse, filled in and checked.
 *
 * All files go into one cfg_t: dcmspool.conf first, then conf.d/<name>.conf in the order of the
 * names. Sections without a name are CFGF_MULTI there, so that a later one adds to an earlier one
 * instead of replacing it (libconfuse 3.3, cfg_setopt()); conf_fill lets the last statement of a
 * key win.
 */
#define _GNU_SOURCE
#include "conf/work.h"

#include <confuse.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The directory part of path with its '/', or "" when there is none. */
static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

static int only_conf(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort(): that depends on the locale */
}

static void read_directory(struct conf_work *work, const char *file)
{
	struct dirent **entry = NULL;
	struct buf directory = { 0 }, name = { 0 };
	int count;

	buf_add(&directory, file, directory_length(file));
	buf_puts(&directory, "conf.d");
	if (directory.failed) {
		work->no_memory = true;
		goto out;
	}
	count = scandir(directory.data, &entry, only_conf, by_name);
	if (count < 0) {
		if (errno != ENOENT)
			conf_unreadable(
				work, 0, "read conf.d beside it", "remove it, or let it be read");
		goto out;
	}
	for (int i = 0; i < count; i++) {
		buf_free(&name);
		buf_printf(&name, "%s/%s", directory.data, entry[i]->d_name);
		if (name.failed)
			work->no_memory = true;
		else
			conf_read(work, name.data);
		free(entry[i]);
	}
	free(entry);
out:
	buf_free(&directory);
	buf_free(&name);
}

static void locate(struct conf_work *work, const char *file)
{
	size_t length = directory_length(file);
	struct buf path = { 0 };

	buf_add(&path, file, length);
	if (!length)
		buf_puts(&path, ".");
	if (path.failed) {
		work->no_memory = true;
		return;
	}
	work->directory = realpath(path.data, NULL);
	if (!work->directory) {
		conf_unreadable(work, 0, "find its directory", "check the path");
		work->syntax = true;
		goto out;
	}
	buf_free(&path);
	buf_printf(&path, "%s/%s", strcmp(work->directory, "/") == 0 ? "" : work->directory,
		file + length);
	if (path.failed)
		work->no_memory = true;
	else
		work->conf->file = conf_copy(work, path.data, path.length);
out:
	buf_free(&path);
}

/* libconfuse hands no context to its error function. Set while it parses. */
static _Thread_local struct parsing {
	struct conf_work *work;
	size_t source;
} parsing;

static void confuse_error(cfg_t *cfg, const char *format, va_list args)
{
	char message[512];

	(void)vsnprintf(message, sizeof(message), format, args); /* a longer one is cut */
	conf_report(parsing.work, (struct conf_place){ parsing.source, cfg->line }, cfg->name,
		"%s; %s", message, "see dcmspool.conf(5)");
}

/* Room for all that one section may have: every key, at the top the sections, and the end. */
static size_t options_room(void)
{
	size_t keys = 0;

	while (conf_key_at(keys))
		keys++;
	return keys + CONF_SECTIONS + 1;
}

/* The table as libconfuse wants it, room options for each section. The texts of all values are
 * kept: value reads them. */
static void declare(cfg_opt_t *options, size_t room)
{
	size_t count[CONF_SECTIONS] = { 0 };
	const struct conf_key *k;

	for (size_t i = 0; (k = conf_key_at(i)); i++) {
		cfg_opt_t value = CFG_STR(k->name, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(k->name, NULL, CFGF_NODEFAULT);

		/* two types of target may have a key of the same name */
		if (conf_key_find(k->section, k->name, NULL) == k)
			options[k->section * room + count[k->section]++] =
				conf_kind_list(k->kind) ? list : value;
	}
	for (enum conf_section s = CONF_TOP + 1; s < CONF_SECTIONS; s++) {
		cfg_opt_t section = CFG_SEC(conf_section_names[s], &options[s * room],
			CFGF_MULTI | (conf_section_titled(s) ? CFGF_TITLE : CFGF_NONE));

		options[CONF_TOP * room + count[CONF_TOP]++] = section;
	}
	for (enum conf_section s = CONF_TOP; s < CONF_SECTIONS; s++)
		options[s * room + count[s]] = (cfg_opt_t)CFG_END();
}

/* NULL without memory. */
static cfg_t *make_parser(void)
{
	size_t room = options_room();
	cfg_opt_t *options = calloc(CONF_SECTIONS * room, sizeof(*options));
	cfg_t *cfg = NULL;

	if (options) {
		declare(options, room);
		cfg = cfg_init(&options[CONF_TOP * room], CFGF_NONE); /* copies the options */
	}
	free(options);
	if (cfg)
		(void)cfg_set_error_function(cfg, confuse_error); /* there was none before */
	return cfg;
}

/* Returns NULL after having reported. */
static cfg_t *parse(struct conf_work *work)
{
	FILE *file;
	cfg_t *cfg = make_parser();
	int rc = CFG_SUCCESS;

	if (!cfg) {
		work->no_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < work->source_count && rc == CFG_SUCCESS; i++) {
		if (!work->source[i].length)
			continue; /* fmemopen() refuses an empty buffer */
		file = fmemopen(work->source[i].text, work->source[i].length, "r");
		if (!file) {
			work->no_memory = true;
			break;
		}
		parsing.work = work;
		parsing.source = i;
		rc = cfg_parse_fp(cfg, file);
		parsing.work = NULL;
		(void)fclose(file); /* only read from */
	}
	if (rc == CFG_SUCCESS && !work->no_memory)
		return cfg;
	if (!work->mistake_count)
		work->no_memory = true; /* the one failure that libconfuse does not tell about */
	(void)cfg_free(cfg);            /* fails for NULL only */
	return NULL;
}

/* What conf_load() leaves in errno; 0: the configuration is right. */
static int verdict(const struct conf_work *work)
{
	if (work->failure || work->no_memory)
		return work->no_memory ? ENOMEM : work->failure;
	return work->mistake_count ? EINVAL : 0;
}

struct conf *conf_load(const char *file, conf_check_fn *further)
{
	struct conf_work work = { 0 };
	struct conf *conf = calloc(1, sizeof(*conf));
	cfg_t *cfg = NULL;
	int error;

	work.conf = conf;
	work.no_memory = !conf;
	if (conf)
		conf_read(&work, file);
	if (work.no_memory)
		goto out;
	if (!work.syntax)
		locate(&work, file);
	if (!work.syntax && !work.no_memory)
		read_directory(&work, file);
	for (size_t i = 0; i < work.source_count && !work.no_memory; i++) {
		conf_tokenize(&work, i);
		conf_scan(&work, i);
	}
	if (work.syntax || work.no_memory)
		goto out;
	cfg = parse(&work);
	if (!cfg)
		goto out;
	conf_fill(&work, cfg);
	if (!work.no_memory)
		conf_check(&work);
	if (!work.no_memory && further)
		further(&work);
	(void)cfg_free(cfg); /* fails for NULL only */
out:
	conf_work_print(&work);
	error = verdict(&work);
	if (error) {
		conf_free(conf);
		conf = NULL;
	}
	conf_work_free(&work);
	errno = error;
	return conf;
}

/* Of sections with a name; the others have one structure each. */
static void free_section(struct conf *conf, enum conf_section section, size_t nth)
{
	const struct conf_key *k;

	for (size_t i = 0; (k = conf_key_at(i)); i++)
		if (k->section == section && (!conf_key_type(k) || k->count_offset))
			conf_value_free(k, conf_base(conf, section, nth));
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	if (conf->release)
		conf->release(conf);
	for (enum conf_section s = CONF_TOP; s < CONF_SENDER; s++)
		free_section(conf, s, 0);
	for (enum conf_section s = CONF_SENDER; conf->rule && s < CONF_SECTIONS; s++)
		for (size_t i = 0; i < conf_section_count(conf, s); i++) {
			free_section(conf, s, i);
			free(*conf_section_name(conf, s, i));
		}
	free(conf->sender);
	free(conf->target);
	free(conf->rule);
	free(conf->file);
	free(conf);
}

const struct conf_target *conf_target(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->target_count; i++)
		if (conf->target[i].name && strcmp(conf->target[i].name, name) == 0)
			return &conf->target[i];
	return NULL;
}

const char *conf_setting(const struct conf_target *target, const char *name)
{
	for (size_t i = 0; i + 1 < target->setting.count; i += 2)
		if (strcmp(target->setting.item[i], name) == 0)
			return target->setting.item[i + 1];
	return NULL;
}
