/*
 * ssh: how the senders that go over OpenSSH call it: with the one private key of
 * TARGET_KEY_FILE, the host keys of TARGET_KNOWN_HOSTS and no others, asking nobody, and without
 * any configuration of the user's or the machine's. And what its complaints mean.
 */
#ifndef SENDER_SSH_H
#define SENDER_SSH_H

#include <stdbool.h>
#include <stddef.h>

enum { SENDER_SSH_OPTIONS = 16 };

struct sender_ssh {
	const char *key, *known_hosts;
	char *option[SENDER_SSH_OPTIONS]; /* arguments for ssh(1) and sftp(1) */
	size_t count;
};

/* Reads and checks the two settings, which are needed; dies with 100. port 0: ssh's own, 22. */
void sender_ssh_open(struct sender_ssh *ssh, long port, long timeout_s);
void sender_ssh_close(struct sender_ssh *ssh);

/* True for what can be the name of a host or of a user and no option, and means nothing to a shell.
 */
bool sender_ssh_host_ok(const char *host);
bool sender_ssh_user_ok(const char *user);

/* Says in words why a program that ssh serves has failed: the meaning of a known complaint with its
 * remedy, else the last two lines that it wrote. Returns out. */
const char *sender_ssh_reason(
	const struct sender_ssh *ssh, const char *written, char *out, size_t size);

#endif
