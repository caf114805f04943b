#include "dicom/json.h"

json_t *dicom_json(const struct dicom_header *header)
{
	json_t *object = json_object();
	const char *value;

	for (size_t i = 0; object && i < dicom_tag_count; i++) {
		value = i < header->count && header->value[i] ? header->value[i] : "";
		if (json_object_set_new(object, dicom_tags[i].keyword, json_string(value)) < 0) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

int dicom_json_problems(json_t *object, const struct dicom_header *header)
{
	if (header->charset_problem &&
		json_object_set_new(object, "charset_problem", json_true()) < 0)
		return -1;
	return header->note ? json_object_set_new(object, "note", json_string(header->note)) : 0;
}
