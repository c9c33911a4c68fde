/* explain.c - plain words for a failed handshake. */
#include "tls/trust.h"

#include "base/clock.h"

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text that grows in a caller's space and is cut where that ends. */
struct text {
	char *out;
	size_t room, used;
};

static void say(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);

static void say(struct text *t, const char *format, ...)
{
	va_list arguments;

	if (t->used + 1 >= t->room)
		return;
	va_start(arguments, format);
	int n = vsnprintf(t->out + t->used, t->room - t->used, format, arguments);
	va_end(arguments);
	if (n > 0)
		t->used += (size_t)n < t->room - t->used ? (size_t)n : t->room - t->used - 1;
}

/* "2026-01-01" */
static void say_day(struct text *t, int64_t wall_us)
{
	char when[CLOCK_TEXT_BYTES];

	clock_format(wall_us, 0, when);
	say(t, "%.10s", when);
}

/* "this board's clock says 2026-02-01 10:00 UTC" */
static void say_clock(struct text *t)
{
	char now[CLOCK_TEXT_BYTES];

	clock_format(clock_wall_us(), 0, now);
	say(t, "this board's clock says %.10s %.5s UTC", now, now + 11);
}

static void say_expired(struct text *t, const struct trust_verdict *v)
{
	say(t, "has expired (");
	if (v->not_after_us) {
		say(t, "not after ");
		say_day(t, v->not_after_us);
		say(t, "; ");
	}
	say_clock(t);
	say(t, ")");
}

static void say_future(struct text *t, const struct trust_verdict *v)
{
	say(t, "is not yet valid (");
	if (v->not_before_us) {
		say(t, "not before ");
		say_day(t, v->not_before_us);
		say(t, "; ");
	}
	say_clock(t);
	say(t, ": is it set?)");
}

static void say_untrusted(struct text *t, const struct trust_verdict *v)
{
	if (v->self_signed)
		say(t, "is self-signed and not among the trusted ones (is a CA file to be named?)");
	else
		say(t, "is signed by an unknown CA (is a CA file to be named?)");
}

/* The remaining defects need no more than a phrase. Flags of one phrase stand together. */
static const struct defect {
	uint32_t flags;
	const char *phrase;
} defects[] = {
	{MBEDTLS_X509_BADCERT_CN_MISMATCH, "is for another host"},
	{MBEDTLS_X509_BADCERT_REVOKED, "was revoked"},
	{MBEDTLS_X509_BADCERT_BAD_KEY, "has too weak a key"},
	{MBEDTLS_X509_BADCERT_BAD_MD, "is signed with too weak a hash"},
	{MBEDTLS_X509_BADCERT_BAD_PK, "is signed with a kind of key that is not accepted"},
	{MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
			MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
		"was not issued for a server"},
	{MBEDTLS_X509_BADCERT_MISSING, "was not sent"},
};

static void say_defects(struct text *t, const struct trust_verdict *v)
{
	const char *glue = " ";
	uint32_t flags = v->flags;

	if (flags & MBEDTLS_X509_BADCERT_FUTURE) {
		say(t, "%s", glue);
		say_future(t, v);
		glue = "; ";
	}
	if (flags & MBEDTLS_X509_BADCERT_EXPIRED) {
		say(t, "%s", glue);
		say_expired(t, v);
		glue = "; ";
	}
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) {
		say(t, "%s", glue);
		say_untrusted(t, v);
		glue = "; ";
	}
	for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
		if (flags & defects[i].flags) {
			say(t, "%s%s", glue, defects[i].phrase);
			glue = "; ";
		}
	}
	if (strcmp(glue, " ") == 0)
		say(t, " could not be verified (flags 0x%x)", (unsigned)flags);
}

/* What ends a handshake other than a certificate. */
static const struct handshake_error {
	int error;
	const char *phrase;
} handshake_errors[] = {
	{MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "speaks no TLS version that we accept (1.2 or 1.3)"},
	{MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE,
		"refused the handshake (another TLS version? does it want a client certificate?)"},
	{MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, "and we have no TLS cipher in common"},
	{MBEDTLS_ERR_SSL_INVALID_RECORD, "does not speak TLS on this port"},
	{MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "broke the TLS protocol: unexpected message"},
	{MBEDTLS_ERR_SSL_DECODE_ERROR, "broke the TLS protocol: malformed message"},
	{MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, "broke the TLS protocol: illegal parameter"},
	{MBEDTLS_ERR_SSL_BAD_CERTIFICATE, "sent a certificate that cannot be used"},
	{MBEDTLS_ERR_SSL_CONN_EOF, "closed the connection during the TLS handshake"},
	{MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, "closed the connection during the TLS handshake"},
	{MBEDTLS_ERR_NET_CONN_RESET, "reset the connection during the TLS handshake"},
	{MBEDTLS_ERR_SSL_TIMEOUT, "did not answer in the TLS handshake"},
	{MBEDTLS_ERR_SSL_ALLOC_FAILED, "was not reached: no memory for the TLS handshake"},
	{MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED,
		"was not reached: no CA certificates to verify it with"},
};

static void say_handshake_error(struct text *t, int error, const char *host)
{
	char words[128];

	for (size_t i = 0; i < sizeof handshake_errors / sizeof handshake_errors[0]; i++) {
		if (handshake_errors[i].error == error) {
			say(t, "%s %s", host, handshake_errors[i].phrase);
			return;
		}
	}
	mbedtls_strerror(error, words, sizeof words);
	say(t, "TLS handshake with %s failed: %s (-0x%04X)", host, words, (unsigned)-error);
}

void trust_explain_verdict(int mbedtls_error, const struct trust_verdict *verdict, const char *host,
	char *out, size_t out_bytes)
{
	struct text t = {out, out_bytes, 0};

	if (out_bytes == 0)
		return;
	out[0] = '\0';
	if (verdict->flags == 0 && mbedtls_error != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
		say_handshake_error(&t, mbedtls_error, host);
		return;
	}
	if (verdict->at_depth > 0)
		say(&t, "a CA's certificate in the chain of %s", host);
	else
		say(&t, "certificate of %s", host);
	say_defects(&t, verdict);
}

void trust_explain(
	int mbedtls_error, uint32_t verify_flags, const char *host, char *out, size_t out_bytes)
{
	/* mbedTLS says "all flags" where no verification took place. */
	struct trust_verdict v = {.flags = verify_flags == UINT32_MAX ? 0 : verify_flags};

	trust_explain_verdict(mbedtls_error, &v, host, out, out_bytes);
}

int trust_error_in(const char *curl_text)
{
	const char *at = strstr(curl_text, "(-0x");
	unsigned value;

	if (!at || sscanf(at + 4, "%4x", &value) != 1)
		return 0;
	return -(int)value;
}

bool trust_refused_in(const char *curl_text)
{
	return trust_error_in(curl_text) == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
}
