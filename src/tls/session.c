/* session.c - one TLS session of the server on a connected socket. */
#include "tls/serving.h"
#include "tls/server.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_session {
	int fd;
	bool broken; /* mbedTLS allows no call after a fatal error */
	mbedtls_ssl_context ssl;
	char error[160];
};

static int send_bytes(void *context, const unsigned char *bytes, size_t length)
{
	const struct tls_session *s = context;
	ssize_t n = send(s->fd, bytes, length, MSG_NOSIGNAL);

	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	return errno == EPIPE || errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET
						     : MBEDTLS_ERR_NET_SEND_FAILED;
}

static int receive_bytes(void *context, unsigned char *bytes, size_t length)
{
	const struct tls_session *s = context;
	ssize_t n = recv(s->fd, bytes, length, 0);

	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_READ;
	return errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET : MBEDTLS_ERR_NET_RECV_FAILED;
}

enum status tls_session_accept(
	struct tls_session **out, struct tls_server *server, int fd, struct why *why)
{
	struct tls_session *s = calloc(1, sizeof *s);

	if (!s)
		return fail(why, STATUS_NO_MEMORY, "accept a TLS connection: no memory");
	mbedtls_ssl_init(&s->ssl);
	if (mbedtls_ssl_setup(&s->ssl, serving_config(server)) != 0) {
		mbedtls_ssl_free(&s->ssl);
		free(s);
		return fail(why, STATUS_NO_MEMORY, "accept a TLS connection: no memory");
	}
	s->fd = fd;
	/* Small records held back for an acknowledgement would cost the peer 40 ms a flight. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	mbedtls_ssl_set_bio(&s->ssl, s, send_bytes, receive_bytes, NULL);
	*out = s;
	return STATUS_OK;
}

static void release(struct tls_session *s)
{
	close(s->fd);
	mbedtls_ssl_free(&s->ssl);
	free(s);
}

void tls_session_close(struct tls_session *s)
{
	if (!s)
		return;
	if (!s->broken && mbedtls_ssl_is_handshake_over(&s->ssl))
		(void)!mbedtls_ssl_close_notify(&s->ssl);
	release(s);
}

void tls_session_reset(struct tls_session *s)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	release(s);
}

int tls_session_fd(const struct tls_session *s)
{
	return s->fd;
}

const char *tls_session_error(const struct tls_session *s)
{
	return s->error;
}

/* Turns mbedTLS's answer into ours. */
static int outcome(struct tls_session *s, int n)
{
	switch (n) {
	case MBEDTLS_ERR_SSL_WANT_READ:
		return TLS_WANT_READ;
	case MBEDTLS_ERR_SSL_WANT_WRITE:
		return TLS_WANT_WRITE;
	case 0:
	case MBEDTLS_ERR_SSL_CONN_EOF:
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
	case MBEDTLS_ERR_NET_CONN_RESET:
		s->broken = s->broken || n != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
		return TLS_CLOSED;
	default:
		break;
	}
	if (n > 0)
		return n;
	s->broken = true;
	mbedtls_strerror(n, s->error, sizeof s->error);
	return TLS_FAILED;
}

int tls_session_read(struct tls_session *s, void *out, size_t length)
{
	if (s->broken)
		return s->error[0] ? TLS_FAILED : TLS_CLOSED;
	return outcome(s, mbedtls_ssl_read(&s->ssl, out, length));
}

int tls_session_write(struct tls_session *s, const void *bytes, size_t length)
{
	if (s->broken)
		return s->error[0] ? TLS_FAILED : TLS_CLOSED;
	return outcome(s, mbedtls_ssl_write(&s->ssl, bytes, length));
}
