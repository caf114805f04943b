/*
 * redirect: a server that has moved its service tells where (RFC 9110 15.4): by 307 and 308 the
 * same request goes there; with the other statuses it would become another one. Images and
 * credentials go to the host that was configured and to no other.
 */
#ifndef REDIRECT_H
#define REDIRECT_H

#include <stdbool.h>

/* May the request to url be made anew at the location? */
bool redirect_ok(int http, const char *url, const char *location);

#endif
