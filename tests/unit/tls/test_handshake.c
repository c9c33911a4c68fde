/* test_handshake.c - which servers are refused, and in which words. */
#include "base/clock.h"
#include "client.h"
#include "paper.h"
#include "tls/server.h"
#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[256];
static struct paper ca, stranger;

static int make_cas(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/scorebox-handshake-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder) || tls_setup(NULL) != STATUS_OK)
		return -1;
	paper_make(&ca, &(struct paper_plan){.is_ca = 1, .name = "CN=test CA"});
	paper_make(&stranger, &(struct paper_plan){.is_ca = 1, .name = "CN=a stranger"});
	return 0;
}

static int remove_cas(void **state)
{
	char command[400];

	(void)state;
	paper_free(&ca);
	paper_free(&stranger);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static struct trust *trust_in(const struct paper *p, const struct paper *client)
{
	char path[300], cert[300], key[300];
	struct trust *t = NULL;

	snprintf(path, sizeof path, "%s/ca.pem", folder);
	snprintf(cert, sizeof cert, "%s/client.pem", folder);
	snprintf(key, sizeof key, "%s/client.key", folder);
	paper_write(path, p->pem);
	if (client) {
		paper_write(cert, client->pem);
		paper_write(key, client->key_pem);
	}
	assert_int_equal(
		trust_open(&t, path, client ? cert : NULL, client ? key : NULL, NULL), STATUS_OK);
	return t;
}

/* A server of its own, for certificates and versions that tls/server.h does not make. */
struct peer {
	int fd;
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
};

static int peer_send(void *context, const unsigned char *bytes, size_t length)
{
	ssize_t n = send(((struct peer *)context)->fd, bytes, length, MSG_NOSIGNAL);

	return n >= 0		 ? (int)n
	       : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE
				 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int peer_receive(void *context, unsigned char *bytes, size_t length)
{
	ssize_t n = recv(((struct peer *)context)->fd, bytes, length, 0);

	return n >= 0		 ? (int)n
	       : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ
				 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

/* `asks_for`: the CA whose clients are let in; NULL: everybody. */
static void peer_open(struct peer *p, int fd, struct paper *own, struct paper *asks_for)
{
	p->fd = fd;
	mbedtls_ssl_config_init(&p->config);
	mbedtls_ssl_init(&p->ssl);
	assert_int_equal(mbedtls_ssl_config_defaults(&p->config, MBEDTLS_SSL_IS_SERVER,
				 MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
		0);
	mbedtls_ssl_conf_rng(&p->config, tls_random, NULL);
	assert_int_equal(mbedtls_ssl_conf_own_cert(&p->config, &own->crt, &own->key), 0);
	if (asks_for) {
		mbedtls_ssl_conf_authmode(&p->config, MBEDTLS_SSL_VERIFY_REQUIRED);
		mbedtls_ssl_conf_ca_chain(&p->config, &asks_for->crt, NULL);
		/* In TLS 1.3 mbedTLS's server refuses clients under a key no longer in use. */
		mbedtls_ssl_conf_max_tls_version(&p->config, MBEDTLS_SSL_VERSION_TLS1_2);
	}
	assert_int_equal(mbedtls_ssl_setup(&p->ssl, &p->config), 0);
	mbedtls_ssl_set_bio(&p->ssl, p, peer_send, peer_receive, NULL);
}

static void peer_close(struct peer *p)
{
	mbedtls_ssl_free(&p->ssl);
	mbedtls_ssl_config_free(&p->config);
	close(p->fd);
}

static int is_waiting(int result)
{
	return result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* The client's result of a handshake with `own`; what is said of it goes to words. */
static int meet(struct trust *trust, const char *host, struct paper *own, struct paper *asks_for,
	char words[400], struct trust_verdict *verdict)
{
	int fds[2], client_result = MBEDTLS_ERR_SSL_WANT_READ,
		    peer_result = MBEDTLS_ERR_SSL_WANT_READ;
	struct client c;
	struct peer p;

	connect_pair(fds);
	client_open(&c, fds[0], trust, host);
	peer_open(&p, fds[1], own, asks_for);
	for (int i = 0; i < 10000 && (is_waiting(client_result) ||
					     (client_result == 0 && is_waiting(peer_result)));
		i++) {
		if (is_waiting(client_result))
			client_result = client_handshake(&c);
		if (is_waiting(peer_result))
			peer_result = mbedtls_ssl_handshake(&p.ssl);
		if (peer_result != 0 && !is_waiting(peer_result))
			shutdown(p.fd, SHUT_WR);
	}
	trust_explain_verdict(client_result, &c.verdict, host, words, 400);
	*verdict = c.verdict;
	client_close(&c);
	peer_close(&p);
	return client_result;
}

static void refused_servers(void **state)
{
	static const struct {
		struct paper_plan plan;
		const char *host;
		const char *phrase; /* NULL: accepted */
	} cases[] = {
		{{.host = "api.x", .issuer = &ca}, "api.x", NULL},
		{{.host = "*.x", .issuer = &ca}, "api.x", NULL},
		{{.host = "api.x", .rsa_bits = 2048, .issuer = &ca}, "api.x", NULL},
		{{.host = "api.y", .issuer = &ca}, "api.x",
			"certificate of api.x is for another host"},
		{{.host = NULL, .name = "CN=other", .issuer = &ca}, "api.x", "is for another host"},
		{{.host = "api.x", .issuer = &stranger}, "api.x", "is signed by an unknown CA"},
		{{.host = "api.x", .name = "CN=self"}, "api.x", "is self-signed"},
		{{.host = "api.x", .issuer = &ca, .from = "20200101000000", .to = "20210203000000"},
			"api.x", "has expired (not after 2021-02-03; this board's clock says 20"},
		{{.host = "api.x", .issuer = &ca, .from = "20910203000000"}, "api.x",
			"is not yet valid (not before 2091-02-03; this board's clock says 20"},
		{{.host = "api.x", .issuer = &ca, .rsa_bits = 1024}, "api.x", "too weak a key"},
		{{.host = "api.x", .issuer = &ca, .md = MBEDTLS_MD_SHA1}, "api.x",
			"too weak a hash"},
		{{.host = "api.y",
			 .issuer = &stranger,
			 .from = "20200101000000",
			 .to = "20210203000000"},
			"api.x",
			"); is signed by an unknown CA (is a CA file to be named?); is for another host"},
	};
	struct trust *trust = trust_in(&ca, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct trust_verdict verdict;
		struct paper own;
		char words[400];

		paper_make(&own, &cases[i].plan);

		int result = meet(trust, cases[i].host, &own, NULL, words, &verdict);

		if (!cases[i].phrase && result != 0)
			fail_msg("case %zu: -0x%04x %s", i, (unsigned)-result, words);
		if (cases[i].phrase && (result == 0 || !strstr(words, cases[i].phrase)))
			fail_msg("case %zu: -0x%04x '%s' does not say '%s'", i, (unsigned)-result,
				words, cases[i].phrase);
		assert_int_equal(verdict.flags != 0, cases[i].phrase != NULL);
		paper_free(&own);
	}
	trust_close(trust);
}

static void an_expired_issuer_is_named_as_such(void **state)
{
	struct paper old, own;
	struct trust_verdict verdict;
	char words[400];

	(void)state;
	paper_make(&old, &(struct paper_plan){.is_ca = 1,
				 .name = "CN=old CA",
				 .from = "20100101000000",
				 .to = "20200101000000"});
	paper_make(&own, &(struct paper_plan){.host = "api.x", .issuer = &old});

	struct trust *trust = trust_in(&old, NULL);

	assert_int_not_equal(meet(trust, "api.x", &own, NULL, words, &verdict), 0);
	assert_int_equal(verdict.at_depth, 1);
	assert_non_null(strstr(words,
		"a CA's certificate in the chain of api.x has expired (not after 2020-01-01"));
	trust_close(trust);
	paper_free(&own);
	paper_free(&old);
}

static void clients_show_their_certificate(void **state)
{
	struct paper own, client;
	struct trust_verdict verdict;
	char words[400];

	(void)state;
	paper_make(&own, &(struct paper_plan){.host = "api.x", .issuer = &ca});
	paper_make(&client, &(struct paper_plan){.name = "CN=box", .issuer = &ca});

	struct trust *with = trust_in(&ca, &client);
	struct trust *without = trust_in(&ca, NULL);

	assert_int_equal(meet(with, "api.x", &own, &ca, words, &verdict), 0);
	assert_int_not_equal(meet(without, "api.x", &own, &ca, words, &verdict), 0);
	assert_non_null(strstr(words, "closed the connection during the TLS handshake"));
	trust_close(with);
	trust_close(without);
	paper_free(&own);
	paper_free(&client);
}

/* What no TLS server says. */
static void answers_that_are_no_tls(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *phrase;
	} cases[] = {
		{"HTTP/1.0 400 Bad Request\r\n\r\n", 28, "api.x does not speak TLS on this port"},
		{"\x15\x03\x01\x00\x02\x02\x46", 7, "api.x refused the handshake"},
		{"", 0, "api.x closed the connection during the TLS handshake"},
	};
	struct trust *trust = trust_in(&ca, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fds[2], result = MBEDTLS_ERR_SSL_WANT_READ;
		char words[400], hello[2000];
		struct client c;

		connect_pair(fds);
		client_open(&c, fds[0], trust, "api.x");
		while (is_waiting(client_handshake(&c)) &&
			recv(fds[1], hello, sizeof hello, 0) <= 0)
			continue;
		if (cases[i].length)
			assert_int_equal(
				write(fds[1], cases[i].bytes, cases[i].length), cases[i].length);
		shutdown(fds[1], SHUT_WR);
		for (int turn = 0; turn < 10000 && is_waiting(result); turn++)
			result = client_handshake(&c);
		trust_explain_verdict(result, &c.verdict, "api.x", words, sizeof words);
		if (!strstr(words, cases[i].phrase))
			fail_msg("'%s' does not say '%s'", words, cases[i].phrase);
		client_close(&c);
		close(fds[1]);
	}
	trust_close(trust);
}

/* The board's clock, as it says so itself, stands in the words. */
static int64_t first_of_1970(void)
{
	return 3600ll * 1000000;
}

static void the_boards_clock_is_named(void **state)
{
	char words[300];

	(void)state;
	clock_replace(first_of_1970, NULL);
	trust_explain(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_FUTURE, "api.x",
		words, sizeof words);
	clock_replace(NULL, NULL);
	assert_string_equal(words,
		"certificate of api.x is not yet valid (this board's clock says 1970-01-01 01:00 "
		"UTC: is it set?)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_servers),
		cmocka_unit_test(an_expired_issuer_is_named_as_such),
		cmocka_unit_test(clients_show_their_certificate),
		cmocka_unit_test(answers_that_are_no_tls),
		cmocka_unit_test(the_boards_clock_is_named),
	};

	return cmocka_run_group_tests(tests, make_cas, remove_cas);
}
