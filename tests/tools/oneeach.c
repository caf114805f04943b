/*
 * oneeach: a sender with a connection for each image, as gateways and ultrasounds work, AT_ONCE of
 * them at any time. It costs the machine under measurement little: no process is started for a
 * connection. Prints how many milliseconds it took; fails when an image is not acknowledged.
 */
#define _GNU_SOURCE
#include "scu.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

static int connect_to(long port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval limit = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		die(FAILED, "unable to connect to port %ld: %s", port, strerror(errno));
	return fd;
}

static bool send_one(const char *path, long port)
{
	struct image image = { .path = path };
	struct sender s = { .close_after = -1,
		.claimed_length = -1,
		.max_pdu = 16384,
		.image = &image,
		.images = 1 };
	bool stored;

	memcpy(s.calling, "ONEEACH         ", AE_LENGTH);
	memcpy(s.called, "DCMSPOOL        ", AE_LENGTH);
	if (part10_open(&image.file, path) < 0)
		die(USAGE, "unable to read %s: %s", path, strerror(errno));
	choose_contexts(&s);
	s.fd = connect_to(port);
	stored = associate(&s) && store(&s, &image, 1, false) == 0 &&
		 pdu_send(s.fd, "\5\0\0\0\0\4\0\0\0\0", 10) == 0 && receive(&s) == PDU_RELEASE_RP;
	(void)close(s.fd); /* a socket */
	part10_close(&image.file);
	buf_free(&s.body);
	return stored;
}

int main(int argc, char *argv[])
{
	struct timespec began, ended;
	long port, at_once;
	int status, result = OK;

	log_open(argv[0]);
	if (argc < 4 || parse_long(argv[1], 1, 65535, &port) < 0 ||
		parse_long(argv[2], 1, 1000, &at_once) < 0)
		die(USAGE, "usage: oneeach PORT AT_ONCE FILE...");
	(void)clock_gettime(CLOCK_MONOTONIC, &began); /* cannot fail */
	for (int k = 0; k < at_once; k++)
		if (fork() == 0) {
			if (!freopen("/dev/null", "w", stdout))
				_exit(FAILED);
			for (int i = 3 + k; i < argc; i += (int)at_once)
				if (!send_one(argv[i], port))
					_exit(FAILED);
			_exit(OK);
		}
	while (wait(&status) > 0)
		result |= status;
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("%ld\n", (long)(ended.tv_sec - began.tv_sec) * 1000 +
				(ended.tv_nsec - began.tv_nsec) / 1000000);
	return result ? FAILED : OK;
}
