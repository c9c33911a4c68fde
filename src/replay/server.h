/* server.h - private to replay/: connections of the replay API. One thread; a connection holds 24
 * KiB of buffers and its TLS session. */
#pragma once
#include "base/loop.h"
#include "base/status.h"
#include "replay/api.h"

struct server;
struct tls_server;

/* Listens on an IPv4 or IPv6 literal; port 0 picks one. The loop, TLS server and API are lent. */
enum status server_open(struct server **out, const char *listen_address, int port,
	struct loop *loop, struct tls_server *tls, struct api *api, struct why *why) MUST_CHECK;
int server_port(const struct server *s);
void server_close(struct server *s); /* drops all connections; NULL is fine */
