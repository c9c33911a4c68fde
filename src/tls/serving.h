/* serving.h - private to tls/: what server.c keeps for session.c. */
#pragma once

struct tls_server;
struct mbedtls_ssl_config;

/* Lent: shared by all sessions, unchanged while the server is open. */
const struct mbedtls_ssl_config *serving_config(const struct tls_server *s);
