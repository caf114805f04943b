#include "syntax.h"

#include <stdio.h>
#include <string.h>

#define IMPLICIT "1.2.840.10008.1.2"
#define EXPLICIT "1.2.840.10008.1.2.1"
#define BIG      "1.2.840.10008.1.2.2"

/* By their names in PS3.6 A-1; what must be allowed before the tool of DCMTK 3.6.7 may convert them
 * (dcmdjpeg has no decoder for the processes without a tool here). */
static const struct syntax {
	const char *uid, *name;
	enum syntax_decompress needed;
	const char *tool;
} syntaxes[] = {
	{ "1.2.840.10008.1.2", "Implicit VR Little Endian", SYNTAX_NEVER, "dcmconv" },
	{ "1.2.840.10008.1.2.1", "Explicit VR Little Endian", SYNTAX_NEVER, "dcmconv" },
	{ "1.2.840.10008.1.2.2", "Explicit VR Big Endian", SYNTAX_NEVER, "dcmconv" },
	{ "1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", SYNTAX_NEVER, "dcmconv" },
	{ "1.2.840.10008.1.2.5", "RLE Lossless", SYNTAX_LOSSLESS, "dcmdrle" },
	{ "1.2.840.10008.1.2.4.50", "JPEG Baseline", SYNTAX_LOSSY, "dcmdjpeg" },
	{ "1.2.840.10008.1.2.4.51", "JPEG Extended", SYNTAX_LOSSY, "dcmdjpeg" },
	{ "1.2.840.10008.1.2.4.52", "JPEG Extended, Process 3 & 5", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Process 6 & 8", SYNTAX_LOSSY,
		"dcmdjpeg" },
	{ "1.2.840.10008.1.2.4.54", "JPEG Spectral Selection, Process 7 & 9", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.55", "JPEG Full Progression, Process 10 & 12", SYNTAX_LOSSY,
		"dcmdjpeg" },
	{ "1.2.840.10008.1.2.4.56", "JPEG Full Progression, Process 11 & 13", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.57", "JPEG Lossless, Process 14", SYNTAX_LOSSLESS, "dcmdjpeg" },
	{ "1.2.840.10008.1.2.4.58", "JPEG Lossless, Process 15", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.59", "JPEG Extended, Process 16 & 18", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.60", "JPEG Extended, Process 17 & 19", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.61", "JPEG Spectral Selection, Process 20 & 22", SYNTAX_NEVER,
		NULL },
	{ "1.2.840.10008.1.2.4.62", "JPEG Spectral Selection, Process 21 & 23", SYNTAX_NEVER,
		NULL },
	{ "1.2.840.10008.1.2.4.63", "JPEG Full Progression, Process 24 & 26", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.64", "JPEG Full Progression, Process 25 & 27", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.65", "JPEG Lossless, Process 28", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.66", "JPEG Lossless, Process 29", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.70", "JPEG Lossless, First-Order Prediction", SYNTAX_LOSSLESS,
		"dcmdjpeg" },
	{ "1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", SYNTAX_LOSSLESS, "dcmdjpls" },
	{ "1.2.840.10008.1.2.4.81", "JPEG-LS Lossy", SYNTAX_LOSSY, "dcmdjpls" },
	{ "1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.91", "JPEG 2000", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.92", "JPEG 2000 Multi-component Lossless", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.93", "JPEG 2000 Multi-component", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.100", "MPEG2 Main Profile", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.102", "MPEG-4 High Profile / Level 4.1", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.103", "MPEG-4 BD-compatible High Profile", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.104", "MPEG-4 High Profile / Level 4.2, 2D", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.105", "MPEG-4 High Profile / Level 4.2, 3D", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.106", "MPEG-4 Stereo High Profile", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.110", "JPEG XL Lossless", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.112", "JPEG XL", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.201", "HTJ2K Lossless", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.202", "HTJ2K Lossless RPCL", SYNTAX_NEVER, NULL },
	{ "1.2.840.10008.1.2.4.203", "HTJ2K", SYNTAX_NEVER, NULL },
};

static const struct syntax *find(const char *uid)
{
	for (size_t i = 0; i < sizeof(syntaxes) / sizeof(syntaxes[0]); i++)
		if (strcmp(uid, syntaxes[i].uid) == 0)
			return &syntaxes[i];
	return NULL;
}

size_t syntax_fallbacks(const char *own, enum syntax_decompress decompress,
	struct syntax_fallback out[SYNTAX_FALLBACKS])
{
	static const struct syntax_fallback all[SYNTAX_FALLBACKS] = { { EXPLICIT, "+te" },
		{ IMPLICIT, "+ti" }, { BIG, "+tb" } };
	const struct syntax *syntax = find(own);
	size_t n = 0;

	if (!syntax || !syntax->tool || syntax->needed > decompress)
		return 0;
	for (size_t i = 0; i < SYNTAX_FALLBACKS; i++)
		if (strcmp(all[i].uid, own) != 0)
			out[n++] = all[i];
	return n;
}

const char *syntax_tool(const char *uid)
{
	const struct syntax *syntax = find(uid);

	return syntax ? syntax->tool : NULL;
}

void syntax_name(const char *uid, char *out, size_t size)
{
	const struct syntax *syntax = find(uid);

	if (syntax)
		(void)snprintf(out, size, "%s (%s)", syntax->name, uid);
	else
		(void)snprintf(out, size, "%s", uid);
}

bool syntax_deflated(const char *uid)
{
	static const char *const deflated[] = { "1.2.840.10008.1.2.1.99",
		"1.2.840.10008.1.2.4.95" /* JPIP */, "1.2.840.10008.1.2.4.205" };

	for (size_t i = 0; i < sizeof(deflated) / sizeof(deflated[0]); i++)
		if (strcmp(uid, deflated[i]) == 0)
			return true;
	return false;
}

void syntax_not_accepted(const char *own, enum syntax_decompress decompress, char *out, size_t size)
{
	static const char begin[] =
		"the target accepts this SOP class in no transfer syntax that was offered";
	struct syntax_fallback others[SYNTAX_FALLBACKS];
	const size_t n = syntax_fallbacks(own, decompress, others);
	char name[128];

	syntax_name(own, name, sizeof(name));
	if (n == SYNTAX_FALLBACKS)
		(void)snprintf(out, size,
			"%s: the image's own, %s, and the three uncompressed ones", begin, name);
	else if (n > 0)
		(void)snprintf(out, size, "%s: the three uncompressed ones", begin);
	else if (!syntax_tool(own))
		(void)snprintf(out, size,
			"%s: only the image's own, %s, which cannot be converted here", begin,
			name);
	else
		(void)snprintf(out, size,
			"%s: only the image's own, %s; decompress allows no other", begin, name);
}
