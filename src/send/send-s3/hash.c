#define _GNU_SOURCE /* pipe2 */
#include "hash.h"

#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "HASH  NAME" or "HASH *NAME" */
static void take_line(char *line, hash_fn *take, void *context)
{
	static const char digits[] = "0123456789abcdef";
	const size_t length = HASH_SIZE - 1;

	line[strcspn(line, "\n")] = '\0';
	if (strspn(line, digits) != length || line[length] != ' ' || !line[length + 1])
		return;
	line[length] = '\0';
	take(context, line + length + 2, line);
}

static pid_t start(const char *const *file, size_t count, int out)
{
	static const char *const environment[] = { "LC_ALL=C", NULL };
	const char **argv = calloc(count + 3, sizeof(*argv));
	struct run run = RUN_DEFAULT;
	pid_t pid;

	if (!argv)
		return -1;
	argv[0] = "sha256sum";
	argv[1] = "--";
	for (size_t i = 0; i < count; i++)
		argv[i + 2] = file[i];
	run.argv = argv;
	run.environment = environment;
	run.out = out;
	pid = run_start(&run);
	free(argv);
	return pid;
}

int hash_files(const char *const *file, size_t count, hash_fn *take, void *context)
{
	char line[512]; /* a name has at most 200 bytes */
	FILE *lines = NULL;
	int out[2], saved;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -1;
	pid = start(file, count, out[1]);
	saved = errno;
	(void)close(out[1]); /* sha256sum's, now */
	errno = saved;
	if (pid > 0)
		lines = fdopen(out[0], "r");
	saved = errno;
	while (lines && fgets(line, sizeof(line), lines))
		take_line(line, take, context);
	if (lines)
		(void)fclose(lines); /* only read */
	else
		(void)close(out[0]);
	if (pid > 0)
		(void)run_wait(pid); /* each file has its line, or has not */
	errno = saved;
	return lines ? 0 : -1;
}
