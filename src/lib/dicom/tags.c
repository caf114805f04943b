/* The tags that are read, and what asks for them by name. */
#include "dicom/want.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Ascending: the reader looks them up by bisection and stops after the last one. */
static const struct dicom_tag fixed[] = {
	{ 0x0002, 0x0002, "UI", "MediaStorageSOPClassUID" },
	{ 0x0002, 0x0010, "UI", "TransferSyntaxUID" },
	{ 0x0008, 0x0005, "CS", "SpecificCharacterSet" },
	{ 0x0008, 0x0008, "CS", "ImageType" },
	{ 0x0008, 0x0016, "UI", "SOPClassUID" },
	{ 0x0008, 0x0018, "UI", "SOPInstanceUID" },
	{ 0x0008, 0x0021, "DA", "SeriesDate" },
	{ 0x0008, 0x0022, "DA", "AcquisitionDate" },
	{ 0x0008, 0x0031, "TM", "SeriesTime" },
	{ 0x0008, 0x0032, "TM", "AcquisitionTime" },
	{ 0x0008, 0x0050, "SH", "AccessionNumber" },
	{ 0x0008, 0x0054, "AE", "RetrieveAETitle" },
	{ 0x0008, 0x0055, "AE", "StationAETitle" },
	{ 0x0008, 0x0060, "CS", "Modality" },
	{ 0x0008, 0x0070, "LO", "Manufacturer" },
	{ 0x0008, 0x0080, "LO", "InstitutionName" },
	{ 0x0008, 0x0090, "PN", "ReferringPhysicianName" },
	{ 0x0008, 0x0100, "SH", "CodeValue" },
	{ 0x0008, 0x0104, "LO", "CodeMeaning" },
	{ 0x0008, 0x1010, "SH", "StationName" },
	{ 0x0008, 0x1030, "LO", "StudyDescription" },
	{ 0x0008, 0x103e, "LO", "SeriesDescription" },
	{ 0x0008, 0x1090, "LO", "ManufacturerModelName" },
	{ 0x0010, 0x0010, "PN", "PatientName" },
	{ 0x0010, 0x0020, "LO", "PatientID" },
	{ 0x0010, 0x0030, "DA", "PatientBirthDate" },
	{ 0x0010, 0x0040, "CS", "PatientSex" },
	{ 0x0018, 0x0010, "LO", "ContrastBolusAgent" },
	{ 0x0018, 0x0015, "CS", "BodyPartExamined" },
	{ 0x0018, 0x0020, "CS", "ScanningSequence" },
	{ 0x0018, 0x0021, "CS", "SequenceVariant" },
	{ 0x0018, 0x0024, "SH", "SequenceName" },
	{ 0x0018, 0x0050, "DS", "SliceThickness" },
	{ 0x0018, 0x0087, "DS", "MagneticFieldStrength" },
	{ 0x0018, 0x1000, "LO", "DeviceSerialNumber" },
	{ 0x0018, 0x1002, "UI", "DeviceUID" },
	{ 0x0018, 0x1020, "LO", "SoftwareVersions" },
	{ 0x0018, 0x1030, "LO", "ProtocolName" },
	{ 0x0018, 0x9302, "CS", "AcquisitionType" },
	{ 0x0020, 0x000d, "UI", "StudyInstanceUID" },
	{ 0x0020, 0x000e, "UI", "SeriesInstanceUID" },
	{ 0x0020, 0x0010, "SH", "StudyID" },
	{ 0x0020, 0x0011, "IS", "SeriesNumber" },
	{ 0x0020, 0x0012, "IS", "AcquisitionNumber" },
	{ 0x0020, 0x0013, "IS", "InstanceNumber" },
	{ 0x0020, 0x4000, "LT", "ImageComments" },
};
enum { FIXED = sizeof(fixed) / sizeof(*fixed) };

const struct dicom_tag *dicom_tags = fixed;
size_t dicom_tag_count = FIXED;
const size_t dicom_fixed_count = FIXED;

struct dicom_want dicom_wants[DICOM_WANTS];
size_t dicom_want_count;

void dicom_tags_add(struct dicom_want *want, const char *vr)
{
	static struct dicom_tag all[FIXED + DICOM_WANTS];
	const uint32_t tag = want->step[want->steps - 1].tag;
	struct dicom_tag *added = &all[FIXED + dicom_want_count++];

	memcpy(all, fixed, sizeof(fixed));
	added->group = (uint16_t)(tag >> 16);
	added->element = (uint16_t)(tag & 0xffff);
	memcpy(added->vr, vr, sizeof(added->vr));
	added->keyword = want->name;
	dicom_tags = all;
	dicom_tag_count = FIXED + dicom_want_count;
}

void dicom_want_none(void)
{
	dicom_want_count = 0;
	dicom_tags = fixed;
	dicom_tag_count = FIXED;
}

int dicom_tag_index(const char *keyword)
{
	for (size_t i = 0; i < dicom_tag_count; i++)
		if (strcasecmp(keyword, dicom_tags[i].keyword) == 0)
			return (int)i;
	return -1;
}

const char *dicom_get(const struct dicom_header *header, const char *keyword)
{
	int i = dicom_tag_index(keyword);

	return i >= 0 && (size_t)i < header->count && header->value[i] ? header->value[i] : "";
}

void dicom_header_free(struct dicom_header *header)
{
	for (size_t i = 0; i < header->count; i++)
		free(header->value[i]);
	free(header->value);
	*header = (struct dicom_header){ 0 };
}
