/*
 * tls: TLS 1.2 and 1.3 by OpenSSL on a connection of dicom/network/connection.h, as PS3.15 B.12 and
 * B.13 want it (BCP 195).
 *
 * It is a library of its own, tls.so beside the programs, which only a sender loads whose target
 * wants TLS: OpenSSL is 1.5 of the 2.4 ms of processor time in which send-dicom starts.
 */
#ifndef TLS_H
#define TLS_H

#include "dicom/network/connection.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_settings {
	const char *host;        /* whom we call */
	const char *name;        /* what the certificate must say instead of that; NULL: the host */
	const char *authorities; /* PEM file of those that are believed; NULL: the system's */
	const char *certificate, *key; /* ours, PEM files; NULL: none */
	bool anonymous;                /* whoever answers is believed: encryption and no more */
	bool modified;                 /* B.13 instead of B.12 */
};

struct tls;

struct tls_library {
	/* Reads the files. NULL with why, in words, when these settings cannot work. The settings
	 * must live as long as what is returned. */
	struct tls *(*open)(const struct tls_settings *settings, char *why, size_t size);
	void (*close)(struct tls *tls);
	/* Puts it on a connection (association_secure of dicom/network/association.h). 0 or -1. */
	int (*secure)(struct connection *connection, void *tls);
};

/* NULL, with why in words, when it cannot be loaded. */
const struct tls_library *tls_load(char *why, size_t size);

#endif
