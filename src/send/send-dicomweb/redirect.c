#include "redirect.h"

#include <string.h>
#include <strings.h>

/* Scheme, host and port: what stands before the path. */
static size_t origin(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

bool redirect_ok(int http, const char *url, const char *location)
{
	size_t length = origin(url);

	return (http == 307 || http == 308) && length > 0 && origin(location) == length &&
	       strncasecmp(url, location, length) == 0 && strcmp(url, location) != 0;
}
