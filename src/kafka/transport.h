/* transport.h - private to kafka/: TLS under librdkafka, by mbedTLS. librdkafka talks plaintext to one end of
 * a socket pair; one thread pumps the far ends of all connections of a client through their TLS sessions.
 *
 *	librdkafka's broker thread ── socketpair ── pump thread ── TLS ── TCP ── broker
 *
 * Every connection is verified: chain, validity, and the broker's name as the cluster gives it. Nothing of
 * the pair is read before. A connection that fails shows to librdkafka as a disconnect: the reason is kept
 * here in plain words. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transport;
struct trust_files;
struct rd_kafka_conf_s; /* rd_kafka_conf_t */

/* Starts the pump. `trust` is lent and must outlive it. */
enum status transport_open(
	struct transport **out, struct trust_files *trust, struct why *why) MUST_CHECK;
/* Sets the socket, connect and close callbacks of a configuration. They find the transport through `find`,
 * called with the client's opaque, as the handle has that for itself. */
void transport_bind(struct transport *t, struct rd_kafka_conf_s *conf,
	struct transport *(*find)(void *opaque));
/* After rd_kafka_destroy has returned: no callback may come any more. NULL is fine. */
void transport_close(struct transport *t);

/* The last failure of a connection, in plain words with the broker's name, until one succeeds with that
 * broker. False: none. `code` is a constant: tls.trust, tls.name, tls.expired, tls.refused, kafka.down ... */
bool transport_trouble(struct transport *t, const char **code, char *out, size_t out_bytes);
