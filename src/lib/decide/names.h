/*
 * names: the names of tags that users write in rules, in extra_tags and on command lines; and what
 * was meant by an unknown one.
 */
#ifndef DECIDE_NAMES_H
#define DECIDE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct conf_work;
struct nearest;
struct rule_error;

/* True for a name that a rule may use: one of dicom_tags, SenderAddress, SenderAET, ReceiverAET or
 * SenderCertificate. Names are case-insensitive. */
bool names_known(const char *name);

/* Tries the names that names_known() knows, and the keywords of the whole standard. */
void names_nearest(struct nearest *nearest);
void names_nearest_keyword(struct nearest *nearest);

/* What was meant by a tag that rule_compile() does not know, or how rules come to know it, to be
 * added to the message; "" for other mistakes. out: NEAREST_HINT bytes. */
const char *names_hint(const struct rule_error *error, char *out, size_t size);

/* dicom_want(), and dicom_want_list(), with suggestions for an unknown keyword. Return 0, or -1
 * with why. */
enum { NAMES_WHY = 512 }; /* room for it */
int names_want(const char *name, char *why, size_t size);
int names_want_list(const char *names, char *why, size_t size);

/* For conf_load(), in programs that read images: adds extra_tags to dicom_tags, in place of what
 * was added before. */
void names_check(struct conf_work *work);

#endif
