/*
 * dicomcmp: are two DICOM files, or two trees of them, the same images byte for byte?
 *
 * Only the data set counts, the bytes after preamble and file meta header: a receiver writes its
 * own meta header. In trees an image is known by the SOP Instance UID of its meta header
 * (0002,0003), and what is no DICOM file with one is passed over, and counted. Exits 0 when
 * everything is there exactly once and identical, 1 when not, 2 when called wrongly or unable to
 * read.
 */
#define _DEFAULT_SOURCE
#include "part10.h"

#include <fts.h>
#include <stdio.h>

#include "base/log.h"

static const char usage[] = "usage: dicomcmp FILE FILE      compares two files\n"
			    "       dicomcmp -d TREE TREE   compares two trees\n"
			    "       dicomcmp -l TREE        lists SOPInstanceUID TAB file\n";

enum { SAME, DIFFERENT, TROUBLE };

struct entry {
	char *uid, *path;
};

struct tree {
	struct entry *entry; /* sorted by UID, then path */
	size_t count, others;
};

static void open_or_die(struct part10 *file, const char *path)
{
	if (part10_open(file, path))
		die(TROUBLE, "unable to read %s: %s", path, strerror(errno));
}

/* Prints the first difference. */
static bool same_files(const char *a_path, const char *b_path)
{
	struct part10 a, b;
	size_t i = 0, shorter;
	bool same;

	open_or_die(&a, a_path);
	open_or_die(&b, b_path);
	shorter = a.length < b.length ? a.length : b.length;
	same = a.length == b.length && !memcmp(a.data, b.data, a.length);
	while (!same && i < shorter && a.data[i] == b.data[i])
		i++;
	if (!same && i < shorter)
		printf("different\t%s\t%s\tat byte %zu of the data set: %02x, %02x\n", a_path,
			b_path, i, a.data[i], b.data[i]);
	else if (!same)
		printf("different\t%s\t%s\tlength of the data set: %zu, %zu\n", a_path, b_path,
			a.length, b.length);
	part10_close(&a);
	part10_close(&b);
	return same;
}

static void add_file(struct tree *tree, const char *path)
{
	struct part10 file;
	struct entry *grown;

	if (part10_open(&file, path) || !file.meta || !*file.sop_instance) {
		tree->others++;
		part10_close(&file);
		return;
	}
	grown = realloc(tree->entry, (tree->count + 1) * sizeof(*grown));
	if (!grown)
		die(TROUBLE, "unable to list: not enough memory");
	tree->entry = grown;
	grown[tree->count].uid = strdup(file.sop_instance);
	grown[tree->count].path = strdup(path);
	if (!grown[tree->count].uid || !grown[tree->count].path)
		die(TROUBLE, "unable to list: not enough memory");
	tree->count++;
	part10_close(&file);
}

static int by_uid(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = strcmp(a->uid, b->uid);

	return order ? order : strcmp(a->path, b->path);
}

static void read_tree(struct tree *tree, char *path)
{
	char *paths[] = { path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *found;

	if (!fts || access(path, R_OK))
		die(TROUBLE, "unable to read %s: %s", path, strerror(errno));
	while ((found = fts_read(fts)))
		if (found->fts_info == FTS_F)
			add_file(tree, found->fts_path);
		else if (found->fts_info == FTS_DNR || found->fts_info == FTS_ERR)
			die(TROUBLE, "unable to read %s: %s", found->fts_path,
				strerror(found->fts_errno));
	(void)fts_close(fts); /* read to its end */
	if (tree->count)
		qsort(tree->entry, tree->count, sizeof(*tree->entry), by_uid);
}

static void free_tree(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->entry[i].uid);
		free(tree->entry[i].path);
	}
	free(tree->entry);
}

/* How many entries from i on have the UID of entry i. */
static size_t run_length(const struct tree *tree, size_t i)
{
	size_t n = 1;

	while (i + n < tree->count && !strcmp(tree->entry[i].uid, tree->entry[i + n].uid))
		n++;
	return n;
}

/* Steps over one UID of tree, where it is not alone prints the further files, and counts them. */
static size_t step(const struct tree *tree, size_t *at, size_t *twice)
{
	size_t first = *at, n = run_length(tree, first);

	for (size_t i = 1; i < n; i++)
		printf("twice\t%s\t%s\t%s\n", tree->entry[first].uid, tree->entry[first].path,
			tree->entry[first + i].path);
	*twice += n - 1;
	*at += n;
	return first;
}

static bool same_trees(char *a_path, char *b_path)
{
	struct tree a = { 0 }, b = { 0 };
	size_t i = 0, j = 0, same = 0, missing = 0, extra = 0, twice = 0, different = 0;

	read_tree(&a, a_path);
	read_tree(&b, b_path);
	while (i < a.count || j < b.count) {
		int order = i == a.count   ? 1
			    : j == b.count ? -1
					   : strcmp(a.entry[i].uid, b.entry[j].uid);
		const struct entry *in_a = order <= 0 ? &a.entry[step(&a, &i, &twice)] : NULL;
		const struct entry *in_b = order >= 0 ? &b.entry[step(&b, &j, &twice)] : NULL;

		if (in_a && in_b) {
			bool is_same = same_files(in_a->path, in_b->path);

			same += is_same;
			different += !is_same;
		} else if (in_a) {
			printf("missing\t%s\t%s\n", in_a->uid, in_a->path);
			missing++;
		} else {
			printf("extra\t%s\t%s\n", in_b->uid, in_b->path);
			extra++;
		}
	}
	printf("%zu identical, %zu missing, %zu extra, %zu twice, %zu different; "
	       "%zu and %zu files passed over\n",
		same, missing, extra, twice, different, a.others, b.others);
	free_tree(&a);
	free_tree(&b);
	return !(missing || extra || twice || different);
}

static void list_tree(char *path)
{
	struct tree tree = { 0 };

	read_tree(&tree, path);
	for (size_t i = 0; i < tree.count; i++)
		printf("%s\t%s\n", tree.entry[i].uid, tree.entry[i].path);
	free_tree(&tree);
}

int main(int argc, char *argv[])
{
	bool trees = false, list = false, same = true, wrong = false;
	int letter;

	log_open(argv[0]);
	while ((letter = getopt(argc, argv, "dl")) != -1) {
		trees |= letter == 'd';
		list |= letter == 'l';
		wrong |= letter == '?';
	}
	argv += optind;
	if (wrong || (trees && list) || argc - optind != (list ? 1 : 2)) {
		fputs(usage, stderr);
		return TROUBLE;
	}
	if (list)
		list_tree(argv[0]);
	else
		same = trees ? same_trees(argv[0], argv[1]) : same_files(argv[0], argv[1]);
	if (fflush(stdout) || ferror(stdout))
		die(TROUBLE, "unable to write to standard output: %s", strerror(errno));
	return same ? SAME : DIFFERENT;
}
