#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/str.h"
#include "conf/table.h"
#include "conf/target.h"

/* An authority's file may have a hundred and more: those of the world, of which nobody waits for
 * one. */
enum { CERTIFICATES_MAX = 20, WHY_SIZE = 600, DAYS = 30 };
static const char soon[] = "2592000"; /* DAYS, in seconds */

static const char unusable[] = "who names it in the configuration cannot work; ";

/* What openssl(1) says of it: "notAfter=Nov 28 14:00:00 2026 GMT". */
static const char *end_of(const struct buf *said, char *out, size_t size)
{
	static const char word[] = "notAfter=";
	const char *at = said->data ? strstr(said->data, word) : NULL;

	(void)snprintf(out, size, "%.*s", at ? (int)strcspn(at + sizeof(word) - 1, "\n") : 0,
		at ? at + sizeof(word) - 1 : "");
	return out;
}

/* 0: it holds for so long; 1: it ends before, text says when; -1: openssl cannot tell. */
static int ends_within(const char *seconds, const char *pem, size_t length, char *end, size_t size)
{
	const char *const argv[] = { "openssl", "x509", "-noout", "-enddate", "-checkend", seconds,
		NULL };
	int in = memory_file("certificate", pem, length, false), status = -1;
	struct buf said = { 0 };

	if (in >= 0) {
		status = doctor_run(argv, in, &said);
		(void)close(in); /* memory */
	}
	end_of(&said, end, size);
	buf_free(&said);
	return status == 0 || (status == 1 && *end) ? status : -1;
}

/* Returns false when it cannot be told: the others could not either. */
static bool check_certificate(
	struct doctor *doctor, const char *path, const char *pem, size_t length, size_t *held)
{
	char end[64];
	int soon_over = ends_within(soon, pem, length, end, sizeof(end)), over = 0;

	if (soon_over == 1)
		over = ends_within("0", pem, length, end, sizeof(end));
	if (soon_over < 0 || over < 0) {
		doctor_unknown(doctor, path,
			doctor_has("openssl") ? "openssl cannot read its certificates"
					      : "openssl is not installed");
		return false;
	}
	if (over == 1)
		doctor_bad(doctor,
			"nobody who checks it connects; have a new one made, then put it in its "
			"place and say dcmspool reload",
			path, "its certificate ended on %s", end);
	else if (soon_over == 1)
		doctor_bad(doctor,
			"from then on nobody who checks it connects; have a new one made, then "
			"put it in its place and say dcmspool reload",
			path, "its certificate ends within %d days, on %s", DAYS, end);
	*held += over == 0 && soon_over == 0;
	return true;
}

static void check_certificates(struct doctor *doctor, const char *path)
{
	static const char begins[] = "-----BEGIN CERTIFICATE-----",
			  ends[] = "-----END CERTIFICATE-----";
	size_t held = 0, count = 0;
	struct buf text = { 0 };
	int result = doctor_read(path, &text);
	char *at = text.data, *end;

	while (result == 0 && count < CERTIFICATES_MAX && (at = strstr(at, begins)) &&
		(end = strstr(at, ends))) {
		end += sizeof(ends) - 1;
		count++;
		if (!check_certificate(doctor, path, at, (size_t)(end - at), &held))
			break;
		at = end;
	}
	if (result < 0)
		doctor_unknown(doctor, path, strerror(errno));
	else if (count > 0 && held == count)
		doctor_good(doctor, path, "its certificate%s for more than %d days",
			count == 1 ? " holds" : "s hold", DAYS);
	buf_free(&text);
}

static void check_file(struct doctor *doctor, const char *path, bool secret)
{
	char why[WHY_SIZE], text[WHY_SIZE + sizeof(unusable)], *remedy;

	if (target_file_is_wrong(path, secret, doctor->owner, why, sizeof(why))) {
		remedy = strstr(why, "; ");
		(void)snprintf(text, sizeof(text), "%s%s", unusable, remedy ? remedy + 2 : "");
		if (remedy)
			*remedy = '\0';
		doctor_bad(doctor, text, path, "%s", why);
		return;
	}
	if (secret)
		doctor_good(doctor, path, "only its owner may read it");
	else
		check_certificates(doctor, path);
}

static void check_receiver(struct doctor *doctor)
{
	const struct conf_receiver *receiver = &doctor->conf->receiver;
	const char *const path[] = { receiver->tls_key, receiver->tls_cert, receiver->tls_ca };

	for (size_t i = 0; i < sizeof(path) / sizeof(*path); i++)
		if (path[i] && *path[i])
			check_file(doctor, path[i], i == 0);
}

static void check_target(struct doctor *doctor, const struct conf_target *target)
{
	const struct conf_type *type = conf_type_find(target->type);

	for (size_t i = 0; i < type->key_count; i++) {
		const struct conf_key *key = &type->key[i];
		const char *path = conf_setting(target, key->name);

		if (path && *path && (key->kind == CONF_SECRET || key->kind == CONF_FILE))
			check_file(doctor, path, key->kind == CONF_SECRET);
	}
}

void check_keys(struct doctor *doctor)
{
	check_receiver(doctor);
	for (size_t i = 0; i < doctor->conf->target_count; i++)
		check_target(doctor, &doctor->conf->target[i]);
}
