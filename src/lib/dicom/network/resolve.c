/*
 * A name is asked for in a thread of its own. One that does not come back in time is left behind:
 * it frees what it has when the C library lets it go, and ends with the process at the latest.
 * getaddrinfo_a(3) does the same, but its threads do not survive a fork(2) of ours.
 */
#define _GNU_SOURCE /* pthread_cond_clockwait, since glibc 2.30 */
#include "dicom/network/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over, left; /* left: by the one who waited, so that the thread frees it */
	char *host, *port;
	int error, number; /* what getaddrinfo(3) returned, and errno */
	struct addrinfo *all;
};

static void lookup_free(struct lookup *l)
{
	if (l->all)
		freeaddrinfo(l->all);
	free(l->host);
	free(l->port);
	free(l);
}

static void *look_up(void *data)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct lookup *l = data;
	struct addrinfo *all = NULL;
	int error = getaddrinfo(l->host, l->port, &hints, &all), number = errno;
	bool left;

	(void)pthread_mutex_lock(&l->lock); /* none of these fails on a plain mutex */
	l->all = error ? NULL : all;
	l->error = error;
	l->number = number;
	l->over = true;
	left = l->left;
	(void)pthread_cond_signal(&l->ended);
	(void)pthread_mutex_unlock(&l->lock);
	if (left)
		lookup_free(l);
	return NULL;
}

static struct lookup *lookup_new(const char *host, const char *port)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	l->ended = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	l->host = strdup(host);
	l->port = strdup(port);
	if (l->host && l->port)
		return l;
	lookup_free(l);
	return NULL;
}

/* Returns 0 or an errno. Signals are the caller's: a thread that was left behind would take what
 * the caller has blocked. */
static int begin(struct lookup *l)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	(void)sigfillset(&all); /* none of these fails but pthread_create() */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, NULL, look_up, l);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		(void)pthread_detach(thread);
	return error;
}

/* Waits for the thread. False when it is left behind, with all that it has. */
static bool wait_for(struct lookup *l, int64_t timeout_ms)
{
	struct timespec deadline;
	int late = 0;
	bool over;

	(void)clock_gettime(CLOCK_MONOTONIC, &deadline); /* cannot fail with this clock */
	deadline.tv_sec += timeout_ms / 1000;
	deadline.tv_nsec += timeout_ms % 1000 * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_lock(&l->lock);
	while (!l->over && !late)
		late = pthread_cond_clockwait(&l->ended, &l->lock, CLOCK_MONOTONIC, &deadline);
	over = l->over;
	l->left = !over;
	(void)pthread_mutex_unlock(&l->lock);
	return over;
}

const char *resolve(const char *host, const char *port, int64_t timeout_ms, struct addrinfo **all,
	char *why, size_t size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct lookup *l;
	int error = getaddrinfo(host, port, &hints, all), number = errno;

	if (error == EAI_NONAME) { /* a name, for which more of the C library is loaded */
		l = lookup_new(host, port);
		if (!l)
			return "out of memory";
		error = begin(l);
		if (error) {
			(void)snprintf(why, size, "unable to ask for the name of the host: %s",
				strerror(error));
			lookup_free(l);
			return why;
		}
		if (!wait_for(l, timeout_ms)) {
			(void)snprintf(why, size,
				"the name server does not answer in time (%lld s); "
				"give the host's address instead",
				(long long)(timeout_ms / 1000));
			return why;
		}
		*all = l->all;
		l->all = NULL;
		error = l->error;
		number = l->number;
		lookup_free(l);
	}
	if (!error)
		return NULL;
	(void)snprintf(why, size, "unknown host: %s",
		error == EAI_SYSTEM ? strerror(number) : gai_strerror(error));
	return why;
}
