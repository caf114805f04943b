/*
 * section: which section `sender` of dcmspool.conf(5) is a caller's, and what holds for him then.
 */
#ifndef SECTION_H
#define SECTION_H

#include "conf/conf.h"
#include "dicom/network/caller.h"

/* The first section that fits, or NULL: the receiver's keys hold. */
const struct conf_sender *section_find(const struct conf *conf, const struct caller *caller);

enum conf_accept section_accept(const struct conf *conf, const struct conf_sender *sender);

/* Whether the caller is admitted by these; sender may be NULL. */
bool section_calling_ok(
	const struct conf *conf, const struct conf_sender *sender, const struct caller *caller);
bool section_called_ok(
	const struct conf *conf, const struct conf_sender *sender, const struct caller *caller);
bool section_address_ok(
	const struct conf *conf, const struct conf_sender *sender, const struct caller *caller);

#endif
