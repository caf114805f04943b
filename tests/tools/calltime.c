/*
 * calltime: what one call of a program costs: runs it COUNT times, one after the other, its output
 * thrown away, and prints the microseconds of wall time and of CPU per call. Standard input is
 * handed on. Exits 100 when called wrongly, 111 when the program cannot be run or fails.
 *
 * Of `calltime COUNT -r FILE` the program is this one: it opens FILE, reads 4 KiB and exits, the
 * floor of what any reader costs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int read_floor(const char *path)
{
	char piece[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || read(fd, piece, sizeof(piece)) < 0;
}

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double children_us(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_CHILDREN, &r); /* cannot fail */
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static void run(char *argv[])
{
	posix_spawn_file_actions_t actions;
	int status = -1, rc;
	pid_t pid;

	rc = posix_spawn_file_actions_init(&actions);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (rc == 0 && waitpid(pid, &status, 0) < 0)
		rc = errno;
	if (rc != 0 || status != 0) {
		(void)fprintf(stderr, "calltime: fatal: unable to run %s: %s\n", argv[0],
			rc ? strerror(rc) : "it failed");
		exit(111);
	}
	(void)posix_spawn_file_actions_destroy(&actions); /* cannot fail */
}

int main(int argc, char *argv[])
{
	static char self[] = "/proc/self/exe", once[] = "0";
	char *floor[] = { self, once, argc > 3 ? argv[3] : NULL, NULL };
	double begin = now_us();
	long count;

	if (argc == 3 && strcmp(argv[1], once) == 0)
		return read_floor(argv[2]);
	count = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	if (count < 1 || count > 1000000) {
		(void)fputs("usage: calltime COUNT PROGRAM [ARGUMENT ...]\n"
			    "       calltime COUNT -r FILE\n",
			stderr);
		return 100;
	}
	for (long i = 0; i < count; i++)
		run(strcmp(argv[2], "-r") == 0 ? floor : argv + 2);
	(void)printf("%.1f %.1f\n", (now_us() - begin) / (double)count,
		children_us() /
			(double)count); /* a measurement: whoever reads it sees if it is cut */
	return 0;
}
