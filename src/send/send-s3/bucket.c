#include "bucket.h"

#include "base/str.h"
#include "sender/sender.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_S = 60, MAX_TIMEOUT_S = 3600, REGION_MAX = 64 }; /* curl's MAX_SIGV4_LEN */

static const char alphanumeric[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static bool printable(const char *text)
{
	for (; *text; text++)
		if (*text <= 0x20 || *text > 0x7e)
			return false;
	return true;
}

static void check_url(const char *url)
{
	const char *host = strstr(url, "://");

	if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) || !host[3] ||
		!printable(url) || strpbrk(url, "?#@") || url[strlen(url) - 1] == '/')
		sender_never(
			"TARGET_URL is '%s'; it must be as https://s3.example.org/BUCKET", url);
}

static void check_region(const char *region)
{
	bool good = strlen(region) <= REGION_MAX;

	for (const char *c = region; *c; c++)
		good = good && (strchr(alphanumeric, *c) || *c == '-' || *c == '_');
	if (!good)
		sender_never("TARGET_REGION is '%s', which is no region", region);
}

/* The secret is shown to nobody, not even in part. */
static char *read_user(void)
{
	const char *file = sender_need("KEY_FILE");
	char *user = sender_secret("KEY_FILE"), *colon = strchr(user, ':');

	if (!colon || colon == user || !colon[1] || !printable(user))
		sender_never(
			"the first line of %s (TARGET_KEY_FILE) must be ACCESSKEY:SECRETKEY", file);
	return user;
}

void bucket_open(struct bucket *b)
{
	b->url = sender_need("URL");
	b->region = sender_setting("REGION", "us-east-1");
	b->ca_file = sender_setting("CA_FILE", NULL);
	b->timeout_s = sender_number("TIMEOUT", 1, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S);
	b->rate = sender_number("RATE_LIMIT", 1, LONG_MAX, 0);
	check_url(b->url);
	check_region(b->region);
	b->user = read_user();
}

void bucket_close(struct bucket *b)
{
	free(b->user);
}

static void add_encoded(struct buf *url, const char *text)
{
	for (; *text; text++) {
		if (strchr(alphanumeric, *text) || strchr("-._~/", *text))
			buf_add(url, text, 1);
		else
			buf_printf(url, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

char *bucket_object(const struct bucket *b, const char *directory, const char *name)
{
	struct buf url = { 0 };

	buf_printf(&url, "%s/", b->url);
	if (*directory) {
		add_encoded(&url, directory);
		buf_puts(&url, "/");
	}
	add_encoded(&url, name);
	if (url.failed)
		buf_free(&url);
	return url.data;
}
