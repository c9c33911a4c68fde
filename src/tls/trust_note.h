/* trust_note.h - private to tls/: what a verify callback notes for trust_explain_verdict. */
#pragma once
#include "tls/trust.h"

struct mbedtls_x509_crt;

/* Called for every certificate of the chain, the issuers' first. Adds to the flags what mbedTLS would find later: that
 * the peer's own is not for servers. */
void trust_note(
	struct trust_verdict *v, const struct mbedtls_x509_crt *crt, int depth, uint32_t *flags);
