#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

enum { GAP = 2, COLUMNS = 32 };

static _Noreturn void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to print the table: out of memory; try again");
}

void table_open(struct table *table, const struct table_column *column, size_t columns)
{
	if (columns > COLUMNS)
		die(EXIT_BUG, "unable to print a table of %zu columns", columns);
	*table = (struct table){ .column = column, .columns = columns };
}

void table_row(struct table *table)
{
	table->rows++;
}

void table_add(struct table *table, size_t column, enum show_colour colour, const char *text)
{
	struct table_line *more = table->line;
	struct buf clean = { 0 };

	if ((table->lines & (table->lines - 1)) == 0) /* full at each power of two */
		more = realloc(more, (table->lines ? 2 * table->lines : 1) * sizeof(*more));
	buf_puts(&clean, "");
	show_add(&clean, text);
	if (!more || clean.failed)
		no_memory();
	table->line = more;
	more[table->lines++] = (struct table_line){ .text = clean.data,
		.width = show_width(clean.data),
		.colour = colour,
		.row = table->rows - 1,
		.column = column };
}

/* Where a row is one line, what stands in one place of the table becomes one text. */
static void join(struct table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->lines; i++) {
		struct table_line *line = &table->line[i],
				  *last = kept ? &table->line[kept - 1] : NULL;
		struct buf both = { 0 };

		if (!last || last->row != line->row || last->column != line->column) {
			table->line[kept++] = *line;
			continue;
		}
		buf_printf(&both, "%s, %s", last->text, line->text);
		if (both.failed)
			no_memory();
		free(last->text);
		free(line->text);
		last->text = both.data;
		last->width += line->width + 2;
	}
	table->lines = kept;
}

/* ---- widths -------------------------------------------------------------------------------- */

static void natural_widths(const struct table *table, unsigned width[COLUMNS])
{
	for (size_t c = 0; c < table->columns; c++)
		width[c] = show_width(table->column[c].title);
	for (size_t i = 0; i < table->lines; i++) {
		const struct table_line *line = &table->line[i];

		if (line->width > width[line->column])
			width[line->column] = line->width;
	}
}

/* A column of width 0 is left out, with its gap. */
static unsigned total(const struct table *table, const unsigned width[COLUMNS])
{
	unsigned sum = 0;

	for (size_t c = 0; c < table->columns; c++)
		sum += width[c] ? width[c] + GAP : 0;
	return sum ? sum - GAP : 0;
}

/* Leaves out the column that goes first; false: none is left that may go. */
static bool leave_out(const struct table *table, unsigned width[COLUMNS])
{
	int best = -1;

	for (size_t c = 0; c < table->columns; c++)
		if (width[c] && table->column[c].goes > 0 &&
			(best < 0 || table->column[c].goes > table->column[best].goes))
			best = (int)c;
	if (best >= 0)
		width[best] = 0;
	return best >= 0;
}

/* Takes a column from the widest of these that may give one; false: none may. */
static bool narrow(const struct table *table, unsigned width[COLUMNS], bool last)
{
	int best = -1;

	for (size_t c = 0; c < table->columns; c++)
		if ((table->column[c].goes == TABLE_CUT_LAST) == last &&
			width[c] > table->column[c].least && (best < 0 || width[c] > width[best]))
			best = (int)c;
	if (best >= 0)
		width[best]--;
	return best >= 0;
}

/* What may go goes before anything is cut. */
static void fit(const struct table *table, unsigned width[COLUMNS])
{
	const unsigned there = show_columns();

	natural_widths(table, width);
	if (!there)
		return;
	while (total(table, width) > there)
		if (!leave_out(table, width) && !narrow(table, width, false) &&
			!narrow(table, width, true))
			return;
}

/* ---- printing ------------------------------------------------------------------------------ */

static void blanks(unsigned count)
{
	(void)printf("%*s", (int)count, ""); /* show_close() sees a failure, here and below */
}

/* gap: what is still to be printed before the next text; what would end a line is not. */
static void print_cell(const struct table_column *column, unsigned width, enum show_colour colour,
	const char *text, unsigned *gap)
{
	unsigned used = show_width(text);
	const char *code = colour == SHOW_PLAIN ? "" : show_colour(colour);
	bool cut = used > width;
	size_t bytes = cut ? show_cut(text, width - 1, &used) : strlen(text);

	used += cut;
	if (*text) {
		blanks(*gap + (column->right ? width - used : 0));
		(void)printf("%s%.*s%s%s", code, (int)bytes, text, cut ? show_ellipsis() : "",
			*code ? show_colour(SHOW_PLAIN) : "");
		*gap = column->right ? 0 : width - used;
	} else {
		*gap += width;
	}
	*gap += GAP;
}

static void print_titles(const struct table *table, const unsigned width[COLUMNS])
{
	unsigned gap = 0;

	for (size_t c = 0; c < table->columns; c++)
		if (width[c])
			print_cell(&table->column[c], width[c], SHOW_TITLE, table->column[c].title,
				&gap);
	(void)putchar('\n');
}

/* The nth line of a column in a row, whose lines these are; NULL: it has not so many. */
static const struct table_line *find_line(
	const struct table_line *line, size_t lines, size_t column, size_t n)
{
	for (size_t i = 0; i < lines; i++)
		if (line[i].column == column && n-- == 0)
			return &line[i];
	return NULL;
}

/* The nth line of a row; false: it has not so many. */
static bool print_line(const struct table *table, const unsigned width[COLUMNS],
	const struct table_line *line, size_t lines, size_t n)
{
	const struct table_line *of[COLUMNS];
	unsigned gap = 0;
	bool any = n == 0;

	for (size_t c = 0; c < table->columns; c++) {
		of[c] = find_line(line, lines, c, n);
		any |= of[c] && width[c];
	}
	for (size_t c = 0; c < table->columns && any; c++)
		if (width[c])
			print_cell(&table->column[c], width[c], of[c] ? of[c]->colour : SHOW_PLAIN,
				of[c] ? of[c]->text : "", &gap);
	if (any)
		(void)putchar('\n');
	return any;
}

void table_print(struct table *table)
{
	const struct table_line *line = table->line, *end;
	unsigned width[COLUMNS];

	if (!show_columns())
		join(table);
	fit(table, width);
	if (table->rows)
		print_titles(table, width);
	for (size_t row = 0; row < table->rows; row++, line = end) {
		for (end = line; end < table->line + table->lines && end->row == row; end++)
			;
		for (size_t n = 0; print_line(table, width, line, (size_t)(end - line), n); n++)
			;
	}
	for (size_t i = 0; i < table->lines; i++)
		free(table->line[i].text);
	free(table->line);
	*table = (struct table){ 0 };
}
