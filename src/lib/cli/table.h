/*
 * table: rows and columns, as wide as the terminal is: then columns that may go are left out, and
 * texts are cut. Elsewhere, in a file or a pipe, nothing is cut, and a row is one line.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/show.h"

/* Never left out, and cut when nothing else can be. */
enum { TABLE_CUT_LAST = -1 };

struct table_column {
	const char *title;
	unsigned least; /* columns of the terminal that it keeps when others are cut */
	bool right;     /* numbers */
	int goes; /* left out on a narrow terminal, the greatest first; 0: never; TABLE_CUT_LAST */
};

struct table_line {
	char *text;
	unsigned width;
	enum show_colour colour;
	size_t row, column;
};

struct table {
	const struct table_column *column;
	size_t columns, rows; /* rows: that were begun */
	struct table_line *line;
	size_t lines;
};

/* column: stays the caller's. show_open() came before. */
void table_open(struct table *table, const struct table_column *column, size_t columns);
void table_row(struct table *table);
/* The text, which is cleaned, of a column of the last row; what is added to it again stands below,
 * or behind a comma where a row is one line. Die without memory. */
void table_add(struct table *table, size_t column, enum show_colour colour, const char *text);
/* Prints all of it below its titles (nothing when there is no row), and frees. */
void table_print(struct table *table);

#endif
