#include "tls/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls {
	SSL_CTX *context;
	const struct tls_settings *settings;
};

struct session {
	SSL *ssl;
	bool failed; /* after which OpenSSL must not be asked again (SSL_get_error(3)) */
	char why[CONNECTION_WHY];
};

/* With TLS 1.2 only suites with forward secrecy and authenticated encryption; 1.3 has no others.
 * The security level 2 of OpenSSL wants RSA and DH of 2048 bits. PS3.15 B.13 has CCM besides, and
 * no DH over finite fields. */
#define SUITES          "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!DSS:!PSK:!aNULL"
#define SUITES_MODIFIED "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:!PSK:!aNULL"

static const char *last_error(void)
{
	const unsigned long error = ERR_peek_last_error();
	const char *text = error ? ERR_reason_error_string(error) : NULL;

	return text ? text : "unknown reason";
}

/* Nobody is there to be asked for the password of a key. */
static int no_password(char *out, int size, int writing, void *data)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)data = true;
	return -1;
}

static bool is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static const char *expected_name(const struct tls_settings *s)
{
	return s->name ? s->name : s->host;
}

/* Our certificate and key. Returns 0, or -1 with why. */
static int load_own(SSL_CTX *context, const struct tls_settings *s, char *why, size_t size)
{
	bool locked = false;
	int result = -1;

	if (!s->certificate)
		return 0;
	SSL_CTX_set_default_passwd_cb(context, no_password);
	SSL_CTX_set_default_passwd_cb_userdata(context, &locked);
	if (SSL_CTX_use_certificate_chain_file(context, s->certificate) != 1)
		(void)snprintf(why, size, "unable to read the certificate %s: %s", s->certificate,
			last_error());
	else if (SSL_CTX_use_PrivateKey_file(context, s->key, SSL_FILETYPE_PEM) == 1 &&
		 SSL_CTX_check_private_key(context) == 1)
		result = 0;
	else if (locked)
		(void)snprintf(why, size,
			"unable to read the private key %s: it has a password; remove that "
			"(openssl pkey)",
			s->key);
	else if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
		(void)snprintf(why, size, "the private key %s and the certificate %s do not match",
			s->key, s->certificate);
	else
		(void)snprintf(
			why, size, "unable to read the private key %s: %s", s->key, last_error());
	SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
	return result;
}

static int load_authorities(SSL_CTX *context, const struct tls_settings *s, char *why, size_t size)
{
	if (s->anonymous)
		return 0;
	if (!s->authorities && SSL_CTX_set_default_verify_paths(context) == 1)
		return 0;
	if (s->authorities && SSL_CTX_load_verify_file(context, s->authorities) == 1)
		return 0;
	(void)snprintf(why, size, "unable to read the authorities %s: %s",
		s->authorities ? s->authorities : "of the system", last_error());
	return -1;
}

static struct tls *open_settings(const struct tls_settings *settings, char *why, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	struct tls *tls = calloc(1, sizeof(*tls));

	(void)snprintf(why, size, "out of memory");
	if (!context || !tls || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_cipher_list(context, settings->modified ? SUITES_MODIFIED : SUITES) !=
			1 ||
		load_authorities(context, settings, why, size) < 0 ||
		load_own(context, settings, why, size) < 0) {
		SSL_CTX_free(context);
		free(tls);
		return NULL;
	}
	/* An end without close_notify is an end like any other to us: nothing but an answer counts.
	 */
	SSL_CTX_set_options(context,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(
		context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(context, settings->anonymous ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	tls->context = context;
	tls->settings = settings;
	return tls;
}

static void close_settings(struct tls *tls)
{
	SSL_CTX_free(tls->context);
	free(tls);
}

/* Why it failed, once: what comes later follows from it. */
static void explain(struct session *s, bool connecting)
{
	const unsigned long error = ERR_peek_last_error();
	const char *text = error ? ERR_reason_error_string(error) : NULL, *alert;
	const long verified = SSL_get_verify_result(s->ssl);

	if (s->why[0])
		return;
	alert = text ? strstr(text, " alert ") : NULL;
	if (connecting && verified != X509_V_OK && !alert &&
		SSL_get_verify_mode(s->ssl) != SSL_VERIFY_NONE)
		(void)snprintf(s->why, sizeof(s->why),
			"the target's certificate is not accepted: %s",
			X509_verify_cert_error_string(verified));
	else if (alert)
		(void)snprintf(s->why, sizeof(s->why), "the target refuses the TLS connection: %s",
			alert + strlen(" alert "));
	else if (error && (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER ||
				  ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING))
		(void)snprintf(s->why, sizeof(s->why),
			"TLS failed: %s; it may speak no TLS at this port", text);
	else if (text)
		(void)snprintf(s->why, sizeof(s->why), "TLS failed: %s", text);
	else if (connecting)
		(void)snprintf(s->why, sizeof(s->why),
			"TLS failed: the target ended the connection; it may speak no TLS at this "
			"port");
}

/* What a call of OpenSSL came to that did not return a number of bytes: 0 at the end, or -1 with
 * errno as struct connection_layer has it. */
static ssize_t outcome(struct session *s, int result, short *events, bool connecting)
{
	const int number = errno;

	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		if (!connecting)
			return 0;
		break;
	case SSL_ERROR_SYSCALL:
		s->failed = true;
		if (connecting)
			break;
		errno = number ? number : ECONNRESET;
		return -1;
	default:
		break;
	}
	s->failed = true;
	explain(s, connecting);
	errno = EPROTO;
	return -1;
}

static int handshake(void *state, short *events)
{
	struct session *s = state;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_connect(s->ssl);
	return result == 1 ? 0 : (outcome(s, result, events, true), -1);
}

/* With TLS 1.3 a target refuses our certificate when we believe to be connected: its alert waits to
 * be read, also when a write has failed already. */
static ssize_t read_some(void *state, void *data, size_t size, short *events)
{
	struct session *s = state;
	size_t n = 0;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(s->ssl, data, size, &n);
	return result == 1 ? (ssize_t)n : outcome(s, result, events, false);
}

static ssize_t write_some(void *state, const void *data, size_t size, short *events)
{
	struct session *s = state;
	size_t n = 0;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(s->ssl, data, size, &n);
	if (result == 1)
		return (ssize_t)n;
	if (outcome(s, result, events, false) == 0)
		errno = EPIPE; /* the other side has said that it is through */
	return -1;
}

static const char *reason(void *state)
{
	struct session *s = state;

	return s->why[0] ? s->why : NULL;
}

static void close_session(void *state)
{
	struct session *s = state;

	ERR_clear_error();
	if (!s->failed && SSL_is_init_finished(s->ssl))
		(void)SSL_shutdown(s->ssl); /* said; nobody waits for the answer */
	SSL_free(s->ssl);
	free(s);
}

/* Only what the certificate has as subject alternative name counts (RFC 9525); an address is no
 * name, and is never told as one (RFC 6066, 3). */
static bool expect(SSL *ssl, const struct tls_settings *settings)
{
	const char *name = expected_name(settings);
	X509_VERIFY_PARAM *check = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(
		check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (is_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(check, name) == 1;
	return X509_VERIFY_PARAM_set1_host(check, name, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, name) == 1;
}

static int secure(struct connection *c, void *tls)
{
	static const struct connection_layer layer = { handshake, read_some, write_some, reason,
		close_session };
	const struct tls *t = tls;
	struct session *s = calloc(1, sizeof(*s));

	if (s)
		s->ssl = SSL_new(t->context);
	if (!s || !s->ssl || SSL_set_fd(s->ssl, c->fd) != 1 || !expect(s->ssl, t->settings)) {
		if (s)
			SSL_free(s->ssl);
		free(s);
		return connection_fail(c, CONNECTION_NONE, "TLS failed: out of memory");
	}
	return connection_secure(c, &layer, s);
}

/* What load.c looks for. */
extern const struct tls_library tls_library;
const struct tls_library tls_library = { open_settings, close_settings, secure };
