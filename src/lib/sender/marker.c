#include "sender/marker.h"

#include "base/disk.h"
#include "spool/job.h"
#include "base/log.h"
#include "sender/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEDGER_MAX = 1 << 28, LEDGER_TARGET = 1, LEDGER_RESULT = 2, LEDGER_IMAGE = 4, FIELDS = 5 };

struct directory {
	char *path;
	size_t awaited; /* images that are not there yet */
};

struct sender_marker {
	const char *name;
	struct directory *directory; /* grows */
	size_t count;
	size_t hint; /* where find() looks first */
	size_t *of;  /* for each image of the list its directory, or none */
};

static const size_t none = (size_t)-1;

static void check_name(const char *name)
{
	size_t length = strlen(name);

	if (!name_ok(name[0] == '.' ? name + 1 : name) ||
		(length >= 4 && strcmp(name + length - 4, ".dcm") == 0))
		sender_never("TARGET_MARKER is '%s', which cannot be the name of a marker; for "
			     "example \"complete\"",
			name);
}

_Noreturn static void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to keep the list of directories: out of memory");
}

/* The index of a directory, which is taken into the list when it is new. */
static size_t find(struct sender_marker *m, const struct layout_path *path)
{
	struct buf name = { 0 };
	struct directory *more;

	buf_puts(&name, "");
	for (size_t i = 0; i + 1 < path->count; i++)
		buf_printf(&name, "%s%s", i ? "/" : "", path->name[i]);
	if (name.failed)
		no_memory();
	for (size_t n = 0; n < m->count; n++) { /* mostly it is that of the image before */
		size_t i = (m->hint + n) % m->count;

		if (strcmp(m->directory[i].path, name.data) == 0) {
			buf_free(&name);
			return m->hint = i;
		}
	}
	more = realloc(m->directory, (m->count + 1) * sizeof(*more));
	if (!more)
		no_memory();
	m->directory = more;
	m->directory[m->count] = (struct directory){ .path = name.data };
	return m->hint = m->count++;
}

static size_t expect_at(struct sender_marker *m, const struct layout_path *path)
{
	size_t at = find(m, path);

	m->directory[at].awaited++;
	return at;
}

/* Is this line of the ledger one of an image that our target has taken? Then its name, else NULL.
 */
static const char *stored_in(char *line)
{
	const char *target = getenv("DCMSPOOL_TARGET"), *field[FIELDS];

	for (int i = 0; i < FIELDS; i++) {
		char *tab = strchr(line, '\t');

		if (!tab)
			return NULL;
		*tab = '\0';
		field[i] = line;
		line = tab + 1;
	}
	if (!target || strcmp(field[LEDGER_TARGET], target) != 0 ||
		strcmp(field[LEDGER_RESULT], "stored") != 0)
		return NULL;
	return field[LEDGER_IMAGE];
}

static int by_text(const void *key, const void *element)
{
	return strcmp(key, *(char *const *)element);
}

static void drop(struct disk_names *sorted, bool *dropped, const char *name)
{
	char **found = sorted->count ? bsearch(name, sorted->name, sorted->count,
					       sizeof(*sorted->name), by_text)
				     : NULL;

	if (found)
		dropped[found - sorted->name] = true;
}

/* Marks the images of the job that need not be waited for: those of the list, which will say so,
 * and those that the ledger has. */
static void drop_known(const struct sender *sender, struct disk_names *names, bool *dropped)
{
	char *ledger = disk_read_file(AT_FDCWD, "sent.log", LEDGER_MAX, NULL), *end;
	const char *name;

	if (!ledger && errno != ENOENT)
		die(EXIT_TEMPORARY, "unable to read sent.log: %s", strerror(errno));
	for (size_t i = 0; i < sender->count; i++)
		drop(names, dropped, sender->image[i].name);
	for (char *line = ledger; line && (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		name = stored_in(line);
		if (name)
			drop(names, dropped, name);
	}
	free(ledger);
}

/* Their directories wait for them, in vain. One that cannot be read goes nowhere. */
static void expect_given_up(struct sender_marker *m, const struct sender *sender)
{
	struct disk_names names = { 0 };
	struct layout_path path;
	bool *dropped;
	char why[256];

	if (job_images(AT_FDCWD, &names) < 0)
		die(EXIT_TEMPORARY, "unable to list the images of the job: %s", strerror(errno));
	dropped = calloc(names.count + 1, sizeof(*dropped));
	if (!dropped)
		no_memory();
	drop_known(sender, &names, dropped);
	for (size_t i = 0; i < names.count; i++) {
		if (dropped[i])
			continue;
		if (sender_path(names.name[i], &path, why, sizeof(why)) == SENDER_PATH_OK)
			(void)expect_at(m, &path); /* no image of ours will be due there */
		layout_free(&path);
	}
	free(dropped);
	disk_names_free(&names);
}

struct sender_marker *sender_marker_open(const struct sender *sender)
{
	const char *name = sender_setting("MARKER", NULL);
	struct sender_marker *m;

	if (!name)
		return NULL;
	check_name(name);
	m = calloc(1, sizeof(*m));
	if (!m || !(m->of = calloc(sender->count + 1, sizeof(*m->of))))
		no_memory();
	m->name = name;
	for (size_t i = 0; i < sender->count; i++)
		m->of[i] = none;
	if (sender->count > 0) /* else there is no job */
		expect_given_up(m, sender);
	return m;
}

const char *sender_marker_name(const struct sender_marker *m)
{
	return m ? m->name : NULL;
}

int sender_marker_expect(
	struct sender_marker *m, size_t image, const struct layout_path *path, const char **why)
{
	if (!m)
		return 0;
	if (strcmp(path->name[path->count - 1], m->name) == 0) {
		*why = "it would be called like the marker; change marker or layout";
		return -1;
	}
	m->of[image] = expect_at(m, path);
	return 0;
}

const char *sender_marker_due(struct sender_marker *m, size_t image)
{
	struct directory *directory;

	if (!m || m->of[image] == none)
		return NULL;
	directory = &m->directory[m->of[image]];
	m->of[image] = none;
	return --directory->awaited == 0 ? directory->path : NULL;
}

void sender_marker_close(struct sender_marker *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		free(m->directory[i].path);
	free(m->directory);
	free(m->of);
	free(m);
}
