/* trust.h - which certificates we believe. Parsed once, counted, shared by all TLS sessions of
 * the process (the system's bundle of 144 roots takes 0.5 MB of heap). Thread safe: a set never
 * changes; a renewed file makes a new set, the old one goes with its last user. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct trust;

/* `ca_file` NULL or "": the system's bundle (the usual places), else the set compiled in. The
 * client certificate and key may be NULL (both or none). Never falls back to no verification: an
 * unreadable or empty file is STATUS_BAD_DATA. Warns of nothing itself: trust_expiry_us tells. */
enum status trust_open(struct trust **out, const char *ca_file, const char *cert_file,
	const char *key_file, struct why *why) MUST_CHECK;
struct trust *trust_share(struct trust *t); /* one more user */
void trust_close(struct trust *t);	    /* NULL is fine */
unsigned trust_roots(const struct trust *t);
const char *trust_origin(const struct trust *t); /* the file's path, or "compiled in" */
/* Where the roots are those compiled in: points at their PEM text (not terminated) and returns its length, for
 * a library that reads its own. 0: they are of a file, trust_origin. */
size_t trust_compiled_in(const struct trust *t, const char **pem);
/* When the first of the certificates that were named (ca_file, cert_file) runs out; INT64_MAX where
 * none were: roots of a public set come and go. */
int64_t trust_expiry_us(const struct trust *t);
bool trust_has_client(const struct trust *t); /* a client certificate was given */

/* For libcurl's CURLOPT_SSL_CTX_FUNCTION: puts our chain, minimum version (TLS 1.2), the default
 * profile, "verification required" and the client certificate on an `mbedtls_ssl_config *`. `t`
 * must outlive the connection. */
void trust_apply(struct trust *t, void *config);

/* What verification found wrong, for trust_explain_verdict. All zero: nothing. */
struct trust_verdict {
	uint32_t flags;			     /* MBEDTLS_X509_BADCERT_*, of the whole chain */
	int64_t not_before_us, not_after_us; /* of the certificate that is too young or too old */
	int at_depth;	  /* that one's place: 0 the peer's own, 1 and up its issuers' */
	bool self_signed; /* the peer's own certificate is its own issuer */
};
/* Notes in `verdict` (zeroed now) what verification finds; it must outlive the connection.
 * `config` as for trust_apply, which comes first. Needed as libcurl itself tells no more than
 * CURLE_PEER_FAILED_VERIFICATION. */
void trust_observe(struct trust_verdict *verdict, void *config);

/* Plain words for a failed handshake: from an mbedTLS error and what was observed, naming the
 * board's clock when validity is the matter: "certificate of api.x has expired (not after
 * 2026-01-01; this board's clock says 2026-02-01 10:00 UTC)". */
void trust_explain_verdict(int mbedtls_error, const struct trust_verdict *verdict, const char *host,
	char *out, size_t out_bytes);
/* The same where only the verify flags are known (0: none). */
void trust_explain(
	int mbedtls_error, uint32_t verify_flags, const char *host, char *out, size_t out_bytes);
/* The mbedTLS error in libcurl's error text, "ssl_handshake returned: (-0x7780) ..."; 0 when it
 * has none. */
int trust_error_in(const char *curl_text);
/* Whether curl's text says that the peer refused us by an alert, which it may do after the handshake. */
bool trust_refused_in(const char *curl_text);
