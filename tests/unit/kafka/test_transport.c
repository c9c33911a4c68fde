/* test_transport.c - TLS beneath librdkafka: whom it believes, that bytes arrive whole and none before, and that
 * nothing is left behind. The tests stand where librdkafka stands: at the near end of the pair. */
#include "base/clock.h"
#include "board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RECONNECTS = 10000 };

/* ---- bytes ---- */

static void echo_some(struct peer *p, size_t length)
{
	struct transport *t = open_transport(&ca, NULL);
	unsigned char *sent = malloc(length), *back = malloc(length);
	const char *code;
	char words[TRANSPORT_WORDS_BYTES];
	size_t at = 0, got = 0;

	peer_start(p);
	for (size_t i = 0; i < length; i++)
		sent[i] = peer_pattern(i);

	int fd = go_to(t, p, "k1.test");

	while (got < length) {
		struct pollfd one = {.fd = fd, .events = POLLIN | (at < length ? POLLOUT : 0)};
		ssize_t n;

		assert_true(poll(&one, 1, PATIENCE_MS) > 0);
		n = at < length ? send(fd, sent + at, length - at, MSG_NOSIGNAL) : 0;
		at += n > 0 ? (size_t)n : 0;
		n = recv(fd, back + got, length - got, 0);
		assert_true(n > 0 || errno == EAGAIN);
		got += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(sent, back, length);
	assert_false(transport_trouble(t, &code, words, sizeof words));
	transport_closesocket(t, fd);
	for (int i = 0; i < PATIENCE_MS && !p->goodbyes; i++)
		poll(NULL, 0, 1);
	assert_int_equal(p->goodbyes, 1);
	transport_close(t);
	peer_stop(p);
	free(sent);
	free(back);
}

static void bytes_go_there_and_back(void **state)
{
	(void)state;
	echo_some(&(struct peer){.manner = ECHOES, .own = &own}, 3 << 20);
	echo_some(&(struct peer){.manner = ECHOES, .own = &own, .only_tls_1_2 = true}, 3 << 20);
}

static void over_ipv6_too(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	bool there = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;

	(void)state;
	if (fd >= 0)
		close(fd);
	if (!there) {
		print_message("SKIPPED: no IPv6 on this machine's loopback\n");
		skip();
	}
	echo_some(&(struct peer){.manner = ECHOES, .own = &own, .ipv6 = true}, 100000);
}

static void byte_by_byte(void **state)
{
	(void)state;
	echo_some(&(struct peer){.manner = ECHOES, .own = &own, .slice = 1}, 2000);
	echo_some(&(struct peer){.manner = ECHOES, .own = &own, .slice = 1, .only_tls_1_2 = true},
		2000);
}

/* All that the peer sent before its goodbye arrives, then the end. */
static void the_peers_last_bytes_arrive(void **state)
{
	struct peer p = {.manner = SENDS, .own = &own, .bytes = 1 << 20};
	struct transport *t = open_transport(&ca, NULL);
	unsigned char *got = malloc(p.bytes + 1);

	(void)state;
	peer_start(&p);

	int fd = go_to(t, &p, "k1.test");

	assert_int_equal(take(fd, got, p.bytes + 1), p.bytes);
	for (size_t i = 0; i < p.bytes; i++)
		assert_int_equal(got[i], peer_pattern(i));
	transport_closesocket(t, fd);
	transport_close(t);
	peer_stop(&p);
	free(got);
}

/* What we wrote before shutdown() and close() still goes out. */
static void our_last_bytes_arrive(void **state)
{
	struct peer p = {.manner = LISTENS, .own = &own, .bytes = 20000, .may_read = true};
	struct transport *t = open_transport(&ca, NULL);
	unsigned char bytes[20000];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = peer_pattern(i);
	peer_start(&p);

	int fd = go_to(t, &p, "k1.test");

	while (!p.verified)
		poll(NULL, 0, 1);
	give(fd, bytes, sizeof bytes);
	shutdown(fd, SHUT_RDWR);
	transport_closesocket(t, fd);
	for (int i = 0; i < PATIENCE_MS && p.heard < sizeof bytes; i++)
		poll(NULL, 0, 1);
	assert_int_equal(p.heard, sizeof bytes);
	transport_close(t);
	peer_stop(&p);
}

/* Who reads slowly is read from slowly, and nobody spins meanwhile. */
static void a_slow_reader_holds_the_peer_up(void **state)
{
	struct peer p = {.manner = SENDS, .own = &own, .bytes = 24 << 20};
	struct transport *t = open_transport(&ca, NULL);
	unsigned char *got = malloc(p.bytes);
	size_t before = 1;

	(void)state;
	peer_start(&p);

	int fd = go_to(t, &p, "k1.test");

	while (p.sent != before) { /* until no more goes in */
		before = p.sent;
		poll(NULL, 0, 200);
	}
	assert_true(p.sent < p.bytes);

	int64_t cpu = cpu_us();

	poll(NULL, 0, 300);		      /* the time over which is measured */
	assert_true(cpu_us() - cpu < 200000); /* who spins takes all 300 */
	assert_int_equal(take(fd, got, p.bytes), p.bytes);
	for (size_t i = 0; i < p.bytes; i += 1009)
		assert_int_equal(got[i], peer_pattern(i));
	transport_closesocket(t, fd);
	transport_close(t);
	peer_stop(&p);
	free(got);
}

static void a_slow_peer_holds_us_up(void **state)
{
	struct peer p = {.manner = LISTENS, .own = &own, .bytes = 24 << 20};
	struct transport *t = open_transport(&ca, NULL);
	unsigned char *bytes = malloc(p.bytes);
	size_t at = 0;
	int quiet = 0;

	(void)state;
	for (size_t i = 0; i < p.bytes; i++)
		bytes[i] = peer_pattern(i);
	peer_start(&p);

	int fd = go_to(t, &p, "k1.test");

	while (quiet < 20 && at < p.bytes) {
		ssize_t n = send(fd, bytes + at, p.bytes - at, MSG_NOSIGNAL);

		at += n > 0 ? (size_t)n : 0;
		quiet = n > 0 ? 0 : quiet + 1;
		poll(NULL, 0, n > 0 ? 0 : 10);
	}
	assert_true(at < p.bytes);

	int64_t cpu = cpu_us();

	poll(NULL, 0, 300);
	assert_true(cpu_us() - cpu < 200000); /* who spins takes all 300 */
	atomic_store(&p.may_read, true);
	give(fd, bytes + at, p.bytes - at);
	for (int i = 0; i < PATIENCE_MS && p.heard < p.bytes; i++)
		poll(NULL, 0, 1);
	assert_int_equal(p.heard, p.bytes);
	transport_closesocket(t, fd);
	transport_close(t);
	peer_stop(&p);
	free(bytes);
}

/* ---- whom it believes ---- */

static void who_is_refused(void **state)
{
	static const struct {
		struct paper_plan plan;
		const char *host;
		const char *code; /* NULL: believed */
		const char *phrase;
	} cases[] = {
		{{.host = "k1.test", .issuer = &ca}, "k1.test", NULL, NULL},
		{{.host = "*.test", .issuer = &ca}, "k1.test", NULL, NULL},
		{{.address = "127.0.0.1", .issuer = &ca}, "127.0.0.1", NULL, NULL},
		{{.host = "k1.test", .address = "127.0.0.1", .issuer = &ca}, "127.0.0.1", NULL,
			NULL},
		{{.address = "::1", .issuer = &ca}, "[::1]", NULL, NULL},
		{{.address = "fe80::1", .issuer = &ca}, "[fe80::1%eth0]", NULL, NULL},
		{{.host = "k2.test", .issuer = &ca}, "k1.test", "kafka.tls.name",
			"is for another host"},
		{{.host = "test", .issuer = &ca}, "k1.test", "kafka.tls.name",
			"is for another host"},
		{{.host = "k1.test", .issuer = &ca}, "127.0.0.1", "kafka.tls.name",
			"is for another host"},
		{{.address = "127.0.0.2", .issuer = &ca}, "127.0.0.1", "kafka.tls.name",
			"certificate of 127.0.0.1:"},
		{{.address = "127.0.0.1", .issuer = &ca}, "[::1]", "kafka.tls.name",
			"is for another host"},
		/* an address that is spelled where names stand */
		{{.host = "127.0.0.1", .issuer = &ca}, "127.0.0.1", "kafka.tls.name",
			"is for another host"},
		{{.host = "*.0.0.1", .issuer = &ca}, "127.0.0.1", "kafka.tls.name",
			"is for another host"},
		{{.name = "CN=127.0.0.1", .issuer = &ca}, "127.0.0.1", "kafka.tls.name",
			"is for another host"},
		{{.host = "k1.test", .issuer = &stranger}, "k1.test", "kafka.tls.ca",
			"is signed by an unknown CA"},
		{{.host = "k1.test", .name = "CN=self"}, "k1.test", "kafka.tls.ca", "self-signed"},
		{{.host = "k1.test",
			 .issuer = &ca,
			 .from = "20200101000000",
			 .to = "20210203000000"},
			"k1.test", "kafka.tls.expired", "has expired (not after 2021-02-03"},
		{{.host = "k1.test", .issuer = &ca, .from = "20910203000000"}, "k1.test",
			"kafka.tls.early", "is not yet valid (not before 2091-02-03"},
		{{.host = "k1.test", .issuer = &ca, .rsa_bits = 1024}, "k1.test", "kafka.tls.weak",
			"too weak a key"},
		{{.host = "k1.test", .issuer = &ca, .md = MBEDTLS_MD_SHA1}, "k1.test",
			"kafka.tls.weak", "too weak a hash"},
	};
	struct transport *t = open_transport(&ca, NULL);

	(void)state;
	for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
		struct paper shown;
		struct peer p = {.manner = ECHOES, .own = &shown, .only_tls_1_2 = i % 2};

		paper_make(&shown, &cases[i / 2].plan);
		peer_start(&p);

		int fd = go_to(t, &p, cases[i / 2].host);
		char back[7];

		give(fd, "secret", 7);
		if (cases[i / 2].code) {
			expect_refusal(t, fd, cases[i / 2].code, cases[i / 2].phrase);
			peer_stop(&p);
			assert_int_equal(p.verified + p.heard, 0);
		} else {
			assert_int_equal(take(fd, back, 7), 7);
			assert_string_equal(back, "secret");
			transport_closesocket(t, fd);
			peer_stop(&p);
		}
		paper_free(&shown);
	}
	transport_close(t);
}

static void names_that_cannot_be_verified(void **state)
{
	static const char *const brokers[] = {"", ":9092", "[]:9092"};
	struct peer p = {.manner = ECHOES, .own = &own};
	struct transport *t = open_transport(&ca, NULL);
	char long_name[400];

	(void)state;
	peer_start(&p);
	memset(long_name, 'a', sizeof long_name);
	snprintf(long_name + 300, 20, ":9092");
	for (size_t i = 0; i < 4; i++) {
		int fd = transport_socket(t);

		transport_connect(t, fd, (const struct sockaddr *)&p.address, p.address_bytes,
			i < 3 ? brokers[i] : long_name);
		expect_refusal(t, fd, "kafka.down", "cannot be verified");
	}
	transport_close(t);
	peer_stop(&p);
	assert_int_equal(p.verified, 0);
}

static void clients_show_their_certificate(void **state)
{
	struct paper box;

	(void)state;
	paper_make(&box, &(struct paper_plan){.name = "CN=box", .issuer = &ca});
	for (int i = 0; i < 2; i++) {
		/* In TLS 1.3 mbedTLS's server refuses clients under a key no longer in use. */
		struct peer p = {
			.manner = ECHOES, .own = &own, .asks_for = &ca, .only_tls_1_2 = true};
		struct transport *t = open_transport(&ca, i ? &box : NULL);
		char back[6];

		peer_start(&p);

		int fd = go_to(t, &p, "k1.test");

		give(fd, "hello", 6);
		if (i) {
			assert_int_equal(take(fd, back, 6), 6);
			transport_closesocket(t, fd);
		} else {
			expect_refusal(t, fd, "kafka.tls.client",
				"wants a client certificate, and none is set");
		}
		transport_close(t);
		peer_stop(&p);
		assert_int_equal(p.verified, i);
	}
	paper_free(&box);
}

static void a_peer_without_tls(void **state)
{
	struct peer p = {.manner = NO_TLS};
	struct transport *t = open_transport(&ca, NULL);

	(void)state;
	peer_start(&p);
	expect_refusal(t, go_to(t, &p, "k1.test"), "kafka.tls.plaintext",
		"does not speak TLS on this port");
	transport_close(t);
	peer_stop(&p);
}

static void a_peer_that_closes_after_the_handshake(void **state)
{
	struct peer p = {.manner = CLOSES_FIRST, .own = &own, .only_tls_1_2 = true};
	struct transport *t = open_transport(&ca, NULL);

	(void)state;
	peer_start(&p);
	expect_refusal(t, go_to(t, &p, "k1.test"), "kafka.tls.refused",
		"closed the connection right after the TLS handshake");
	transport_close(t);
	peer_stop(&p);
}

static void nobody_there(void **state)
{
	struct peer p = {.manner = MUTE};
	struct transport *t = open_transport(&ca, NULL);

	(void)state;
	peer_start(&p);
	peer_stop(&p);
	expect_refusal(t, go_to(t, &p, "k1.test"), "kafka.down", "Connection refused");
	transport_close(t);
}

/* The first flight is all that an unverified peer gets to see, however much waits in the pair. */
static void nothing_leaves_before_the_peer_is_verified(void **state)
{
	static const char secret[] = "THE-PASSWORD-OF-THE-BOARD";
	struct peer p = {.manner = MUTE};
	struct transport *t = open_transport(&ca, NULL);

	(void)state;
	peer_start(&p);

	int fd = go_to(t, &p, "k1.test");

	give(fd, secret, sizeof secret);
	while (p.seen_bytes < 100)
		poll(NULL, 0, 1);
	transport_closesocket(t, fd);
	transport_close(t);
	peer_stop(&p);
	assert_int_equal(p.seen[0], 22); /* a handshake record */
	assert_null(memmem(p.seen, p.seen_bytes, secret, sizeof secret - 1));
	assert_non_null(memmem(p.seen, p.seen_bytes, "k1.test", 7)); /* SNI */
}

/* An address is no server name (RFC 6066). */
static void no_sni_for_an_address(void **state)
{
	struct peer p = {.manner = MUTE};
	struct transport *t = open_transport(&ca, NULL);

	(void)state;
	peer_start(&p);

	int fd = go_to(t, &p, "127.0.0.1");

	while (p.seen_bytes < 100)
		poll(NULL, 0, 1);
	transport_closesocket(t, fd);
	transport_close(t);
	peer_stop(&p);
	assert_null(memmem(p.seen, p.seen_bytes, "127.0.0.1", 9));
}

/* ---- ends ---- */

/* The peer's connection is reset after each number of bytes that it sent. */
static void reset_at_each_byte(void **state)
{
	struct transport *t = open_transport(&ca, NULL);
	unsigned before = 0;

	(void)state;
	for (size_t n = 1; n < 1200; n += n < 100 ? 1 : 17) {
		struct peer p = {
			.manner = ECHOES, .own = &own, .reset_after = n, .only_tls_1_2 = n % 2};
		char back[5];

		peer_start(&p);
		if (!before)
			before = open_descriptors();

		int fd = go_to(t, &p, "k1.test");

		send(fd, "hello", 5, MSG_NOSIGNAL);
		assert_true(take(fd, back, 5) >= 0);
		transport_closesocket(t, fd);
		if (n == 1)
			before = open_descriptors() - 1; /* the peer may have its one open still */
		peer_stop(&p);
	}
	transport_close(t);
	assert_true(open_descriptors() <= before);
}

/* Every way in which librdkafka may end a connection, at every time. */
static void ten_thousand_reconnects(void **state)
{
	struct peer p = {.manner = ECHOES, .own = &own};
	struct transport *t = open_transport(&ca, NULL);
	unsigned descriptors;
	char byte;

	(void)state;
	peer_start(&p);
	descriptors = open_descriptors();
	for (int i = 0; i < RECONNECTS; i++) {
		int fd;

		if (i % 4 == 0) { /* never connected */
			fd = transport_socket(t);
			assert_true(fd >= 0);
			transport_closesocket(t, fd);
			continue;
		}
		fd = go_to(t, &p, i % 100 == 1 ? "k9.test" : "k1.test");
		if (i % 4 == 1) {
			shutdown(fd, SHUT_RDWR);
		} else if (i % 25 == 2) {
			give(fd, "x", 1);
			assert_int_equal(take(fd, &byte, 1), 1);
		}
		transport_closesocket(t, fd);
	}
	transport_close(t);
	peer_stop(&p);
	/* less the listener, epoll and the eventfd, which stood when it was counted */
	assert_int_equal(open_descriptors(), descriptors - 3);
}

/* The client is destroyed while connections are at every stage. */
static void closing_ends_all(void **state)
{
	struct peer p = {.manner = ECHOES, .own = &own}, mute = {.manner = MUTE};
	unsigned descriptors = open_descriptors();
	int fds[9];

	(void)state;
	peer_start(&p);
	peer_start(&mute);
	for (int round = 0; round < 20; round++) {
		struct transport *t = open_transport(&ca, NULL);

		for (int i = 0; i < 9; i++)
			fds[i] = i % 3 == 0   ? transport_socket(t)
				 : i % 3 == 1 ? go_to(t, &p, "k1.test")
					      : go_to(t, &mute, "k1.test");
		for (int i = 0; i < 9; i++)
			if (i != 4)
				transport_closesocket(t, fds[i]);
		transport_close(t);
		close(fds[4]);
	}
	peer_stop(&p);
	peer_stop(&mute);
	assert_int_equal(open_descriptors(), descriptors);
}

static int64_t long_ago(void)
{
	return 3600ll * 1000000;
}

/* A board without the time checks no certificate: it waits, and says for what. */
static void no_connection_before_the_clock_is_set(void **state)
{
	struct peer p = {.manner = ECHOES, .own = &own};
	struct trust_files *trust = trust_in(&ca, NULL);
	struct transport *t;
	const char *code = "";
	char words[TRANSPORT_WORDS_BYTES];

	(void)state;
	peer_start(&p);
	clock_replace(long_ago, NULL);
	assert_int_equal(transport_open(&t, trust, 60000, NULL), STATUS_OK);

	int fd = go_to(t, &p, "k1.test");

	while (!transport_trouble(t, &code, words, sizeof words))
		poll(NULL, 0, 1);
	assert_string_equal(code, "time.unset");
	assert_non_null(strstr(words, "1970-01-01 01:00 UTC"));
	assert_int_equal(p.accepted, 0);
	transport_closesocket(t, fd);
	transport_close(t);
	clock_replace(NULL, NULL);
	trust_files_close(trust);
	peer_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_there_and_back),
		cmocka_unit_test(over_ipv6_too),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(the_peers_last_bytes_arrive),
		cmocka_unit_test(our_last_bytes_arrive),
		cmocka_unit_test(a_slow_reader_holds_the_peer_up),
		cmocka_unit_test(a_slow_peer_holds_us_up),
		cmocka_unit_test(who_is_refused),
		cmocka_unit_test(names_that_cannot_be_verified),
		cmocka_unit_test(clients_show_their_certificate),
		cmocka_unit_test(a_peer_without_tls),
		cmocka_unit_test(a_peer_that_closes_after_the_handshake),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(nothing_leaves_before_the_peer_is_verified),
		cmocka_unit_test(no_sni_for_an_address),
		cmocka_unit_test(reset_at_each_byte),
		cmocka_unit_test(ten_thousand_reconnects),
		cmocka_unit_test(closing_ends_all),
		cmocka_unit_test(no_connection_before_the_clock_is_set),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
