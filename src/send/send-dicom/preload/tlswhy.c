/*
 * tlswhy.so: preloaded (LD_PRELOAD, ld.so(8)) into DCMTK's storescu and echoscu, it logs why TLS
 * failed, as a line of their logs. DCMTK 3.6.7 knows more than it says: of a certificate only that
 * it cannot be verified, of a target that refuses ours only that the connection is gone.
 *
 * OpenSSL's functions are found at run time: what does not use TLS has none, and nothing is linked.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_BUG = 101 }; /* as log.h has it */
enum { WANT_READ = 2 };    /* SSL_ERROR_WANT_READ, which openssl/ssl.h has */

int SSL_connect(void *ssl);
int SSL_read(void *ssl, void *data, int size);
int SSL_write(void *ssl, const void *data, int size);

/* A function of the libraries behind us, as bytes of a pointer: C11 has no cast from one to the
 * other. */
static void find_next(const char *name, void *function, size_t size)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		_exit(STATUS_BUG);
	memcpy(function, &symbol, size);
}

static void say(const char *what, const char *why)
{
	(void)dprintf(STDERR_FILENO, "E|tlswhy.c|%s%s\n", what, why); /* only an explanation */
}

/* The first reason is the one that counts. connecting: what SSL_connect() returned, else 1. */
static void say_why(void *ssl, int connecting)
{
	long (*verify_result)(const void *);
	const char *(*verify_text)(long);
	unsigned long (*last_error)(void);
	const char *(*reason)(unsigned long);
	int (*error)(const void *, int);
	static int said;
	const char *text;
	long result;

	if (said++)
		return;
	find_next("SSL_get_verify_result", &verify_result, sizeof(verify_result));
	find_next("X509_verify_cert_error_string", &verify_text, sizeof(verify_text));
	find_next("ERR_peek_last_error", &last_error, sizeof(last_error));
	find_next("ERR_reason_error_string", &reason, sizeof(reason));
	find_next("SSL_get_error", &error, sizeof(error));
	result = verify_result(ssl);
	text = last_error() ? reason(last_error()) : NULL;
	if (result != 0)
		say("the target's certificate is not accepted: ", verify_text(result));
	else if (text && strstr(text, " alert "))
		say("the target refuses the TLS connection: ", strstr(text, " alert ") + 7);
	else if (text)
		say("TLS failed: ", text);
	else if (connecting > 0)
		said = 0; /* the connection has ended, which is not for us to explain */
	else if (error(ssl, connecting) == WANT_READ)
		say("TLS failed: ", "the target does not answer in time");
	else
		say("TLS failed: ",
			"the target ended the connection; it may speak no TLS at this port");
}

int SSL_connect(void *ssl)
{
	static int (*next)(void *);
	int result;

	if (!next)
		find_next("SSL_connect", &next, sizeof(next));
	result = next(ssl);
	if (result <= 0)
		say_why(ssl, result);
	return result;
}

int SSL_read(void *ssl, void *data, int size)
{
	static int (*next)(void *, void *, int);
	int result;

	if (!next)
		find_next("SSL_read", &next, sizeof(next));
	result = next(ssl, data, size);
	if (result <= 0)
		say_why(ssl, 1);
	return result;
}

/* With TLS 1.3 a target refuses our certificate when we believe to be connected: its alert waits to
 * be read while our write fails. */
int SSL_write(void *ssl, const void *data, int size)
{
	static int (*next)(void *, const void *, int);
	int (*peek)(void *, void *, int);
	int result;
	char byte;

	if (!next)
		find_next("SSL_write", &next, sizeof(next));
	result = next(ssl, data, size);
	if (result <= 0) {
		find_next("SSL_peek", &peek, sizeof(peek));
		(void)peek(ssl, &byte, 1); /* it is the alert that we want */
		say_why(ssl, 1);
	}
	return result;
}
