#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/disk.h"
#include "base/str.h"
#include "spool/spool.h"

enum { TEXT_SIZE = 1024 };

static const char mistake[] = "a router does not start with it, nor take it by reload; ";
static const char warning[] = "it is right, and hardly meant; ";

/* "FILE:LINE: KEY: what is wrong; what would be right" */
static void add_line(struct doctor *doctor, char *line)
{
	static const char warns[] = "warning: ";
	char *what = strstr(line, ": "), *remedy, *after, text[TEXT_SIZE];
	bool warned;

	/* What belongs to the line before, "FILE: ok", and who says that there were mistakes. */
	if (!what || strcmp(what, ": ok") == 0 || *line == ' ' ||
		strncmp(line, "dcmspool-", 9) == 0)
		return;
	after = strstr(what + 2, ": ");
	if (after)
		what = after;
	*what = '\0';
	what += 2;
	warned = strncmp(what, warns, sizeof(warns) - 1) == 0;
	what += warned ? sizeof(warns) - 1 : 0;
	remedy = strstr(what, "; ");
	if (remedy)
		*remedy = '\0';
	(void)snprintf(text, sizeof(text), "%s%s", warned ? warning : mistake,
		remedy ? remedy + 2 : "correct it");
	doctor_bad(doctor, text, line, "%s", what);
}

bool check_configuration(struct doctor *doctor)
{
	const char *const arguments[] = { "-n", "-c", doctor->file, NULL };
	struct buf said = { 0 };
	const size_t before = doctor->found.count;
	int status = doctor_run_ours("dcmspool-conf", arguments, &said);
	char *rest = said.data, *line;

	if (status < 0)
		doctor_unknown(doctor, doctor->file, strerror(errno));
	while ((line = strtok_r(rest, "\n", &rest)))
		add_line(doctor, line);
	if (status == 0 && doctor->found.count == before)
		doctor_good(doctor, doctor->file, "has no mistake");
	else if (status > 0 && doctor->found.count == before)
		doctor_unknown(doctor, doctor->file, "dcmspool check fails");
	buf_free(&said);
	return status == 0;
}

/* ---- supervision --------------------------------------------------------------------------- */

static const char is_down[] =
	"its part of the work is not done; what it said last is in the log, and in: s6-svstat";

/* Is this service of `dcmspool up` up? */
static bool check_service(struct doctor *doctor, const char *path)
{
	const char *const argv[] = { "s6-svstat", "-o", "up,pid", path, NULL };
	struct buf said = { 0 };
	int status = doctor_run(argv, -1, &said);
	long pid = 0;
	bool up = said.data && sscanf(said.data, "true %ld", &pid) == 1;

	if (status != 0)
		doctor_unknown(
			doctor, path, said.data && *said.data ? said.data : "s6-svstat fails");
	else if (!up)
		doctor_bad(doctor, is_down, path, "is down");
	else if (strcmp(strrchr(path, '/'), "/receiver") == 0)
		doctor->receiver = (pid_t)pid;
	buf_free(&said);
	return up;
}

void check_running(struct doctor *doctor)
{
	struct disk_names names;
	size_t up = 0, all = 0;
	struct buf path = { 0 };

	if (!doctor->running) {
		doctor_bad(doctor,
			"nothing is received or sent; start it: systemctl start dcmspool, "
			"or dcmspool up",
			doctor->conf->spool, "no router runs on it");
		return;
	}
	buf_printf(&path, "%s/.service", doctor->conf->spool);
	if (path.failed || disk_list(AT_FDCWD, path.data, &names) < 0) {
		doctor_unknown(doctor, path.data ? path.data : ".service", strerror(errno));
		buf_free(&path);
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		struct buf run = { 0 }, one = { 0 };

		buf_printf(&run, "%s/%s/run", path.data, names.name[i]);
		buf_printf(&one, "%s/%s", path.data, names.name[i]);
		if (*names.name[i] != '.' && !one.failed && disk_exists(AT_FDCWD, run.data) == 1) {
			up += check_service(doctor, one.data);
			all++;
		}
		buf_free(&run);
		buf_free(&one);
	}
	if (up == all)
		doctor_good(doctor, path.data, "all %zu programs are up", all);
	disk_names_free(&names);
	buf_free(&path);
}
