#include "sender/marker.h"

#include "base/disk.h"
#include "base/str.h"
#include "sender/path.h"
#include "spool/job.h"
#include "spool/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
		sender_never("TARGET_MARKER is '%s', which cannot be the name of a marker; "
			     "for example \"complete\"",
			name);
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
		sender_no_memory();
	for (size_t n = 0; n < m->count; n++) { /* mostly it is that of the image before */
		size_t i = (m->hint + n) % m->count;

		if (strcmp(m->directory[i].path, name.data) == 0) {
			buf_free(&name);
			return m->hint = i;
		}
	}
	more = realloc(m->directory, (m->count + 1) * sizeof(*more));
	if (!more)
		sender_no_memory();
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

static int by_text(const void *key, const void *element)
{
	return strcmp(key, *(char *const *)element);
}

/* The images of the job, and which of them need not be waited for. */
struct awaited {
	struct disk_names names; /* sorted */
	bool *dropped;
};

static void drop(struct awaited *awaited, const char *name)
{
	const struct disk_names *names = &awaited->names;
	char **found = names->count ? bsearch(name, names->name, names->count, sizeof(*names->name),
					      by_text)
				    : NULL;

	if (found)
		awaited->dropped[found - names->name] = true;
}

/* ledger_take */
static void drop_stored(void *context, const struct ledger_line *line)
{
	if (line->stored)
		drop(context, line->image);
}

/* Those of the list, which will say so, and those that the target has taken. */
static void drop_known(const struct sender *sender, struct awaited *awaited)
{
	const char *target = getenv("DCMSPOOL_TARGET");

	for (size_t i = 0; i < sender->count; i++)
		drop(awaited, sender->image[i].name);
	if (target && ledger_read(AT_FDCWD, target, drop_stored, awaited) < 0)
		sender_own_fault("unable to read sent.log: %s", strerror(errno));
}

/* Their directories wait for them, in vain. One that cannot be read goes nowhere. */
static void expect_given_up(struct sender_marker *m, const struct sender *sender)
{
	struct awaited awaited = { 0 };
	struct layout_path path;
	char why[256];

	if (job_images(AT_FDCWD, &awaited.names) < 0)
		sender_own_fault("unable to list the images of the job: %s", strerror(errno));
	awaited.dropped = calloc(awaited.names.count + 1, sizeof(*awaited.dropped));
	if (!awaited.dropped)
		sender_no_memory();
	drop_known(sender, &awaited);
	for (size_t i = 0; i < awaited.names.count; i++) {
		if (awaited.dropped[i])
			continue;
		if (sender_path(awaited.names.name[i], &path, why, sizeof(why)))
			(void)expect_at(m, &path); /* no image of ours will be due there */
		layout_free(&path);
	}
	free(awaited.dropped);
	disk_names_free(&awaited.names);
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
		sender_no_memory();
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
