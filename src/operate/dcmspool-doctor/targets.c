#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonfile.h"
#include "base/str.h"

enum { TEXT_SIZE = 1024 };

/* "pacs: ok", "pacs: Connection refused" */
static void add_answer(struct doctor *doctor, char *line)
{
	char *what = strstr(line, ": "), place[TEXT_SIZE];

	if (!what || strncmp(line, "dcmspool-", 9) == 0)
		return;
	*what = '\0';
	what += 2;
	if (!conf_target(doctor->conf, line))
		return; /* what a sender has logged */
	(void)snprintf(place, sizeof(place), "target %s", line);
	if (strcmp(what, "ok") == 0)
		doctor_good(doctor, place, "can be used");
	else
		doctor_bad(doctor,
			"its jobs wait, and are tried again by themselves; ask who runs it, and "
			"try it with: dcmspool echo",
			place, "%s", what);
}

void check_targets(struct doctor *doctor)
{
	const char *const arguments[] = { "-c", doctor->conf->file, "all", NULL };
	struct buf said = { 0 };
	int status = 0;
	char *rest, *line;

	if (doctor->offline || doctor->conf->target_count == 0)
		return;
	status = doctor_run_ours("dcmspool-echo", arguments, &said);
	if (status < 0)
		doctor_unknown(doctor, "the targets", strerror(errno));
	rest = said.data;
	while ((line = strtok_r(rest, "\n", &rest)))
		add_answer(doctor, line);
	buf_free(&said);
}

/* ---- the tree ------------------------------------------------------------------------------ */

/* What is said on standard error stands before it. */
static json_t *read_findings(const struct buf *said)
{
	const char *begin = said->data ? strstr(said->data, "{\"spool\"") : NULL;

	return begin ? json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

/* The last line of those that begin with a program's name: "dcmspool-fsck: fatal: ..." */
static const char *last_line(struct buf *said)
{
	char *rest = said->data, *line, *last = NULL;

	while ((line = strtok_r(rest, "\n", &rest)))
		last = line;
	return last ? last : "it says nothing";
}

void check_tree(struct doctor *doctor)
{
	const char *const arguments[] = { "-j", "-c", doctor->conf->file, NULL };
	struct buf said = { 0 };
	json_t *answer, *list, *one;
	char text[TEXT_SIZE];
	int status;
	size_t i;

	if (access(doctor->conf->spool, F_OK) < 0)
		return; /* that there is none was said */
	status = doctor_run_ours("dcmspool-fsck", arguments, &said);
	answer = read_findings(&said);
	list = json_object_get(answer, "findings");
	json_array_foreach (list, i, one) {
		(void)snprintf(text, sizeof(text), "%s; %s", jsonfile_text(one, "meaning"),
			jsonfile_text(one, "remedy"));
		doctor_bad(doctor, text, jsonfile_text(one, "place"), "%s",
			jsonfile_text(one, "finding"));
	}
	if (status == 0)
		doctor_good(doctor, doctor->conf->spool, "everything in it is where it can be");
	else if (!answer && status == 100 && access(doctor->conf->spool, R_OK | X_OK) == 0)
		/* one of a newer format, or not whole */
		doctor_bad(doctor, "no program can work on it; do what it says",
			doctor->conf->spool, "%s", last_line(&said));
	else if (status != 1)
		doctor_unknown(doctor, doctor->conf->spool, last_line(&said));
	json_decref(answer);
	buf_free(&said);
}
