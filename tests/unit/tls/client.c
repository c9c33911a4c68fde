/* client.c - a TLS client for the tests. */
#include "client.h"

#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

void connect_pair(int fds[2])
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&address, sizeof address), 0);
	fds[1] = accept(listener, NULL, NULL);
	assert_true(fds[1] >= 0);
	close(listener);
	/* The tests spin: nothing may wait for an acknowledgement. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
		assert_int_equal(
			setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
	}
}

static int send_bytes(void *context, const unsigned char *bytes, size_t length)
{
	const struct client *c = context;
	ssize_t n = send(c->fd, bytes, length, MSG_NOSIGNAL);

	return n >= 0		 ? (int)n
	       : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE
				 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int receive_bytes(void *context, unsigned char *bytes, size_t length)
{
	const struct client *c = context;
	ssize_t n = recv(c->fd, bytes, length, 0);

	return n >= 0		 ? (int)n
	       : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ
				 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

void client_open(struct client *c, int fd, struct trust *trust, const char *host)
{
	c->fd = fd;
	mbedtls_ssl_config_init(&c->config);
	mbedtls_ssl_init(&c->ssl);
	assert_int_equal(mbedtls_ssl_config_defaults(&c->config, MBEDTLS_SSL_IS_CLIENT,
				 MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
		0);
	mbedtls_ssl_conf_rng(&c->config, tls_random, NULL);
	trust_apply(trust, &c->config);
	trust_observe(&c->verdict, &c->config);
	assert_int_equal(mbedtls_ssl_setup(&c->ssl, &c->config), 0);
	assert_int_equal(mbedtls_ssl_set_hostname(&c->ssl, host), 0);
	mbedtls_ssl_set_bio(&c->ssl, c, send_bytes, receive_bytes, NULL);
}

int client_handshake(struct client *c)
{
	return mbedtls_ssl_handshake(&c->ssl);
}

void client_close(struct client *c)
{
	mbedtls_ssl_free(&c->ssl);
	mbedtls_ssl_config_free(&c->config);
	close(c->fd);
}
