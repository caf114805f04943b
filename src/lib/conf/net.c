/*
 * net: addresses and prefixes. An IPv4 prefix is kept as its IPv4-mapped IPv6 prefix (RFC
 * 4291, 2.5.5.2), because that is how a dual-stack socket names IPv4 peers: one comparison serves
 * both.
 */
#define _GNU_SOURCE /* strchrnul */
#include "conf/work.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void conf_parse_address(const struct conf_item *i)
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, i->text, &address) != 1 &&
		inet_pton(AF_INET, i->text, &address) != 1)
		CONF_WRONG(i,
			"\"%s\" is not an IP address; for example \"0.0.0.0\", \"::\", "
			"\"127.0.0.1\"",
			i->text);
	else if (!conf_repeated(i))
		conf_append_string(i, i->text, strlen(i->text));
}

/* Clears the bits behind the prefix; true when there were any. */
static bool clear_host_bits(struct conf_prefix *p)
{
	bool any = false;

	for (int bit = p->bits; bit < 128; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> (bit % 8));

		any = any || (p->address.s6_addr[bit / 8] & mask);
		p->address.s6_addr[bit / 8] &= (uint8_t)~mask;
	}
	return any;
}

void conf_print_prefix(struct buf *out, const struct conf_prefix *p)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = IN6_IS_ADDR_V4MAPPED(&p->address) && p->bits >= 96;

	/* cannot fail: the family is known and the buffer large enough */
	if (v4)
		(void)inet_ntop(AF_INET, &p->address.s6_addr[12], text, sizeof(text));
	else
		(void)inet_ntop(AF_INET6, &p->address, text, sizeof(text));
	buf_printf(out, "%s/%d", text, v4 ? p->bits - 96 : p->bits);
}

void conf_parse_prefix(const struct conf_item *i)
{
	const char *slash = strchrnul(i->text, '/');
	struct conf_prefix prefix = { .bits = 128 }, **list = conf_field(i->key, i->base), *grown;
	size_t *count = conf_field_count(i->key, i->base);
	struct buf right = { 0 };
	char text[INET6_ADDRSTRLEN] = "";
	long bits = 0;
	int family = AF_INET6;
	bool ok;

	if ((size_t)(slash - i->text) < sizeof(text))
		memcpy(text, i->text, (size_t)(slash - i->text));
	if (inet_pton(AF_INET, text, &prefix.address.s6_addr[12]) == 1) {
		family = AF_INET;
		prefix.address.s6_addr[10] = prefix.address.s6_addr[11] = 0xff;
	}
	ok = family == AF_INET || inet_pton(AF_INET6, text, &prefix.address) == 1;
	if (ok && *slash) {
		ok = parse_long(slash + 1, 0, family == AF_INET ? 32 : 128, &bits) == 0;
		prefix.bits = (int)bits + (family == AF_INET ? 96 : 0);
	}
	if (!ok) {
		CONF_WRONG(i,
			"\"%s\" is not an address or prefix; for example \"10.0.0.5\", "
			"\"10.0.0.0/8\", "
			"\"fd00::/8\"",
			i->text);
		return;
	}
	if (clear_host_bits(&prefix)) {
		conf_print_prefix(&right, &prefix);
		CONF_WRONG(i, "\"%s\" has bits beyond its prefix; %s", i->text,
			right.failed ? "clear them" : right.data);
		buf_free(&right);
		return;
	}
	grown = reallocarray(*list, *count + 1, sizeof(*grown));
	if (!grown) {
		i->work->no_memory = true;
		return;
	}
	*list = grown;
	grown[(*count)++] = prefix;
}
