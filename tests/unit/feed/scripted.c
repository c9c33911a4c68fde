/* scripted.c - a server that plays one exchange a request. */
#include "scripted.h"
#include "../tls/paper.h"
#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct scripted {
	const struct scripted_exchange *next;
	mbedtls_ssl_config config;
	bool tls;
	int fd, port;
	atomic_bool stop;
	pthread_t thread;
	bool running;
	char requests[16384];
	size_t length;
	unsigned connections;

	int peer;
	mbedtls_ssl_context ssl;
};

/* False once the test is over or the peer stays silent for long. */
static bool wait_for(struct scripted *s, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (int i = 0; i < 500 && !atomic_load(&s->stop); i++) {
		if (poll(&p, 1, 20) > 0)
			return true;
	}
	return false;
}

static int peer_send(void *context, const unsigned char *bytes, size_t length)
{
	struct scripted *s = context;

	return (int)send(s->peer, bytes, length, MSG_NOSIGNAL);
}

static int peer_receive(void *context, unsigned char *bytes, size_t length)
{
	struct scripted *s = context;

	return wait_for(s, s->peer) ? (int)recv(s->peer, bytes, length, 0)
				    : MBEDTLS_ERR_NET_RECV_FAILED;
}

static int read_some(struct scripted *s, char *out, size_t length)
{
	if (!s->tls)
		return peer_receive(s, (unsigned char *)out, length);
	return mbedtls_ssl_read(&s->ssl, (unsigned char *)out, length);
}

static bool read_request(struct scripted *s)
{
	size_t start = s->length;

	while (s->length + 1 < sizeof s->requests) {
		int n = read_some(s, s->requests + s->length, sizeof s->requests - s->length - 1);

		if (n <= 0)
			return false;
		s->length += (size_t)n;
		s->requests[s->length] = '\0';
		if (strstr(s->requests + start, "\r\n\r\n"))
			return true;
	}
	return false;
}

static bool answer(struct scripted *s, const struct scripted_exchange *e)
{
	size_t length = e->length ? e->length : strlen(e->answer);

	for (size_t at = 0; at < length;) {
		const unsigned char *from = (const unsigned char *)e->answer + at;
		int n = s->tls ? mbedtls_ssl_write(&s->ssl, from, length - at)
			       : peer_send(s, from, length - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static void play_end(struct scripted *s, enum scripted_end end)
{
	struct linger at_once = {.l_onoff = 1};
	char nothing[256];

	if (end == SCRIPTED_CLOSE && s->tls)
		mbedtls_ssl_close_notify(&s->ssl);
	else if (end == SCRIPTED_RESET)
		setsockopt(s->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	else if (end == SCRIPTED_STALL)
		while (read_some(s, nothing, sizeof nothing) > 0)
			;
}

static void serve_connection(struct scripted *s)
{
	if (s->tls) {
		mbedtls_ssl_init(&s->ssl);
		mbedtls_ssl_setup(&s->ssl, &s->config);
		mbedtls_ssl_set_bio(&s->ssl, s, peer_send, peer_receive, NULL);
	}
	if (!s->tls || mbedtls_ssl_handshake(&s->ssl) == 0) {
		s->connections++;
		while (s->next->answer && read_request(s)) {
			const struct scripted_exchange *e = s->next++;

			if (answer(s, e) && e->end == SCRIPTED_KEEP)
				continue;
			play_end(s, e->end);
			break;
		}
	}
	if (s->tls)
		mbedtls_ssl_free(&s->ssl);
	close(s->peer);
}

static void *serve(void *context)
{
	struct scripted *s = context;

	while (!atomic_load(&s->stop)) {
		if (!wait_for(s, s->fd))
			continue;
		s->peer = accept(s->fd, NULL, NULL);
		if (s->peer >= 0)
			serve_connection(s);
	}
	return NULL;
}

struct scripted *scripted_open(const struct paper *paper, const struct scripted_exchange *exchanges)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	struct scripted *s = calloc(1, sizeof *s);

	assert_non_null(s);
	s->next = exchanges;
	s->tls = paper != NULL;
	mbedtls_ssl_config_init(&s->config);
	if (paper) {
		assert_int_equal(mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_SERVER,
					 MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
			0);
		mbedtls_ssl_conf_rng(&s->config, tls_random, NULL);
		assert_int_equal(mbedtls_ssl_conf_own_cert(&s->config,
					 (mbedtls_x509_crt *)(uintptr_t)&paper->crt,
					 (mbedtls_pk_context *)(uintptr_t)&paper->key),
			0);
	}
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &length), 0);
	s->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	s->running = true;
	return s;
}

int scripted_port(const struct scripted *s)
{
	return s->port;
}

void scripted_stop(struct scripted *s)
{
	if (!s->running)
		return;
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
	s->running = false;
}

const char *scripted_requests(const struct scripted *s)
{
	return s->requests;
}

unsigned scripted_connections(const struct scripted *s)
{
	return s->connections;
}

void scripted_close(struct scripted *s)
{
	scripted_stop(s);
	close(s->fd);
	mbedtls_ssl_config_free(&s->config);
	free(s);
}
