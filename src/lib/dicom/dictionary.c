#include "dicom/dictionary.h"

#include <strings.h>

static const struct dicom_entry entries[] = {
#include "dicom_dictionary_table.h"
};
enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };

const struct dicom_entry *dicom_dictionary_keyword(const char *keyword)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (strcasecmp(entries[i].keyword, keyword) == 0)
			return &entries[i];
	return NULL;
}

const struct dicom_entry *dicom_dictionary_tag(uint16_t group, uint16_t element)
{
	static const struct dicom_entry length = { 0, 0, "UL", "GenericGroupLength" };
	static const struct dicom_entry creator = { 0, 0, "LO", "PrivateCreator" };

	if (element == 0)
		return &length; /* PS3.5 7.2 */
	if (group % 2 && element >= 0x10 && element <= 0xff)
		return &creator;                      /* PS3.5 7.8.1 */
	if (group >> 8 == 0x50 || group >> 8 == 0x60) /* repeating groups, PS3.5 7.6 */
		group &= 0xff00;
	for (size_t i = 0; i < ENTRIES; i++)
		if (entries[i].group == group && entries[i].element == element)
			return &entries[i];
	return NULL;
}

const struct dicom_entry *dicom_dictionary_entry(size_t i)
{
	return i < ENTRIES ? &entries[i] : NULL;
}
