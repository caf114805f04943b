/*
 * show: text from rules and images on a terminal. Nothing in it can command the terminal: whatever
 * is not printed in columns is written as \n, \xNN or \uNNNN, and so is all that is not ASCII when
 * the user's locale has no UTF-8.
 */
#ifndef SHOW_H
#define SHOW_H

#include <jansson.h>

#include "base/str.h"

/* Looks at locale and terminal; comes first. */
void show_open(void);
/* Looks again how wide the terminal is. */
void show_measure(void);

/* Adds text to line, escaped. */
void show_add(struct buf *line, const char *text);

/* These print a line, which show_add() made or which is ASCII, indented by so many columns, and
 * free it; without memory for it they die. Where it is longer than the terminal is wide, the first
 * breaks it at blanks and indents what follows by four columns more; the second leaves it whole, to
 * be copied. */
void show_line(struct buf *line, unsigned indent);
void show_whole(struct buf *line, unsigned indent);
/* The same with a label of less than indent - margin columns at column margin; when cut, the line
 * ends where the terminal does. */
void show_labelled(struct buf *line, const char *label, unsigned margin, unsigned indent, bool cut);

/* The width of the terminal; 0: the output ends nowhere, as in a file. */
unsigned show_columns(void);
/* Of text that show_add() has made: its width, and how many of its bytes go into so many columns,
 * of which it takes used. What stands for the rest is one column wide. */
unsigned show_width(const char *text);
size_t show_cut(const char *text, unsigned columns, unsigned *used);
const char *show_ellipsis(void);

/* What switches to a colour; "" where none is wanted: not on a terminal, or NO_COLOR. */
enum show_colour { SHOW_PLAIN, SHOW_TITLE, SHOW_FAINT, SHOW_GOOD, SHOW_WAITS, SHOW_BAD };
const char *show_colour(enum show_colour colour);

/* Prints the object in a line of its own, and decrefs it. Dies without memory, and for NULL. */
void show_json(json_t *object);

/* Dies when the output could not be written. */
void show_close(void);

#endif
