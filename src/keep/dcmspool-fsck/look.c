#include "look.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"
#include "content.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char unreadable[] =
	"dcmspool cannot take it on either, when it is the user of this command; "
	"chown it to the user who runs dcmspool, or make it readable and writable for that user";

static void look_into(struct look *look, enum state_place place, int dir, const char *path);

/* "path/name"; "." is the spool itself. The caller frees. */
static char *below(const char *path, const char *name)
{
	struct buf text = { 0 };

	if (strcmp(path, ".") != 0)
		buf_printf(&text, "%s/", path);
	buf_puts(&text, name);
	if (text.failed)
		die(EXIT_TEMPORARY, "out of memory");
	return text.data;
}

void look_failed(struct look *look, const char *path)
{
	if (errno == ENOENT)
		return; /* it has gone on meanwhile */
	if (errno == EACCES) {
		findings_add(look->found, unreadable, path, "may not be read");
		return;
	}
	log_error("unable to look at %s: %s; try again", path, strerror(errno));
	look->failed = true;
}

/* A directory of this kind, by its name. */
static void look_into_name(
	struct look *look, enum state_place kind, int dir, const char *name, const char *path)
{
	int fd = disk_open_dir(dir, name), place = fd < 0 ? -1 : state_look(kind, fd);

	if (place < 0)
		look_failed(look, path);
	else
		look_into(look, (enum state_place)place, fd, path);
	if (fd >= 0)
		(void)close(fd); /* only used as a base */
}

/* What has a row in the table. */
static void look_at_known(struct look *look, const struct state *row, enum state_place kind,
	int dir, const char *name, const char *path)
{
	const char *wrong = state_of_place(row->place)->text;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		look_failed(look, path);
	} else if (kind == STATE_A_FILE) {
		if (S_ISREG(st.st_mode))
			content_check_file(look, row, dir, path, name, &st);
		else
			findings_add(look->found, wrong, path, "is no file");
	} else if (kind < STATE_PLACES) {
		if (S_ISDIR(st.st_mode))
			look_into_name(look, kind, dir, name, path);
		else if (row->place != STATE_INCOMING) /* there files are dropped, too */
			findings_add(look->found, wrong, path, "is no directory");
	}
}

static void look_at(
	struct look *look, enum state_place place, int dir, const char *name, const char *path)
{
	enum state_place stage = place == STATE_SPOOL ? state_stage(name) : STATE_PLACES;
	const struct state *row = state_find(place, name);

	if (stage != STATE_PLACES)
		look_into_name(look, stage, dir, name, path);
	else if (row)
		look_at_known(look, row, row->kind, dir, name, path);
	else if (disk_exists(dir, name) == 1)
		findings_add(
			look->found, state_of_place(place)->text, path, "does not belong here");
}

static bool has(const struct state *row, const struct disk_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (state_fits(row, names->name[i]))
			return true;
	return false;
}

/* Is there anything yet that needs the others? Whoever makes these directories was killed before
 * it came to that. */
static bool has_begun(enum state_place place, const struct disk_names *names)
{
	if (place != STATE_ASSOCIATION && place != STATE_QUARANTINE)
		return true;
	for (size_t i = 0; i < names->count; i++)
		if (!file_is_temporary(names->name[i]))
			return true;
	return false;
}

static void look_for_missing(
	struct look *look, enum state_place place, const char *path, const struct disk_names *names)
{
	const struct state *row = state_of_place(place) + 1;

	for (; row->place == place && has_begun(place, names); row++) {
		bool image = strcmp(row->name, "<image>") == 0;
		char *missing = image ? below(path, "*.dcm") : below(path, row->name);

		if (row->must && !has(row, names))
			findings_add(look->found, row->text, missing, "is missing");
		free(missing);
	}
}

static void look_into(struct look *look, enum state_place place, int dir, const char *path)
{
	struct disk_names names;
	char *each;

	if (disk_list(dir, ".", &names) < 0) {
		look_failed(look, path);
		return;
	}
	look->directories++;
	for (size_t i = 0; i < names.count; i++) {
		each = below(path, names.name[i]);
		look_at(look, place, dir, names.name[i], each);
		free(each);
	}
	look_for_missing(look, place, path, &names);
	content_check(look, place, dir, path, &names);
	disk_names_free(&names);
}

void look_at_spool(struct look *look, int dir)
{
	look_into(look, STATE_SPOOL, dir, ".");
}
