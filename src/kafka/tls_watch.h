/* tls_watch.h - private to kafka/, in the OpenSSL build only: why TLS connections fail, in the words of the
 * other build. What the certificate's verification finds comes by a callback, the rest from librdkafka's text. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct tls_watch;
struct rd_kafka_conf_s;

/* Sets the verification callback of `conf`, whose opaque must be the handle (handle_watch). It notes, and
 * changes no verdict. NULL: no memory. */
struct tls_watch *tls_watch_open(struct rd_kafka_conf_s *conf, bool has_certificate);
void tls_watch_close(struct tls_watch *w); /* after rd_kafka_destroy; NULL is fine */

/* librdkafka's text of an error of TLS: "ssl://host:port/...: SSL handshake failed: ...". */
void tls_watch_failed(struct tls_watch *w, const char *text);
/* That broker ("host:port/..." or with "ssl://" before it) has answered. Any thread. */
void tls_watch_over(struct tls_watch *w, const char *broker);
/* As transport_trouble. */
bool tls_watch_trouble(struct tls_watch *w, const char **code, char *out, size_t out_bytes);
