/* test_session.c - the server's side: its certificate, its bytes, its ends. */
#include "client.h"
#include "tls/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[200], ca_file[256];
static struct tls_server *server;
static struct trust *trust;

static int open_server(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/scorebox-session-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
	if (tls_server_open(&server, "localhost,127.0.0.1, ::1,replay.test", ca_file, NULL) !=
		STATUS_OK)
		return -1;
	return trust_open(&trust, ca_file, NULL, NULL, NULL) == STATUS_OK ? 0 : -1;
}

static int close_server(void **state)
{
	(void)state;
	trust_close(trust);
	tls_server_close(server);
	unlink(ca_file);
	return rmdir(folder);
}

struct meeting {
	struct client client;
	struct tls_session *session;
};

static void meet(struct meeting *m, const char *host, mbedtls_ssl_protocol_version version)
{
	int fds[2];

	connect_pair(fds);
	client_open(&m->client, fds[0], trust, host);
	mbedtls_ssl_conf_max_tls_version(&m->client.config, version);
	mbedtls_ssl_conf_min_tls_version(&m->client.config, version);
	assert_int_equal(tls_session_accept(&m->session, server, fds[1], NULL), STATUS_OK);
	assert_int_equal(tls_session_fd(m->session), fds[1]);
}

/* Turns the handshake until both wait for data; the server's read drives its side. */
static int shake(struct meeting *m)
{
	int result = MBEDTLS_ERR_SSL_WANT_READ;
	char byte;

	for (int i = 0; i < 10000; i++) {
		if (result != 0)
			result = client_handshake(&m->client);

		int n = tls_session_read(m->session, &byte, 1);

		if (result == 0 && n == TLS_WANT_READ &&
			mbedtls_ssl_is_handshake_over(&m->client.ssl))
			return 0;
		if (n == TLS_FAILED || n == TLS_CLOSED)
			return n;
		if (result != 0 && result != MBEDTLS_ERR_SSL_WANT_READ &&
			result != MBEDTLS_ERR_SSL_WANT_WRITE)
			return result;
	}
	return -1;
}

static void part(struct meeting *m)
{
	tls_session_close(m->session);
	client_close(&m->client);
}

static void every_name_in_both_versions(void **state)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "replay.test"};
	static const mbedtls_ssl_protocol_version versions[] = {
		MBEDTLS_SSL_VERSION_TLS1_2, MBEDTLS_SSL_VERSION_TLS1_3};

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		for (size_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++) {
			struct meeting m;

			meet(&m, hosts[h], versions[v]);
			if (shake(&m) != 0)
				fail_msg("%s: flags 0x%x", hosts[h], m.client.verdict.flags);
			part(&m);
		}
		struct meeting wrong;

		meet(&wrong, "example.test", versions[v]);
		assert_int_not_equal(shake(&wrong), 0);
		assert_int_equal(wrong.client.verdict.flags, MBEDTLS_X509_BADCERT_CN_MISMATCH);
		part(&wrong);
	}
}

static void the_ca_file_is_readable_by_all(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(ca_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(trust_roots(trust), 1);
}

static void wrong_names_are_refused(void **state)
{
	static const char *const no_names[] = {
		"10.0.2.300", "[::1]", "fd00::1::2", "https://x/", "a:443", "\xC3\xBC.example"};
	struct tls_server *none = NULL;
	struct why why;
	char list[600];

	(void)state;
	assert_int_equal(tls_server_open(&none, "", NULL, &why), STATUS_BAD_DATA);
	assert_int_equal(tls_server_open(&none, " , ,", NULL, &why), STATUS_BAD_DATA);
	for (size_t i = 0; i < sizeof no_names / sizeof *no_names; i++) {
		snprintf(list, sizeof list, "localhost,%s", no_names[i]);
		assert_int_equal(tls_server_open(&none, list, NULL, &why), STATUS_BAD_DATA);
		assert_non_null(strstr(why.text, "neither a host name nor an address"));
		assert_non_null(strstr(why.text, no_names[i]));
	}
	memset(list, 'a', sizeof list - 1);
	list[sizeof list - 1] = '\0';
	assert_int_equal(tls_server_open(&none, list, NULL, &why), STATUS_BAD_DATA);
	for (size_t i = 1; i < sizeof list - 1; i += 2)
		list[i] = ',';
	assert_int_equal(tls_server_open(&none, list, NULL, &why), STATUS_BAD_DATA);
	assert_int_equal(
		tls_server_open(&none, "localhost", "/nowhere/at/all.pem", &why), STATUS_NOT_FOUND);
	assert_null(none);
}

/* More than both sockets hold, each way at once, in pieces of many sizes. */
enum { AMOUNT = 3 << 20 };

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 31 + i / 253);
}

static int client_moves(struct client *c, bool writes, size_t *done)
{
	unsigned char piece[7000];
	size_t want = 1 + *done % sizeof piece;
	int n;

	if (want > AMOUNT - *done)
		want = AMOUNT - *done;
	for (size_t i = 0; writes && i < want; i++)
		piece[i] = pattern(*done + i);
	n = writes ? mbedtls_ssl_write(&c->ssl, piece, want)
		   : mbedtls_ssl_read(&c->ssl, piece, want);
	for (int i = 0; !writes && i < n; i++)
		assert_int_equal(piece[i], pattern(*done + (size_t)i));
	return n;
}

static int server_moves(struct tls_session *s, bool writes, size_t *done)
{
	unsigned char piece[9000];
	size_t want = 1 + *done % sizeof piece;
	int n;

	if (want > AMOUNT - *done)
		want = AMOUNT - *done;
	for (size_t i = 0; writes && i < want; i++)
		piece[i] = pattern(*done + i);
	n = writes ? tls_session_write(s, piece, want) : tls_session_read(s, piece, want);
	for (int i = 0; !writes && i < n; i++)
		assert_int_equal(piece[i], pattern(*done + (size_t)i));
	return n;
}

static void count(size_t *done, int n)
{
	if (n > 0)
		*done += (size_t)n;
}

static void bytes_arrive(void **state)
{
	struct meeting m;
	size_t up = 0, up_read = 0, down = 0, down_read = 0;

	(void)state;
	meet(&m, "localhost", MBEDTLS_SSL_VERSION_TLS1_3);
	assert_int_equal(shake(&m), 0);
	while (up_read < AMOUNT || down_read < AMOUNT) {
		if (up < AMOUNT)
			count(&up, client_moves(&m.client, true, &up));
		if (up_read < AMOUNT) {
			int n = server_moves(m.session, false, &up_read);

			assert_true(n > 0 || n == TLS_WANT_READ);
			count(&up_read, n);
		}
		if (down < AMOUNT) {
			int n = server_moves(m.session, true, &down);

			assert_true(n > 0 || n == TLS_WANT_WRITE);
			count(&down, n);
		}
		if (down_read < AMOUNT)
			count(&down_read, client_moves(&m.client, false, &down_read));
	}
	part(&m);
}

static void a_close_is_told_apart_from_a_cut(void **state)
{
	struct meeting m;
	unsigned char byte;
	int n;

	(void)state;
	/* The server closes: close_notify arrives. */
	meet(&m, "localhost", MBEDTLS_SSL_VERSION_TLS1_2);
	assert_int_equal(shake(&m), 0);
	tls_session_close(m.session);
	while ((n = mbedtls_ssl_read(&m.client.ssl, &byte, 1)) == MBEDTLS_ERR_SSL_WANT_READ)
		continue;
	assert_int_equal(n, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
	client_close(&m.client);

	/* The server resets. */
	meet(&m, "localhost", MBEDTLS_SSL_VERSION_TLS1_3);
	assert_int_equal(shake(&m), 0);
	tls_session_reset(m.session);
	assert_int_equal(recv(m.client.fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	client_close(&m.client);

	/* The client closes, properly and not. */
	for (int properly = 0; properly < 2; properly++) {
		meet(&m, "localhost", MBEDTLS_SSL_VERSION_TLS1_3);
		assert_int_equal(shake(&m), 0);
		if (properly)
			assert_int_equal(mbedtls_ssl_close_notify(&m.client.ssl), 0);
		client_close(&m.client);
		while ((n = tls_session_read(m.session, &byte, 1)) == TLS_WANT_READ)
			continue;
		assert_int_equal(n, TLS_CLOSED);
		assert_int_equal(tls_session_read(m.session, &byte, 1), TLS_CLOSED);
		assert_string_equal(tls_session_error(m.session), "");
		tls_session_close(m.session);
	}
	tls_session_close(NULL);
}

static void a_client_without_tls_is_an_error(void **state)
{
	int fds[2], n;
	struct tls_session *s;
	char byte;

	(void)state;
	connect_pair(fds);
	assert_int_equal(tls_session_accept(&s, server, fds[1], NULL), STATUS_OK);
	assert_int_equal(write(fds[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	while ((n = tls_session_read(s, &byte, 1)) == TLS_WANT_READ)
		continue;
	assert_int_equal(n, TLS_FAILED);
	assert_true(strlen(tls_session_error(s)) > 5);
	assert_int_equal(tls_session_write(s, "x", 1), TLS_FAILED);
	tls_session_close(s);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_in_both_versions),
		cmocka_unit_test(the_ca_file_is_readable_by_all),
		cmocka_unit_test(wrong_names_are_refused),
		cmocka_unit_test(bytes_arrive),
		cmocka_unit_test(a_close_is_told_apart_from_a_cut),
		cmocka_unit_test(a_client_without_tls_is_an_error),
	};

	return cmocka_run_group_tests(tests, open_server, close_server);
}
