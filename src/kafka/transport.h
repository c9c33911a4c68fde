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
#include <sys/socket.h>

struct transport;
struct trust_files;

/* Starts the pump. `trust` is shared. No connection is begun while the board's clock is not believable, for at
 * most `clock_wait_ms` from now. */
enum status transport_open(struct transport **out, struct trust_files *trust, int64_t clock_wait_ms,
	struct why *why) MUST_CHECK;
/* After rd_kafka_destroy has returned: no call may come any more. Ends the pump at once. NULL is fine. */
void transport_close(struct transport *t);

/* What librdkafka's socket, connect and closesocket callbacks do, from any of its threads. None of them calls
 * librdkafka, or waits.
 * A new near end, non-blocking; -1 and errno where none can be had. */
int transport_socket(struct transport *t);
/* Hands the connection over to the pump. `broker` is librdkafka's name for it, "host:port". Always 0: an error
 * here would be tried again at once, for ever; one that shows as a disconnect is tried again with patience. */
int transport_connect(struct transport *t, int near, const struct sockaddr *address,
	size_t address_bytes, const char *broker);
/* Closes any descriptor that librdkafka takes for a socket of its own. */
int transport_closesocket(struct transport *t, int near);

enum { TRANSPORT_WORDS_BYTES = 256 };
/* The last failure of a connection (of the last minutes), in plain words with the broker's name, until that
 * broker has answered. False: none. `code` is a constant: kafka.tls.ca, kafka.tls.name, kafka.tls.expired,
 * kafka.down ... Any thread. */
bool transport_trouble(struct transport *t, const char **code, char *out, size_t out_bytes);
