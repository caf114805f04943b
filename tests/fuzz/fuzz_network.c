/*
 * fuzz_network: everything that a peer can send to us, as a requestor and as an acceptor. The first
 * byte chooses: the pure parsers, or a whole association on a local socket from which the rest is
 * read.
 */
#define _GNU_SOURCE /* memfd_create */
#include "dicom/network/acceptor.h"
#include "dicom/network/association_impl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct associate_proposal proposal[] = {
	{ "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2" },
	{ "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1" },
};

static const char *other(const void *context, const char *uid)
{
	(void)context;
	return uid[strlen(uid) - 1] == '1' ? "1.2.3" : NULL;
}

static void parse(const uint8_t *data, size_t size)
{
	static struct acceptor_request request;
	struct wire_view v = { data, size };
	struct associate_answer answer;
	struct dimse_response response;
	struct buf out = { 0 };
	struct wire_pdv pdv;
	char text[64];
	bool for_now;

	(void)associate_parse_accept(data, size, proposal, 2, &answer);
	(void)dimse_parse(data, size, &response);
	while (wire_take_pdv(&v, &pdv))
		;
	(void)acceptor_parse(data, size, &request);
	(void)acceptor_rename(data, size, other, NULL, &out);
	buf_free(&out);
	if (size < 4)
		return;
	associate_reject_text(data, &for_now, text, sizeof(text));
	associate_abort_text(data, text, sizeof(text));
}

static void associate(const uint8_t *data, size_t size, bool begun)
{
	static const struct association_data nothing = { .fd = -1 };
	struct association a = {
		.proposal = proposal, .count = 2, .longest = 16384, .chunk = 1024
	};
	struct association_data image = nothing;
	struct dimse_response response;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	image.fd = memfd_create("image", 0);
	image.length = 100;
	if (image.fd < 0 || ftruncate(image.fd, image.length) < 0)
		abort();
	(void)send(ends[1], data, size, MSG_NOSIGNAL); /* as much as there is room for */
	(void)shutdown(ends[1], SHUT_WR);
	a.connection = (struct connection){
		.fd = ends[0], .timeout_ms = 5, .in = malloc(CONNECTION_INPUT)
	};
	a.out = malloc(ASSOCIATION_OUT);
	a.begun = begun;
	if (begun && association_check(&a) == 0 &&
		association_store(&a, 0, "1.2.3", &image, &response) == 0)
		(void)association_echo(&a, 1, &response);
	else if (!begun)
		(void)association_answer(&a);
	if (a.trouble && !a.why[0])
		abort();
	a.trouble = a.trouble ? ASSOCIATION_UNREACHABLE : a.trouble; /* nobody to linger for */
	association_close(&a);
	(void)close(ends[1]);
	(void)close(image.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 3 == 0)
		parse(data + 1, size - 1);
	else
		associate(data + 1, size - 1, data[0] % 3 == 1);
	return 0;
}
