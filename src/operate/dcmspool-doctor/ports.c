#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LISTENS = 10 /* TCP_LISTEN of the kernel */, VALUE_SIZE = 32, LOW = 1024 };

/* "  1: 0100007F:2B67 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 ..." */
static bool find_listener(const char *table, long port, uid_t *user)
{
	FILE *file = fopen(table, "r");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (file && !found && getline(&line, &size, file) >= 0) {
		unsigned its_port, state, uid;

		found = sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %u", &its_port,
				&state, &uid) == 3 &&
			(long)its_port == port && state == LISTENS;
		if (found)
			*user = uid;
	}
	free(line);
	if (file)
		(void)fclose(file); /* only read */
	return found;
}

/* Below which number only root, or systemd, opens one. */
static long first_free_port(void)
{
	long port = doctor_number("/proc/sys/net/ipv4/ip_unprivileged_port_start");

	return port < 0 ? LOW : port;
}

static void check_port(struct doctor *doctor, long port)
{
	char place[VALUE_SIZE];
	uid_t user = 0;
	bool taken = find_listener("/proc/net/tcp", port, &user) ||
		     find_listener("/proc/net/tcp6", port, &user);

	(void)snprintf(place, sizeof(place), "port %ld", port);
	/* What systemd has opened for us is root's. */
	if (taken && doctor->running && (user == doctor->owner || user == 0))
		doctor_good(doctor, place, "is listened at");
	else if (taken && user != doctor->owner && user != 0)
		doctor_bad(doctor,
			"the router cannot start, or modalities reach somebody else; end that "
			"one, or have another receiver.port",
			place, "a process of %s listens there", doctor_user(user));
	else if (taken)
		doctor_bad(doctor,
			"no router runs on this spool, so it is not ours: the router cannot "
			"start unless it is systemd's dcmspool.socket; find it with: ss -ltnp",
			place, "is taken, by a process of %s", doctor_user(user));
	else if (doctor->running)
		doctor_bad(doctor,
			"modalities are told that nobody is there; see the log of the receiver, "
			"and: ss -ltnp",
			place, "nobody listens there, though the router runs");
	else if (port < first_free_port() && doctor->owner != 0)
		doctor_bad(doctor,
			"only systemd can open it for the router; use the units "
			"(dcmspool-service(7)), or a port from 1024 on",
			place, "is below %ld, and no router holds it", first_free_port());
	else
		doctor_good(doctor, place, "is free");
}

void check_ports(struct doctor *doctor)
{
	const struct conf_receiver *receiver = &doctor->conf->receiver;

	if (access("/proc/net/tcp", R_OK) < 0) {
		doctor_unknown(doctor, "/proc/net/tcp", strerror(errno));
		return;
	}
	for (size_t i = 0; i < receiver->port_count; i++)
		check_port(doctor, receiver->port[i]);
	if (receiver->tls_port)
		check_port(doctor, receiver->tls_port);
}
