#include "cli/confirm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/listing.h"
#include "cli/show.h"

/* More is not read by anybody; find shows all of it. */
enum { SHOWN = 40 };

void confirm_only(struct walk *found, bool (*can)(const struct place *place))
{
	size_t kept = 0;

	for (size_t i = 0; i < found->count; i++) {
		struct item *item = &found->item[i];
		bool any = false;

		for (size_t k = 0; k < item->count; k++) {
			item->place[k].meant &= can(&item->place[k]);
			any |= item->place[k].meant;
		}
		if (any)
			found->item[kept++] = *item;
		else
			item_free(item);
	}
	found->count = kept;
}

static size_t places(const struct walk *found)
{
	size_t count = 0;

	for (size_t i = 0; i < found->count; i++)
		for (size_t k = 0; k < found->item[i].count; k++)
			count += found->item[i].place[k].meant;
	return count;
}

static void print(const struct spool *spool, struct walk *found)
{
	const size_t all = found->count;

	show_open();
	found->count = all > SHOWN ? SHOWN : all;
	listing_table(spool, found, false);
	found->count = all;
	if (all > SHOWN)
		(void)printf("... and %zu more series\n", all - SHOWN);
	if (fflush(stdout) == EOF)
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
}

static bool is_yes(const char *answer)
{
	return *answer == 'y' || *answer == 'Y';
}

int confirm_found(const struct spool *spool, struct walk *found, const char *act, bool yes)
{
	char answer[16] = "";

	if (found->count == 0) {
		log_error("nothing in the spool %s fits", spool->path);
		return found->incomplete ? EXIT_TEMPORARY : 1;
	}
	print(spool, found);
	if (yes)
		return 0;
	if (!isatty(STDIN_FILENO)) {
		log_error("nothing was done: there is no terminal to ask on; say --yes");
		return EXIT_PERMANENT;
	}
	(void)printf("%s these (%zu)? [y/N] ", act, places(found));
	(void)fflush(stdout); /* who cannot read the question does not say yes */
	if (!fgets(answer, sizeof(answer), stdin) || !is_yes(answer)) {
		(void)puts("nothing was done");
		return 1;
	}
	return 0;
}
