#include "standin.h"

#include "profile.h"

#include <stdio.h>
#include <string.h>

static bool is_encapsulated(const char *uid)
{
	static const char *const families[] = { "1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5" };

	return strncmp(uid, families[0], strlen(families[0])) == 0 || strcmp(uid, families[1]) == 0;
}

static bool is_proposed(const struct acceptor_request *r, const char *uid)
{
	for (size_t i = 0; i < r->context_count; i++)
		for (size_t k = 0; k < r->context[i].syntax_count; k++)
			if (strcmp(r->context[i].syntax[k], uid) == 0)
				return true;
	return false;
}

static bool is_receivable(const char *uid)
{
	const char *known;

	for (size_t i = 0; (known = profile_receivable(i)); i++)
		if (strcmp(uid, known) == 0)
			return true;
	return false;
}

/* The next syntax that may stand in for another one, from *index on; NULL when none is left. */
static const char *next_free(const struct acceptor_request *r, size_t *index)
{
	const char *known;

	while ((known = profile_receivable(*index))) {
		++*index;
		if (is_encapsulated(known) && !is_proposed(r, known))
			return known;
	}
	return NULL;
}

static const char *stand_in_of(const void *data, const char *uid)
{
	const struct stand_ins *s = data;

	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->pair[i].real, uid) == 0)
			return s->pair[i].stand_in;
	return NULL;
}

static const char *real_of(const void *data, const char *uid)
{
	const struct stand_ins *s = data;

	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->pair[i].stand_in, uid) == 0)
			return s->pair[i].real;
	return NULL;
}

bool standin_is(const struct stand_ins *s, const char *uid)
{
	return s && real_of(s, uid);
}

/* Nothing that storescp knows is proposed in it. */
static bool needs_stand_in(const struct acceptor_context *context)
{
	for (size_t k = 0; k < context->syntax_count; k++)
		if (is_receivable(context->syntax[k]))
			return false;
	return profile_wants(context->abstract);
}

void standin_choose(
	const struct acceptor_request *request, enum conf_accept accept, struct stand_ins *out)
{
	const char *stand_in;
	size_t index = 0;

	out->count = 0;
	for (size_t i = 0; accept == CONF_ACCEPT_ALL && i < request->context_count; i++) {
		const struct acceptor_context *context = &request->context[i];

		for (size_t k = 0; needs_stand_in(context) && k < context->syntax_count; k++) {
			const char *uid = context->syntax[k];

			if (!*uid || stand_in_of(out, uid))
				continue;
			if (out->count == STAND_INS_MAX || !(stand_in = next_free(request, &index)))
				return;
			out->pair[out->count].stand_in = stand_in;
			(void)snprintf(out->pair[out->count++].real, WIRE_UID + 1, "%s", uid);
		}
	}
}

const char *standin_request(
	const struct stand_ins *s, const unsigned char *pdu, size_t length, struct buf *out)
{
	return acceptor_rename(pdu, length, stand_in_of, s, out);
}

const char *standin_answer(
	const struct stand_ins *s, const unsigned char *pdu, size_t length, struct buf *out)
{
	return acceptor_rename(pdu, length, real_of, s, out);
}
