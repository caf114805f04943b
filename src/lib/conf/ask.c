#include "conf/ask.h"

#include "base/memory.h"
#include "base/run.h"
#include "base/str.h"
#include "conf/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

pid_t ask_start(const struct conf_target *target, const char *question, bool quiet, int *out)
{
	char **environment = target_environment(target, NULL);
	char *path = target_program(target);
	const char *argv[] = { path, question, NULL };
	struct run run = RUN_DEFAULT;
	pid_t pid = -1;
	int saved;

	*out = memory_file("answer", NULL, 0, false);
	run.argv = argv;
	run.environment = (const char *const *)environment;
	run.out = *out;
	run.error = quiet ? *out : run.error;
	if (environment && path && *out >= 0)
		pid = run_start(&run);
	saved = errno;
	free(path);
	target_environment_free(environment);
	errno = saved;
	return pid;
}

int ask_reason(int out, char *reason, size_t size)
{
	static const char begin[] = "target\t";
	char line[1024];
	FILE *lines;

	reason[0] = '\0';
	if (lseek(out, 0, SEEK_SET) < 0 || !(lines = fdopen(out, "r")))
		return -1;
	while (fgets(line, sizeof(line), lines)) {
		if (strncmp(line, begin, sizeof(begin) - 1) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(reason, size, "%s", strrchr(line, '\t') + 1);
	}
	text_clean(reason);  /* it comes from the network, and may go to a terminal */
	(void)fclose(lines); /* memory */
	return 0;
}
