/* client.c - the client side of TLS on a connected socket. */
#include "tls/client.h"

#include "tls/client_fault.h"
#include "tls/setup.h"
#include "tls/trust.h"
#include "tls/trust_note.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* mbedTLS goes on by itself over records that carry nothing, as long as there are any: warnings, tickets. Whoever
 * sends them without end must not hold the caller: after so many reads of the socket it is told to come again. */
enum { NAME_MAX_BYTES = 253, SHOWN_BYTES = 128, WORDS_BYTES = 320, READS_MAX = 256 };

struct tls_client {
	struct trust *trust;
	int fd;
	bool verified;	/* only now may bytes pass */
	bool dead;	/* mbedTLS allows no call after an error */
	bool ended;	/* the socket has given its last byte */
	unsigned reads; /* of the socket, in this call */
	bool met;	/* the verify callback has seen the peer's own certificate */
	unsigned char address[16];
	size_t address_bytes; /* 0: the host is a DNS name */
	bool cut; /* the peer takes no more bytes; what it sent before may still be read */
	struct client_facts facts;
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	enum tls_fault fault;
	char shown[SHOWN_BYTES];
	char words[WORDS_BYTES];
};

/* ---- the socket under it ---- */

static int send_bytes(void *context, const unsigned char *bytes, size_t length)
{
	struct tls_client *c = context;
	ssize_t n = send(c->fd, bytes, length, MSG_NOSIGNAL);

	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	/* To mbedTLS it is not an error yet: after one it could not be asked for the alert that says why. */
	c->facts.socket_errno = errno;
	c->cut = true;
	return MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int receive_bytes(void *context, unsigned char *bytes, size_t length)
{
	struct tls_client *c = context;
	ssize_t n;

	if (c->reads++ >= READS_MAX)
		return MBEDTLS_ERR_SSL_WANT_READ;
	n = recv(c->fd, bytes, length, 0);
	if (n > 0)
		c->facts.peer_spoke = true;
	c->ended |= n == 0;
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_READ;
	c->facts.socket_errno = errno;
	return errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET : MBEDTLS_ERR_NET_RECV_FAILED;
}

/* ---- whom we talk to ---- */

/* mbedTLS would also take an address that is spelled as a DNS name or as the common name, and a wildcard for
 * it; RFC 5280 and RFC 9525 want it among the addresses. */
static bool names_address(const mbedtls_x509_crt *crt, const struct tls_client *c)
{
	for (const mbedtls_x509_sequence *at = &crt->subject_alt_names; at; at = at->next)
		if ((at->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == MBEDTLS_X509_SAN_IP_ADDRESS &&
			at->buf.len == c->address_bytes &&
			memcmp(at->buf.p, c->address, c->address_bytes) == 0)
			return true;
	return false;
}

/* Called for each certificate of the chain, the peer's own last; may only add to the flags. */
static int verify(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct tls_client *c = context;

	if (depth == 0) {
		c->met = true;
		if (c->address_bytes > 0 && !names_address(crt, c))
			*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	}
	trust_note(&c->facts.verdict, crt, depth, flags);
	return 0;
}

/* An IPv6 address may name its interface ("fe80::1%eth0"), which no certificate does. */
static void set_address(struct tls_client *c, const char *host)
{
	char bare[INET6_ADDRSTRLEN];
	size_t length = strcspn(host, "%");

	if (length >= sizeof bare)
		return;
	memcpy(bare, host, length);
	bare[length] = '\0';
	if (inet_pton(AF_INET, bare, c->address) == 1)
		c->address_bytes = 4;
	else if (inet_pton(AF_INET6, bare, c->address) == 1)
		c->address_bytes = 16;
}

static int configure(struct tls_client *c, const char *host)
{
	int error = mbedtls_ssl_config_defaults(&c->config, MBEDTLS_SSL_IS_CLIENT,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

	if (error)
		return error;
	mbedtls_ssl_conf_rng(&c->config, tls_random, NULL);
	trust_apply(c->trust, &c->config);
	mbedtls_ssl_conf_verify(&c->config, verify, c);
	mbedtls_ssl_conf_session_tickets(&c->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
		&c->config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_DISABLED);
	error = mbedtls_ssl_setup(&c->ssl, &c->config);
	if (error)
		return error;
	mbedtls_ssl_set_bio(&c->ssl, c, send_bytes, receive_bytes, NULL);
	/* For an address: no SNI, and verify() looks at the name instead of mbedTLS. */
	return mbedtls_ssl_set_hostname(&c->ssl, c->address_bytes > 0 ? NULL : host);
}

enum status tls_client_open(struct tls_client **out, struct trust *trust, const char *host,
	const char *shown, int fd, struct why *why)
{
	size_t length = strlen(host);
	struct tls_client *c;

	if (length == 0 || length > NAME_MAX_BYTES)
		return fail(why, STATUS_BAD_DATA,
			"no TLS with '%.100s': a name of %zu bytes cannot be verified", shown,
			length);
	c = calloc(1, sizeof *c);
	if (!c)
		return fail(why, STATUS_NO_MEMORY, "no memory for TLS with %.100s", shown);
	c->trust = trust_share(trust);
	c->fd = fd;
	snprintf(c->shown, sizeof c->shown, "%s", shown);
	set_address(c, host);
	mbedtls_ssl_config_init(&c->config);
	mbedtls_ssl_init(&c->ssl);
	/* Nothing but want of memory fails here. */
	if (configure(c, host) != 0) {
		tls_client_close(c);
		return fail(why, STATUS_NO_MEMORY, "no memory for TLS with %.100s", shown);
	}
	c->facts.has_certificate = trust_has_client(trust);
	*out = c;
	return STATUS_OK;
}

void tls_client_close(struct tls_client *c)
{
	if (!c)
		return;
	mbedtls_ssl_free(&c->ssl);
	mbedtls_ssl_config_free(&c->config);
	trust_close(c->trust);
	free(c);
}

/* ---- moving on ---- */

static int end(struct tls_client *c, int error)
{
	c->dead = true;
	if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
		/* mbedTLS 3 has no question for it; the message stays where it was read. */
		c->facts.alert = c->ssl.MBEDTLS_PRIVATE(in_msg)[1];
	c->facts.handshaking = !c->verified;
	c->fault = client_fault(error, &c->facts, c->shown, c->words, sizeof c->words);
	return TLS_FAILED;
}

/* mbedTLS has the last word by "verification required"; asked once more all the same. */
static bool is_verified(const struct tls_client *c)
{
	return c->met && mbedtls_ssl_get_verify_result(&c->ssl) == 0 &&
	       mbedtls_ssl_get_peer_cert(&c->ssl) != NULL;
}

int tls_client_handshake(struct tls_client *c)
{
	int n;

	if (c->dead)
		return TLS_FAILED;
	c->reads = 0;
	n = mbedtls_ssl_handshake(&c->ssl);
	if (n == MBEDTLS_ERR_SSL_WANT_READ)
		return TLS_WANT_READ;
	if (n == MBEDTLS_ERR_SSL_WANT_WRITE)
		return c->cut ? end(c, MBEDTLS_ERR_NET_CONN_RESET) : TLS_WANT_WRITE;
	if (n != 0)
		return end(c, n);
	if (!is_verified(c))
		return end(c, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
	c->verified = true;
	return 0;
}

/* Over tickets, and records without a byte, of which two make mbedTLS look as if the peer had ended. */
static int read_some(struct tls_client *c, void *out, size_t length)
{
	int n;

	do
		n = mbedtls_ssl_read(&c->ssl, out, length);
	while ((n == 0 && !c->ended) || n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
	return n;
}

int tls_client_read(struct tls_client *c, void *out, size_t length)
{
	size_t unsent = c->ssl.MBEDTLS_PRIVATE(out_left);
	int n;

	assert(c->verified && length > 0);
	if (c->dead)
		return TLS_FAILED;
	c->reads = 0;
	n = read_some(c, out, length);
	/* After a close_notify we may still write, and say goodbye. */
	if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return TLS_CLOSED;
	if (n == 0 || n == MBEDTLS_ERR_SSL_CONN_EOF) {
		c->dead = true;
		return TLS_CLOSED;
	}
	if (n < 0 && n != MBEDTLS_ERR_SSL_WANT_READ && n != MBEDTLS_ERR_SSL_WANT_WRITE)
		return end(c, n);
	/* It has answered the peer's wish to renegotiate amid a record of ours: what is out of that is not known. */
	if (c->ssl.MBEDTLS_PRIVATE(out_left) != unsent)
		return end(c, MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE);
	if (n == MBEDTLS_ERR_SSL_WANT_READ)
		return TLS_WANT_READ;
	if (n == MBEDTLS_ERR_SSL_WANT_WRITE)
		return c->cut ? end(c, MBEDTLS_ERR_NET_CONN_RESET) : TLS_WANT_WRITE;
	return n;
}

/* The peer has hung up on us: it may have said why. */
static int end_cut(struct tls_client *c)
{
	unsigned char ignored[64];
	int n;

	c->reads = 0;
	do
		n = mbedtls_ssl_read(&c->ssl, ignored, sizeof ignored);
	while (n > 0);
	return end(c, n == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE ? n : MBEDTLS_ERR_NET_CONN_RESET);
}

int tls_client_write(struct tls_client *c, const void *bytes, size_t length)
{
	int n;

	assert(c->verified && length > 0);
	if (c->dead)
		return TLS_FAILED;
	n = mbedtls_ssl_write(&c->ssl, bytes, length);
	if (n > 0)
		return n;
	if (n == MBEDTLS_ERR_SSL_WANT_WRITE)
		return c->cut ? end_cut(c) : TLS_WANT_WRITE;
	if (n == MBEDTLS_ERR_SSL_WANT_READ)
		return TLS_WANT_READ;
	return end(c, n);
}

bool tls_client_has_more(const struct tls_client *c)
{
	return !c->dead && c->verified && mbedtls_ssl_get_bytes_avail(&c->ssl) > 0;
}

int tls_client_goodbye(struct tls_client *c)
{
	int n;

	if (c->dead || !c->verified)
		return 0;
	n = mbedtls_ssl_close_notify(&c->ssl);
	if (n == MBEDTLS_ERR_SSL_WANT_WRITE && !c->cut)
		return TLS_WANT_WRITE;
	c->dead = true;
	return 0;
}

enum tls_fault tls_client_fault(const struct tls_client *c)
{
	return c->fault;
}

const char *tls_client_words(const struct tls_client *c)
{
	return c->words;
}
