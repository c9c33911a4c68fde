/* client.h - a TLS client for the tests: mbedTLS set up by tls/trust.h, on one end of a socket
 * pair. */
#pragma once
#include "tls/trust.h"

#include <mbedtls/ssl.h>

struct client {
	int fd;
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	struct trust_verdict verdict;
};

/* A pair of connected non-blocking TCP sockets on the loopback interface. */
void connect_pair(int fds[2]);
void client_open(struct client *c, int fd, struct trust *trust, const char *host);
/* WANT_READ and WANT_WRITE come back as they are. */
int client_handshake(struct client *c);
void client_close(struct client *c);
