/* server.h - the server side of TLS for the replay API: a self-made certificate and non-blocking
 * sessions on connected sockets. */
#pragma once
#include "base/status.h"
#include "tls/progress.h"
#include <stdint.h>

/* A fresh P-256 key and a self-signed certificate (CA:TRUE, valid from a day ago for ten years)
 * for `names` (comma list: DNS names and IP literals, e.g. "localhost,127.0.0.1"). `ca_out`
 * (NULL: none) is written atomically as PEM, mode 0644. */
struct tls_server;
enum status tls_server_open(
	struct tls_server **out, const char *names, const char *ca_out, struct why *why) MUST_CHECK;
void tls_server_close(struct tls_server *s);

struct tls_session;
/* Takes the connected non-blocking socket: closed with the session. */
enum status tls_session_accept(
	struct tls_session **out, struct tls_server *server, int fd, struct why *why) MUST_CHECK;
void tls_session_close(
	struct tls_session *s); /* sends close_notify when it can at once; NULL is fine */
/* Drops the connection with a TCP reset (SO_LINGER 0), for fault tests. */
void tls_session_reset(struct tls_session *s);
int tls_session_fd(const struct tls_session *s);

/* Bytes moved (> 0), or one of progress.h. The handshake happens inside the first calls. Read
 * until TLS_WANT_READ: decrypted bytes may wait inside where epoll does not see them. A write
 * that did not end is called again with the same bytes. */
int tls_session_read(struct tls_session *s, void *out, size_t length);
int tls_session_write(struct tls_session *s, const void *bytes, size_t length);
const char *tls_session_error(const struct tls_session *s);
