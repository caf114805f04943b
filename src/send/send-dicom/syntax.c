#include "syntax.h"

#include "dicom/dicom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum way { NEVER, LOSSLESS, LOSSY }; /* how dcmsend must be allowed to decompress it */

/* Those that DIMSE of DCMTK 3.6.7 sends (dimse.cc, getTransferSyntax()), by their names in PS3.6
 * A-1, and whether its dcmsend has a decoder (dcmsend --list-decoders). */
static const struct {
	const char *uid, *name;
	enum way way;
} syntaxes[] = {
	{ "1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", LOSSLESS },
	{ "1.2.840.10008.1.2.5", "RLE Lossless", LOSSLESS },
	{ "1.2.840.10008.1.2.4.50", "JPEG Baseline", LOSSY },
	{ "1.2.840.10008.1.2.4.51", "JPEG Extended", LOSSY },
	{ "1.2.840.10008.1.2.4.52", "JPEG Extended, Process 3 & 5", NEVER },
	{ "1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Process 6 & 8", LOSSY },
	{ "1.2.840.10008.1.2.4.54", "JPEG Spectral Selection, Process 7 & 9", NEVER },
	{ "1.2.840.10008.1.2.4.55", "JPEG Full Progression, Process 10 & 12", LOSSY },
	{ "1.2.840.10008.1.2.4.56", "JPEG Full Progression, Process 11 & 13", NEVER },
	{ "1.2.840.10008.1.2.4.57", "JPEG Lossless, Process 14", LOSSLESS },
	{ "1.2.840.10008.1.2.4.58", "JPEG Lossless, Process 15", NEVER },
	{ "1.2.840.10008.1.2.4.59", "JPEG Extended, Process 16 & 18", NEVER },
	{ "1.2.840.10008.1.2.4.60", "JPEG Extended, Process 17 & 19", NEVER },
	{ "1.2.840.10008.1.2.4.61", "JPEG Spectral Selection, Process 20 & 22", NEVER },
	{ "1.2.840.10008.1.2.4.62", "JPEG Spectral Selection, Process 21 & 23", NEVER },
	{ "1.2.840.10008.1.2.4.63", "JPEG Full Progression, Process 24 & 26", NEVER },
	{ "1.2.840.10008.1.2.4.64", "JPEG Full Progression, Process 25 & 27", NEVER },
	{ "1.2.840.10008.1.2.4.65", "JPEG Lossless, Process 28", NEVER },
	{ "1.2.840.10008.1.2.4.66", "JPEG Lossless, Process 29", NEVER },
	{ "1.2.840.10008.1.2.4.70", "JPEG Lossless, First-Order Prediction", LOSSLESS },
	{ "1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", LOSSLESS },
	{ "1.2.840.10008.1.2.4.81", "JPEG-LS Lossy", LOSSY },
	{ "1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", NEVER },
	{ "1.2.840.10008.1.2.4.91", "JPEG 2000", NEVER },
	{ "1.2.840.10008.1.2.4.92", "JPEG 2000 Multi-component Lossless", NEVER },
	{ "1.2.840.10008.1.2.4.93", "JPEG 2000 Multi-component", NEVER },
	{ "1.2.840.10008.1.2.4.100", "MPEG2 Main Profile", NEVER },
	{ "1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", NEVER },
	{ "1.2.840.10008.1.2.4.102", "MPEG-4 High Profile / Level 4.1", NEVER },
	{ "1.2.840.10008.1.2.4.103", "MPEG-4 BD-compatible High Profile", NEVER },
	{ "1.2.840.10008.1.2.4.104", "MPEG-4 High Profile / Level 4.2, 2D", NEVER },
	{ "1.2.840.10008.1.2.4.105", "MPEG-4 High Profile / Level 4.2, 3D", NEVER },
	{ "1.2.840.10008.1.2.4.106", "MPEG-4 Stereo High Profile", NEVER },
	{ "1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", NEVER },
	{ "1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile", NEVER },
};
enum { COUNT = sizeof(syntaxes) / sizeof(syntaxes[0]) };

/* Its index in syntaxes, or COUNT. */
static size_t find(const char *uid)
{
	size_t i = 0;

	while (i < COUNT && strcmp(uid, syntaxes[i].uid) != 0)
		i++;
	return i;
}

bool syntax_uncompressed(const char *uid)
{
	static const char first[] = "1.2.840.10008.1.2";

	return !uid[0] || strcmp(uid, first) == 0 || strcmp(uid, "1.2.840.10008.1.2.1") == 0 ||
	       strcmp(uid, "1.2.840.10008.1.2.2") == 0;
}

bool syntax_known(const char *uid)
{
	return syntax_uncompressed(uid) || find(uid) < COUNT;
}

int syntax_of(const char *image, char class[SYNTAX_UID_SIZE], char syntax[SYNTAX_UID_SIZE],
	char *why, size_t size)
{
	int fd = open(image, O_RDONLY | O_CLOEXEC), result;
	struct dicom_header header;
	struct dicom_error error;

	class[0] = syntax[0] = '\0';
	if (fd < 0) {
		(void)snprintf(why, size, "%s", strerror(errno));
		return -1;
	}
	result = dicom_read_header(fd, &header, &error);
	if (result < 0) {
		(void)snprintf(why, size, "%s", error.text);
	} else {
		(void)snprintf(class, SYNTAX_UID_SIZE, "%s", dicom_get(&header, "SOPClassUID"));
		(void)snprintf(
			syntax, SYNTAX_UID_SIZE, "%s", dicom_get(&header, "TransferSyntaxUID"));
	}
	dicom_header_free(&header);
	(void)close(fd); /* only read */
	return result;
}

void syntax_not_accepted(const char *image, const char *decompress, char *out, size_t size)
{
	static const char begin[] =
		"the target accepts this SOP class in no transfer syntax that was offered";
	const bool lossy = strcmp(decompress, "lossy") == 0;
	char class[SYNTAX_UID_SIZE], uid[SYNTAX_UID_SIZE], why[8];
	size_t i;

	if (syntax_of(image, class, uid, why, sizeof(why)) < 0) {
		(void)snprintf(out, size, "%s", begin);
		return;
	}
	i = find(uid);
	if (syntax_uncompressed(uid))
		(void)snprintf(out, size, "%s: the three uncompressed ones", begin);
	else if (i == COUNT)
		(void)snprintf(out, size, "%s: only the image's own, %s", begin, uid);
	else if (strcmp(decompress, "never") != 0 && syntaxes[i].way != NEVER &&
		 (lossy || syntaxes[i].way == LOSSLESS))
		(void)snprintf(out, size,
			"%s: the image's own, %s (%s), and the three uncompressed ones", begin,
			syntaxes[i].name, uid);
	else
		(void)snprintf(out, size, "%s: only the image's own, %s (%s)", begin,
			syntaxes[i].name, uid);
}
