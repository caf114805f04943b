#include "section.h"

#include <fnmatch.h>
#include <string.h>

/* Only spaces are no AE title (PS3.5 6.2), and storescp would let the sender wait for an answer. */
static bool lists(const struct conf_strings *list, const char *text)
{
	if (!*text)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return list->count == 0;
}

static bool matches(const struct conf_prefix *prefix, const struct in6_addr *address)
{
	int whole = prefix->bits / 8, rest = prefix->bits % 8;
	unsigned int mask = 0xff00u >> rest & 0xff;

	if (memcmp(prefix->address.s6_addr, address->s6_addr, (size_t)whole) != 0)
		return false;
	return rest == 0 ||
	       ((prefix->address.s6_addr[whole] ^ address->s6_addr[whole]) & mask) == 0;
}

static bool comes_from(const struct conf_prefix *prefix, size_t count, const struct caller *caller)
{
	for (size_t i = 0; caller->has_address && i < count; i++)
		if (matches(&prefix[i], &caller->address))
			return true;
	return count == 0;
}

static bool has_certificate(const struct conf_strings *patterns, const char *subject)
{
	for (size_t i = 0; *subject && i < patterns->count; i++)
		if (fnmatch(patterns->item[i], subject, 0) == 0)
			return true;
	return patterns->count == 0;
}

const struct conf_sender *section_find(const struct conf *conf, const struct caller *caller)
{
	for (size_t i = 0; i < conf->sender_count; i++) {
		const struct conf_sender *s = &conf->sender[i];

		if ((s->calling_aets.count == 0 || lists(&s->calling_aets, caller->calling)) &&
			comes_from(s->allow, s->allow_count, caller) &&
			has_certificate(&s->certificates, caller->certificate))
			return s;
	}
	return NULL;
}

enum conf_accept section_accept(const struct conf *conf, const struct conf_sender *sender)
{
	if (!sender || sender->accept == CONF_SENDER_AS_RECEIVER)
		return conf->receiver.accept;
	return sender->accept == CONF_SENDER_ALL ? CONF_ACCEPT_ALL : CONF_ACCEPT_UNCOMPRESSED;
}

bool section_calling_ok(
	const struct conf *conf, const struct conf_sender *sender, const struct caller *caller)
{
	return lists(sender && sender->calling_aets.count ? &sender->calling_aets
							  : &conf->receiver.calling_aets,
		caller->calling);
}

bool section_called_ok(
	const struct conf *conf, const struct conf_sender *sender, const struct caller *caller)
{
	return lists(sender && sender->called_aets.count ? &sender->called_aets
							 : &conf->receiver.called_aets,
		caller->called);
}

bool section_address_ok(
	const struct conf *conf, const struct conf_sender *sender, const struct caller *caller)
{
	if (sender && sender->allow_count)
		return true; /* else it would not be his */
	return comes_from(conf->receiver.allow, conf->receiver.allow_count, caller);
}
