/* client_fault.c - why a client session ended: the kind, and plain words. */
#include "tls/client_fault.h"

#include "tls/pem.h"

#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>
#include <stdio.h>
#include <string.h>

/* ---- what verification found ---- */

/* The first that fits: a certificate of another CA may have any date. */
static const struct {
	uint32_t flags;
	enum tls_fault fault;
} defects[] = {
	{MBEDTLS_X509_BADCERT_FUTURE, TLS_FAULT_EARLY},
	{MBEDTLS_X509_BADCERT_EXPIRED, TLS_FAULT_EXPIRED},
	{MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK,
		TLS_FAULT_WEAK},
	{MBEDTLS_X509_BADCERT_NOT_TRUSTED, TLS_FAULT_CA},
	{MBEDTLS_X509_BADCERT_CN_MISMATCH, TLS_FAULT_NAME},
};

static enum tls_fault fault_of(uint32_t flags)
{
	for (size_t i = 0; i < sizeof defects / sizeof *defects; i++)
		if (flags & defects[i].flags)
			return defects[i].fault;
	return TLS_FAULT_CA;
}

/* ---- what the peer said ---- */

/* Alerts (RFC 8446, 6.2). Peers differ much in which they send for want of a client certificate: 116 is the
 * standard's, Java sends 42, OpenSSL in TLS 1.2 sends 40. */
enum {
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_CERTIFICATE_REVOKED = 44,
	ALERT_CERTIFICATE_EXPIRED = 45,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_ACCESS_DENIED = 49,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INSUFFICIENT_SECURITY = 71,
	ALERT_UNRECOGNIZED_NAME = 112,
	ALERT_CERTIFICATE_REQUIRED = 116,
};

static const struct alert {
	unsigned char number;
	enum tls_fault fault;
	const char *words;
} alerts[] = {
	{ALERT_CERTIFICATE_REVOKED, TLS_FAULT_CLIENT,
		"refuses our client certificate: it was revoked"},
	{ALERT_CERTIFICATE_EXPIRED, TLS_FAULT_CLIENT,
		"refuses our client certificate: it has expired"},
	{ALERT_UNKNOWN_CA, TLS_FAULT_CLIENT,
		"refuses our client certificate: it does not know its CA"},
	{ALERT_BAD_CERTIFICATE, TLS_FAULT_CLIENT, "refuses our client certificate"},
	{ALERT_UNSUPPORTED_CERTIFICATE, TLS_FAULT_CLIENT,
		"refuses our client certificate: it does not take this kind"},
	{ALERT_CERTIFICATE_UNKNOWN, TLS_FAULT_CLIENT, "refuses our client certificate"},
	{ALERT_ACCESS_DENIED, TLS_FAULT_CLIENT,
		"refuses our client certificate: no access with it"},
	{ALERT_PROTOCOL_VERSION, TLS_FAULT_REFUSED,
		"speaks no TLS version that we accept (1.2 or 1.3)"},
	{ALERT_INSUFFICIENT_SECURITY, TLS_FAULT_REFUSED,
		"wants a stronger TLS cipher than we have in common"},
	{ALERT_UNRECOGNIZED_NAME, TLS_FAULT_NAME,
		"does not know itself by the name that we call it"},
};

static bool wants_certificate(const struct client_facts *f)
{
	if (f->alert == ALERT_CERTIFICATE_REQUIRED)
		return true;
	return !f->has_certificate &&
	       (f->alert == ALERT_BAD_CERTIFICATE || f->alert == ALERT_CERTIFICATE_UNKNOWN ||
		       f->alert == ALERT_UNSUPPORTED_CERTIFICATE ||
		       f->alert == ALERT_ACCESS_DENIED);
}

static enum tls_fault say_alert(
	const struct client_facts *f, const char *shown, char *words, size_t words_bytes)
{
	if (wants_certificate(f)) {
		snprintf(words, words_bytes, "%s wants a client certificate%s", shown,
			f->has_certificate ? " of another kind than ours" : ", and none is set");
		return TLS_FAULT_CLIENT;
	}
	for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++) {
		if (alerts[i].number != f->alert)
			continue;
		snprintf(words, words_bytes, "%s %s", shown, alerts[i].words);
		return alerts[i].fault;
	}
	snprintf(words, words_bytes, "%s refused the TLS %s (alert %u: %s)", shown,
		f->handshaking ? "handshake" : "connection", (unsigned)f->alert,
		f->has_certificate ? "no cipher in common, or it does not take our certificate?"
				   : "no cipher in common, or it wants a client certificate?");
	return TLS_FAULT_REFUSED;
}

/* ---- the rest ---- */

static enum tls_fault fault_of_error(int error)
{
	switch (error) {
	case MBEDTLS_ERR_SSL_INVALID_RECORD:
		return TLS_FAULT_PLAINTEXT;
	case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
	case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
	case MBEDTLS_ERR_SSL_CONN_EOF:
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return TLS_FAULT_REFUSED;
	case MBEDTLS_ERR_NET_CONN_RESET:
	case MBEDTLS_ERR_NET_SEND_FAILED:
	case MBEDTLS_ERR_NET_RECV_FAILED:
		return TLS_FAULT_NETWORK;
	case MBEDTLS_ERR_SSL_ALLOC_FAILED:
		return TLS_FAULT_MEMORY;
	default:
		return pem_out_of_memory(error) ? TLS_FAULT_MEMORY : TLS_FAULT_PROTOCOL;
	}
}

/* Kafka's plaintext listener takes our first message for a request of 369 MB, and closes. */
static bool is_deaf_to_tls(int error, const struct client_facts *f)
{
	return f->handshaking && !f->peer_spoke &&
	       (error == MBEDTLS_ERR_SSL_CONN_EOF || error == MBEDTLS_ERR_NET_CONN_RESET);
}

enum tls_fault client_fault(int error, const struct client_facts *facts, const char *shown,
	char *words, size_t words_bytes)
{
	if (facts->handshaking &&
		(facts->verdict.flags != 0 || error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)) {
		trust_explain_verdict(error, &facts->verdict, shown, words, words_bytes);
		return fault_of(facts->verdict.flags);
	}
	if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
		return say_alert(facts, shown, words, words_bytes);
	if (is_deaf_to_tls(error, facts)) {
		snprintf(words, words_bytes,
			"%s does not speak TLS on this port (it closed the connection without an answer)",
			shown);
		return TLS_FAULT_PLAINTEXT;
	}
	if (fault_of_error(error) == TLS_FAULT_MEMORY) {
		snprintf(words, words_bytes, "no memory for TLS with %s", shown);
		return TLS_FAULT_MEMORY;
	}
	if (!facts->handshaking && fault_of_error(error) == TLS_FAULT_NETWORK) {
		snprintf(words, words_bytes, "connection to %s broke: %s", shown,
			strerror(facts->socket_errno));
		return TLS_FAULT_NETWORK;
	}
	if (!facts->handshaking) {
		snprintf(words, words_bytes, "%s broke the TLS protocol (-0x%04X)", shown,
			(unsigned)-error);
		return TLS_FAULT_PROTOCOL;
	}
	trust_explain(error, 0, shown, words, words_bytes);
	return fault_of_error(error);
}
