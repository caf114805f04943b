/*
 * remote: what the keys of one target say about how it is reached: its sender would refuse the
 * same, but only when the first job is there.
 */
#include "conf/impl.h"

#include <stdlib.h>
#include <string.h>

static bool is_type(const struct conf_target *target, const char *type)
{
	return target->type && strcmp(target->type, type) == 0;
}

static bool is_set(const struct conf_work *work, size_t nth, const char *key)
{
	return conf_find(work, CONF_TARGET, nth, key) != NULL;
}

static void check_dicom(struct conf_work *work, size_t nth)
{
	const char *host = conf_setting(&work->conf->target[nth], "host");

	if (host && strchr(host, ':'))
		CONF_REPORT(work, CONF_TARGET, nth, "host",
			"%s is an IPv6 address, and DCMTK 3.6.7, which sends, has no IPv6; give an "
			"IPv4 "
			"address or a name that has one",
			host);
}

static void check_dicomweb(struct conf_work *work, size_t nth)
{
	bool user = is_set(work, nth, "username"), password = is_set(work, nth, "password_file");

	if (user != password)
		CONF_REPORT(work, CONF_TARGET, nth, user ? "username" : "password_file",
			"basic authentication needs username and password_file; add the other");
}

/* USER:PASSWORD@HOST, with a scheme or without. */
static bool has_password(const char *destination)
{
	const char *scheme = strstr(destination, "://");
	const char *from = scheme ? scheme + 3 : destination;
	const char *at = memchr(from, '@', strcspn(from, "/")), *colon = strchr(from, ':');

	return at && colon && colon < at;
}

/* The value is not shown where it may hold a password. */
static void check_rsync(struct conf_work *work, size_t nth)
{
	static const char *const needed[] = { "key_file", "known_hosts" };
	const char *destination = conf_setting(&work->conf->target[nth], "destination");

	if (!destination || *destination == '/')
		return;
	if (has_password(destination)) {
		CONF_REPORT(work, CONF_TARGET, nth, "destination",
			"a password in it is not possible; use password_file, for a daemon, or "
			"key_file");
		return;
	}
	if (strncmp(destination, "rsync://", 8) == 0)
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!is_set(work, nth, needed[i]))
			CONF_REPORT(work, CONF_TARGET, nth, needed[i],
				"this key is missing; over ssh rsync needs key_file and "
				"known_hosts");
}

void conf_check_remote(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];

	if (is_type(target, "dicom"))
		check_dicom(work, nth);
	else if (is_type(target, "dicomweb"))
		check_dicomweb(work, nth);
	else if (is_type(target, "rsync"))
		check_rsync(work, nth);
}

void conf_warn_remote(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];

	if (target->rate_limit && (is_type(target, "folder") || is_type(target, "command")))
		CONF_REPORT(work, CONF_TARGET, nth, "rate_limit",
			"warning: it has no effect on targets of type %s; remove it", target->type);
}
