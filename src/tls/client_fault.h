/* client_fault.h - private to tls/: why a client session ended, for tls/client.h. */
#pragma once
#include "tls/client.h"
#include "tls/trust.h"

/* What the session saw. */
struct client_facts {
	struct trust_verdict verdict;
	bool handshaking;     /* it ended before the peer was verified */
	bool peer_spoke;      /* at least one byte came */
	bool has_certificate; /* we could show one of our own */
	int socket_errno;     /* of the socket's last failure; 0: none */
	unsigned char alert;  /* that the peer sent (RFC 8446, 6.2); 0: none */
};

/* The kind, and plain words that name the peer as `shown`. */
enum tls_fault client_fault(int mbedtls_error, const struct client_facts *facts, const char *shown,
	char *words, size_t words_bytes);
