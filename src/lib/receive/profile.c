#include "profile.h"

#include "standin.h"

#include <string.h>

#define DICOM        "1.2.840.10008." /* the standard's own UIDs (PS3.5 9) */
#define VERIFICATION "1.2.840.10008.1.1"
#define IMPLICIT     "1.2.840.10008.1.2" /* every sender proposes it (PS3.5 10.1) */

/* Storage SOP classes (PS3.4 B.5, GG.3, retired ones): these, and all below those ending in '.'. */
static const char *const storage[] = {
	VERIFICATION, /* compared whole, see profile_wants() */
	"1.2.840.10008.5.1.4.1.1.",
	"1.2.840.10008.5.1.4.34.1",
	"1.2.840.10008.5.1.4.34.7",
	"1.2.840.10008.5.1.4.34.10",
	"1.2.840.10008.5.1.4.38.1",
	"1.2.840.10008.5.1.4.39.1",
	"1.2.840.10008.5.1.4.43.1",
	"1.2.840.10008.5.1.4.44.1",
	"1.2.840.10008.5.1.4.45.1",
	"1.2.840.10008.5.1.1.27",
	"1.2.840.10008.5.1.1.29",
	"1.2.840.10008.5.1.1.30",
};

/* Not storage, though their UIDs look like it: the inventory services (PS3.4 Annex II, JJ). */
static const char *const services[] = {
	"1.2.840.10008.5.1.4.1.1.201.2",
	"1.2.840.10008.5.1.4.1.1.201.3",
	"1.2.840.10008.5.1.4.1.1.201.4",
	"1.2.840.10008.5.1.4.1.1.201.5",
	"1.2.840.10008.5.1.4.1.1.201.6",
};

static const char *const uncompressed[] = {
	"1.2.840.10008.1.2",
	"1.2.840.10008.1.2.1",
	"1.2.840.10008.1.2.2",
};

/* What storescp is able to receive (DCMTK 3.6.7, dimse.cc, getTransferSyntax()). It could
 * negotiate any other as well, but aborts the association at the first image: therefore the others
 * come in under the names of these, see standin.h. */
static const char *const receivable[] = {
	"1.2.840.10008.1.2",
	"1.2.840.10008.1.2.1",
	"1.2.840.10008.1.2.2",
	"1.2.840.10008.1.2.1.99",
	"1.2.840.10008.1.2.5",
	"1.2.840.10008.1.2.4.50",
	"1.2.840.10008.1.2.4.51",
	"1.2.840.10008.1.2.4.52",
	"1.2.840.10008.1.2.4.53",
	"1.2.840.10008.1.2.4.54",
	"1.2.840.10008.1.2.4.55",
	"1.2.840.10008.1.2.4.56",
	"1.2.840.10008.1.2.4.57",
	"1.2.840.10008.1.2.4.58",
	"1.2.840.10008.1.2.4.59",
	"1.2.840.10008.1.2.4.60",
	"1.2.840.10008.1.2.4.61",
	"1.2.840.10008.1.2.4.62",
	"1.2.840.10008.1.2.4.63",
	"1.2.840.10008.1.2.4.64",
	"1.2.840.10008.1.2.4.65",
	"1.2.840.10008.1.2.4.66",
	"1.2.840.10008.1.2.4.70",
	"1.2.840.10008.1.2.4.80",
	"1.2.840.10008.1.2.4.81",
	"1.2.840.10008.1.2.4.90",
	"1.2.840.10008.1.2.4.91",
	"1.2.840.10008.1.2.4.92",
	"1.2.840.10008.1.2.4.93",
	"1.2.840.10008.1.2.4.100",
	"1.2.840.10008.1.2.4.101",
	"1.2.840.10008.1.2.4.102",
	"1.2.840.10008.1.2.4.103",
	"1.2.840.10008.1.2.4.104",
	"1.2.840.10008.1.2.4.105",
	"1.2.840.10008.1.2.4.106",
	"1.2.840.10008.1.2.4.107",
	"1.2.840.10008.1.2.4.108",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool among(const char *uid, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(uid, list[i]) == 0)
			return true;
	return false;
}

bool profile_wants(const char *class)
{
	if (!*class || among(class, services, COUNT(services)))
		return false;
	if (strncmp(class, DICOM, strlen(DICOM)) != 0)
		return true; /* private: what is not storage, storescp answers as such */
	for (size_t i = 0; i < COUNT(storage); i++) {
		size_t length = strlen(storage[i]);

		if (strcmp(class, storage[i]) == 0 ||
			(storage[i][length - 1] == '.' && strncmp(class, storage[i], length) == 0))
			return true;
	}
	return false;
}

const char *profile_receivable(size_t index)
{
	return index < COUNT(receivable) ? receivable[index] : NULL;
}

/* The index of an acceptable syntax in receivable[], or -1. */
static int acceptable(const char *syntax, enum conf_accept accept)
{
	if (accept == CONF_ACCEPT_UNCOMPRESSED && !among(syntax, uncompressed, COUNT(uncompressed)))
		return -1;
	for (size_t i = 0; i < COUNT(receivable); i++)
		if (strcmp(syntax, receivable[i]) == 0)
			return (int)i;
	return -1;
}

/* What the contexts of one SOP class propose: syntaxes as indices, sets of them as bits. */
struct proposal {
	enum conf_accept accept;
	uint64_t all;
	int syntax[COUNT(receivable)]; /* in the order of their first appearance */
	size_t count;
	uint64_t earlier[COUNT(receivable)]; /* those that some context prefers to this one */
};
_Static_assert(COUNT(receivable) <= 64, "a set of syntaxes is 64 bits");

/* Either those syntaxes of a context that are stand-ins, or the others, which go before them:
 * *before. */
static void propose(struct proposal *p, const struct acceptor_context *context,
	const struct stand_ins *stand_ins, bool those, uint64_t *before)
{
	for (size_t i = 0; i < context->syntax_count; i++) {
		int index = acceptable(context->syntax[i], p->accept);
		uint64_t bit = index < 0 ? 0 : (uint64_t)1 << index;

		if (index < 0 || *before & bit ||
			standin_is(stand_ins, context->syntax[i]) != those)
			continue;
		if (!(p->all & bit))
			p->syntax[p->count++] = index;
		p->earlier[index] |= *before;
		p->all |= bit;
		*before |= bit;
	}
}

/* The next syntax of the merged list: the first that no context wants another one before; when they
 * contradict each other, the first. -1 when all are placed. */
static int next_syntax(const struct proposal *p, uint64_t placed)
{
	int first = -1;

	for (size_t i = 0; i < p->count; i++) {
		int index = p->syntax[i];

		if (placed >> index & 1)
			continue;
		if (!(p->earlier[index] & ~placed))
			return index;
		if (first < 0)
			first = index;
	}
	return first;
}

/* Writes section [T<number>], the merged list of a SOP class. One that proposes nothing acceptable
 * gets a list that matches nothing (it does not propose implicit little endian): so it is refused
 * for its syntaxes, not for its SOP class, and the sender's log says what is the matter. */
static bool write_syntaxes(const struct acceptor_request *r, const char *class,
	enum conf_accept accept, const struct stand_ins *stand_ins, size_t number, struct buf *out)
{
	struct proposal p = { .accept = accept };
	uint64_t before, placed = 0;
	int index;

	for (size_t i = 0; i < r->context_count; i++)
		if (strcmp(r->context[i].abstract, class) == 0) {
			before = 0;
			propose(&p, &r->context[i], stand_ins, false, &before);
			propose(&p, &r->context[i], stand_ins, true, &before);
		}
	buf_printf(out, "[T%zu]\n", number);
	if (p.count == 0)
		buf_puts(out, "TransferSyntax1 = " IMPLICIT "\n");
	for (int n = 1; (index = next_syntax(&p, placed)) >= 0; n++) {
		buf_printf(out, "TransferSyntax%d = %s\n", n, receivable[index]);
		placed |= (uint64_t)1 << index;
	}
	return p.count > 0;
}

static bool seen_before(const struct acceptor_request *r, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(r->context[i].abstract, r->context[index].abstract) == 0)
			return true;
	return false;
}

size_t profile_make(const struct acceptor_request *r, enum conf_accept accept,
	const struct stand_ins *stand_ins, struct buf *out)
{
	struct buf contexts = { 0 };
	size_t classes = 0, accepted = 0;

	buf_puts(out, "[[TransferSyntaxes]]\n");
	for (size_t i = 0; i < r->context_count; i++) {
		const char *class = r->context[i].abstract;

		if (!profile_wants(class) || seen_before(r, i))
			continue;
		accepted += write_syntaxes(r, class, accept, stand_ins, ++classes, out);
		buf_printf(
			&contexts, "PresentationContext%zu = %s\\T%zu\n", classes, class, classes);
	}
	if (classes == 0) { /* an empty list is a syntax error; this one matches nothing proposed */
		buf_puts(out, "[T1]\nTransferSyntax1 = " IMPLICIT "\n");
		buf_puts(&contexts, "PresentationContext1 = " VERIFICATION "\\T1\n");
	}
	buf_printf(out, "[[PresentationContexts]]\n[C]\n%s", contexts.failed ? "" : contexts.data);
	buf_puts(out, "[[Profiles]]\n[A]\nPresentationContexts = C\n");
	out->failed = out->failed || contexts.failed;
	buf_free(&contexts);
	return accepted;
}
