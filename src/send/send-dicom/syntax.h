/*
 * syntax: transfer syntaxes: their names, into which others an image may be converted, by what, and
 * what is said of an image that the target takes in none that was offered.
 */
#ifndef SYNTAX_H
#define SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

/* The setting: what may be decompressed. */
enum syntax_decompress { SYNTAX_NEVER, SYNTAX_LOSSLESS, SYNTAX_LOSSY };

/* Those in which an image may go to a target that does not take its own, best first, each with the
 * option by which DCMTK's tools write it. */
enum { SYNTAX_FALLBACKS = 3 };
struct syntax_fallback {
	const char *uid, *option;
};
size_t syntax_fallbacks(const char *own, enum syntax_decompress decompress,
	struct syntax_fallback out[SYNTAX_FALLBACKS]);

/* The program that converts it; NULL: none. */
const char *syntax_tool(const char *uid);
/* "RLE Lossless (1.2.840.10008.1.2.5)", or the UID alone. */
void syntax_name(const char *uid, char *out, size_t size);
/* True when its data sets are deflated: they end on an even byte (PS3.5 A.5). */
bool syntax_deflated(const char *uid);

/* Why the target did not take an image: what was offered. */
void syntax_not_accepted(
	const char *own, enum syntax_decompress decompress, char *out, size_t size);

#endif
