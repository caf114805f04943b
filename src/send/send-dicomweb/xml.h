/*
 * xml: an answer in the Native DICOM Model (PS3.19 A.1), as servers gave before PS3.18 knew JSON,
 * turned into what the same answer would be in DICOM JSON. Text stays text: numbers are strings.
 */
#ifndef XML_H
#define XML_H

#include "base/str.h"

#include <jansson.h>

/* Does it look like XML? */
bool xml_is(const struct buf *text);

/* The data set, which the caller gives back; NULL when it is cut off, or something else. */
json_t *xml_read(const struct buf *text);

#endif
