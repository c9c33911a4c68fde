/* tls_peer.c - a broker's end of TLS connections for the tests. */
#include "tls_peer.h"

#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <mbedtls/ssl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 20, PATIENCE_MS = 20000 };

/* One connection of a peer. */
struct visit {
	struct peer *peer;
	int fd;
	size_t sent;
};

unsigned char peer_pattern(size_t at)
{
	return (unsigned char)(at * 7 + at / 251);
}

static bool wait_for(const struct visit *v, short events)
{
	for (int waited = 0; waited < PATIENCE_MS && !atomic_load(&v->peer->stopping);
		waited += LOOK_MS) {
		struct pollfd one = {.fd = v->fd, .events = events};

		if (poll(&one, 1, LOOK_MS) > 0)
			return true;
	}
	return false;
}

static int send_bytes(void *context, const unsigned char *bytes, size_t length)
{
	struct visit *v = context;
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	ssize_t n;

	if (v->peer->reset_after && v->sent >= v->peer->reset_after) {
		setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	}
	if (v->peer->slice && length > v->peer->slice)
		length = v->peer->slice;
	if (v->peer->reset_after && length > v->peer->reset_after - v->sent)
		length = v->peer->reset_after - v->sent;
	if (!wait_for(v, POLLOUT))
		return MBEDTLS_ERR_SSL_TIMEOUT;
	n = send(v->fd, bytes, length, MSG_NOSIGNAL);
	if (n <= 0)
		return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	v->sent += (size_t)n;
	v->peer->sent += (size_t)n;
	return (int)n;
}

static int receive_bytes(void *context, unsigned char *bytes, size_t length)
{
	struct visit *v = context;
	ssize_t n;

	if (v->peer->slice && length > v->peer->slice)
		length = v->peer->slice;
	if (!wait_for(v, POLLIN))
		return MBEDTLS_ERR_SSL_TIMEOUT;
	n = recv(v->fd, bytes, length, 0);
	return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)n;
}

static bool write_all(mbedtls_ssl_context *ssl, const unsigned char *bytes, size_t length)
{
	while (length > 0) {
		int n = mbedtls_ssl_write(ssl, bytes, length);

		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

static void echo(struct peer *p, mbedtls_ssl_context *ssl)
{
	unsigned char bytes[4096];
	int n;

	while ((n = mbedtls_ssl_read(ssl, bytes, sizeof bytes)) > 0) {
		p->heard += (size_t)n;
		if (!write_all(ssl, bytes, (size_t)n))
			return;
	}
	p->goodbyes += n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
}

static void send_pattern(struct peer *p, mbedtls_ssl_context *ssl)
{
	unsigned char bytes[4096];

	for (unsigned i = 0; i < p->empty; i++)
		if (mbedtls_ssl_write(ssl, bytes, 0) != 0)
			return;
	for (size_t at = 0; at < p->bytes; at += sizeof bytes) {
		size_t length = p->bytes - at < sizeof bytes ? p->bytes - at : sizeof bytes;

		for (size_t i = 0; i < length; i++)
			bytes[i] = peer_pattern(at + i);
		if (!write_all(ssl, bytes, length))
			return;
	}
	mbedtls_ssl_close_notify(ssl);
	/* Closing now would reset the connection under what is still on its way. */
	while (mbedtls_ssl_read(ssl, bytes, sizeof bytes) > 0)
		continue;
}

static void take_bytes(struct peer *p, mbedtls_ssl_context *ssl)
{
	unsigned char bytes[4096];

	while (!atomic_load(&p->may_read) && !atomic_load(&p->stopping))
		poll(NULL, 0, 1);
	while (p->heard < p->bytes) {
		int n = mbedtls_ssl_read(ssl, bytes, sizeof bytes);

		if (n <= 0)
			return;
		for (int i = 0; i < n; i++)
			if (bytes[i] != peer_pattern(p->heard + (size_t)i))
				return;
		p->heard += (size_t)n;
	}
}

/* mbedTLS's server leaves it to us to say so; Kafka's, being Java's, says "bad certificate". Closing at once
 * would reset the connection under it. */
static void want_certificate(struct visit *v, mbedtls_ssl_context *ssl)
{
	char ignored[4096];

	mbedtls_ssl_send_alert_message(
		ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
	shutdown(v->fd, SHUT_WR);
	while (wait_for(v, POLLIN) && recv(v->fd, ignored, sizeof ignored, 0) > 0)
		continue;
}

static void speak_tls(struct peer *p, struct visit *v, mbedtls_ssl_config *config)
{
	mbedtls_ssl_context ssl;

	mbedtls_ssl_init(&ssl);
	if (mbedtls_ssl_setup(&ssl, config) == 0) {
		mbedtls_ssl_set_bio(&ssl, v, send_bytes, receive_bytes, NULL);
		int error = mbedtls_ssl_handshake(&ssl);

		if (error == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) {
			want_certificate(v, &ssl);
		} else if (error == 0) {
			p->verified++;
			if (p->manner == ECHOES)
				echo(p, &ssl);
			else if (p->manner == SENDS)
				send_pattern(p, &ssl);
			else if (p->manner == LISTENS)
				take_bytes(p, &ssl);
		}
	}
	mbedtls_ssl_free(&ssl);
}

static void stay_mute(struct peer *p, struct visit *v)
{
	while (wait_for(v, POLLIN)) {
		ssize_t n = recv(v->fd, p->seen + p->seen_bytes, sizeof p->seen - p->seen_bytes, 0);

		if (n <= 0)
			return;
		p->seen_bytes += (size_t)n;
	}
}

static void speak_http(struct visit *v)
{
	static const char answer[] = "HTTP/1.0 400 Bad Request\r\n\r\n";
	char bytes[4096];

	if (wait_for(v, POLLIN) && recv(v->fd, bytes, sizeof bytes, 0) > 0)
		(void)!send(v->fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

/* RFC 8446, 6.1: not the end yet. */
static void warn(struct visit *v)
{
	static const unsigned char user_canceled[] = {21, 3, 3, 0, 2, 1, 90};
	unsigned char many[100 * sizeof user_canceled];

	for (size_t i = 0; i < 100; i++)
		memcpy(many + i * sizeof user_canceled, user_canceled, sizeof user_canceled);
	while (wait_for(v, POLLOUT) && send(v->fd, many, sizeof many, MSG_NOSIGNAL) > 0)
		continue;
}

static void configure(struct peer *p, mbedtls_ssl_config *config)
{
	mbedtls_ssl_config_init(config);
	if (!p->own)
		return;
	mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
		MBEDTLS_SSL_PRESET_DEFAULT);
	mbedtls_ssl_conf_rng(config, tls_random, NULL);
	mbedtls_ssl_conf_own_cert(config, &p->own->crt, &p->own->key);
	if (p->asks_for) {
		mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
		mbedtls_ssl_conf_ca_chain(config, &p->asks_for->crt, NULL);
	}
	if (p->only_tls_1_2)
		mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
}

static void *serve(void *context)
{
	struct peer *p = context;
	mbedtls_ssl_config config;

	configure(p, &config);
	while (!atomic_load(&p->stopping)) {
		struct pollfd one = {.fd = p->listener, .events = POLLIN};
		struct visit v = {.peer = p};

		if (poll(&one, 1, LOOK_MS) <= 0)
			continue;
		v.fd = accept(p->listener, NULL, NULL);
		if (v.fd < 0)
			continue;
		setsockopt(v.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		p->accepted++;
		if (p->manner == MUTE)
			stay_mute(p, &v);
		else if (p->manner == WARNS)
			warn(&v);
		else if (p->manner == NO_TLS)
			speak_http(&v);
		else
			speak_tls(p, &v, &config);
		close(v.fd);
	}
	mbedtls_ssl_config_free(&config);
	return NULL;
}

void peer_start(struct peer *p)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&p->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&p->address;
	pthread_t thread;

	memset(&p->address, 0, sizeof p->address);
	p->address_bytes = p->ipv6 ? sizeof *six : sizeof *four;
	p->address.ss_family = p->ipv6 ? AF_INET6 : AF_INET;
	if (p->ipv6)
		six->sin6_addr = in6addr_loopback;
	else
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->listener = socket(p->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&p->address, p->address_bytes), 0);
	assert_int_equal(listen(p->listener, 4096), 0);
	assert_int_equal(
		getsockname(p->listener, (struct sockaddr *)&p->address, &p->address_bytes), 0);
	p->port = ntohs(p->ipv6 ? six->sin6_port : four->sin_port);
	p->stopping = false;
	assert_int_equal(pthread_create(&thread, NULL, serve, p), 0);
	p->thread = (unsigned long)thread;
}

void peer_stop(struct peer *p)
{
	atomic_store(&p->stopping, true);
	pthread_join((pthread_t)p->thread, NULL);
	close(p->listener);
}
