/*
 * loopback: preloaded into the servers that tests start and that would listen on all addresses
 * (storescp, Orthanc): they listen on 127.0.0.1 only.
 */
#define _DEFAULT_SOURCE /* syscall */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_in to;

	if (address->sa_family == AF_INET && length >= sizeof(to)) {
		memcpy(&to, address, sizeof(to));
		if (to.sin_addr.s_addr == htonl(INADDR_ANY))
			to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return (int)syscall(SYS_bind, fd, &to, sizeof(to));
	}
	return (int)syscall(SYS_bind, fd, address, length);
}
