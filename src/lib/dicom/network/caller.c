#include "dicom/network/caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Address and port of either family; a local socket has neither. */
static void describe(
	const struct sockaddr_storage *address, struct in6_addr *out, bool *has, char port[6])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	unsigned int number = 0;

	*has = address->ss_family == AF_INET || address->ss_family == AF_INET6;
	memset(out, 0, sizeof(*out));
	if (address->ss_family == AF_INET6) {
		*out = v6->sin6_addr;
		number = ntohs(v6->sin6_port);
	} else if (address->ss_family == AF_INET) {
		out->s6_addr[10] = out->s6_addr[11] = 0xff;
		memcpy(out->s6_addr + 12, &v4->sin_addr, 4);
		number = ntohs(v4->sin_port);
	}
	(void)snprintf(port, 6, "%u", number & 0xffff); /* fits */
}

int caller_read(int fd, struct caller *caller)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof(address);
	struct in6_addr local;
	bool has;

	memset(caller, 0, sizeof(*caller));
	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -1;
	describe(&address, &local, &has, caller->local_port);
	memset(&address, 0, sizeof(address));
	length = sizeof(address);
	if (getpeername(fd, (struct sockaddr *)&address, &length) < 0)
		return -1;
	describe(&address, &caller->address, &caller->has_address, caller->peer_port);
	if (!caller->has_address)
		(void)snprintf(caller->peer, sizeof(caller->peer), "local");
	else if (IN6_IS_ADDR_V4MAPPED(&caller->address))
		(void)inet_ntop(
			AF_INET, caller->address.s6_addr + 12, caller->peer, sizeof(caller->peer));
	else
		(void)inet_ntop(AF_INET6, &caller->address, caller->peer, sizeof(caller->peer));
	return 0;
}
