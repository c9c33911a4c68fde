/* test_transport_memory.c - malloc fails at call 1, 2, 3, ... to the end, in the opening of the transport and in
 * the handshake of a session: each is refused or complete, and want of memory verifies nobody. Leaks are the
 * sanitizer's to find. */
#include "failing_malloc.h"
#include "kafka/transport.h"
#include "tls/client.h"
#include "tls/setup.h"
#include "tls/trust_files.h"
#include "tls_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char ca_file[256];
static struct paper ca, stranger, own, other;

static int set_up(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(ca_file, sizeof ca_file, "%s/scorebox-memory-%d.pem", base ? base : "/tmp",
		(int)getpid());
	if (tls_setup(NULL) != STATUS_OK)
		return -1;
	paper_make(&ca, &(struct paper_plan){.is_ca = 1, .name = "CN=test CA"});
	paper_make(&stranger, &(struct paper_plan){.is_ca = 1, .name = "CN=a stranger"});
	paper_make(&own, &(struct paper_plan){.host = "k1.test", .issuer = &ca});
	paper_make(&other, &(struct paper_plan){.host = "k1.test", .issuer = &stranger});
	paper_write(ca_file, ca.pem);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	paper_free(&ca);
	paper_free(&stranger);
	paper_free(&own);
	paper_free(&other);
	return unlink(ca_file);
}

static void a_transport_is_complete_or_refused(void **state)
{
	struct trust_files *trust;
	unsigned n = 0;

	(void)state;
	assert_int_equal(trust_files_open(&trust, ca_file, NULL, NULL, NULL), STATUS_OK);
	do {
		struct transport *t = NULL;

		malloc_fail_at(++n, false);

		enum status s = transport_open(&t, trust, 0, NULL);
		int fd = s == STATUS_OK ? transport_socket(t) : -1;

		malloc_fail_at(0, false);
		assert_int_equal(s == STATUS_OK, t != NULL);
		assert_true(fd >= 0 || malloc_failures());
		if (fd >= 0)
			transport_closesocket(t, fd);
		transport_close(t);
	} while (malloc_failures());
	trust_files_close(trust);
}

static void files_are_followed_or_refused(void **state)
{
	unsigned n = 0;

	(void)state;
	do {
		struct trust_files *f = NULL;

		malloc_fail_at(++n, false);

		enum status s = trust_files_open(&f, ca_file, NULL, NULL, NULL);

		malloc_fail_at(0, false);
		assert_true(s == STATUS_OK || (s == STATUS_NO_MEMORY && !f));
		trust_files_close(f);
	} while (malloc_failures());
	assert_true(n > 10);
}

static int shake_hands(struct tls_client *c, int fd)
{
	for (;;) {
		int n = tls_client_handshake(c);
		struct pollfd one = {.fd = fd, .events = n == TLS_WANT_READ ? POLLIN : POLLOUT};

		if (n != TLS_WANT_READ && n != TLS_WANT_WRITE)
			return n;
		assert_true(poll(&one, 1, 20000) > 0);
	}
}

/* 0: verified. */
static int meet(struct peer *p, struct trust *trust, unsigned fail_at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result = TLS_FAILED;
	struct tls_client *c = NULL;

	assert_int_equal(connect(fd, (struct sockaddr *)&p->address, p->address_bytes), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	malloc_fail_at(fail_at, false);
	if (tls_client_open(&c, trust, "k1.test", "k1.test:9092", fd, NULL) == STATUS_OK)
		result = shake_hands(c, fd);
	malloc_fail_at(0, false);
	if (c && result != 0)
		assert_int_not_equal(strlen(tls_client_words(c)), 0);
	tls_client_close(c);
	close(fd);
	return result;
}

static void a_session_is_verified_or_refused(void **state)
{
	(void)state;
	for (int round = 0; round < 4; round++) {
		bool is_stranger = round % 2;
		struct peer p = {.manner = CLOSES_FIRST,
			.own = is_stranger ? &other : &own,
			.only_tls_1_2 = round / 2};
		struct trust *trust;
		unsigned n = 1, verified = 0;

		assert_int_equal(trust_open(&trust, ca_file, NULL, NULL, NULL), STATUS_OK);
		peer_start(&p);
		do {
			int result = meet(&p, trust, n);

			verified += result == 0;
			assert_true(result == 0 || is_stranger || malloc_failures());
			n += n < 60 ? 1 : 37;
		} while (malloc_failures());
		assert_true(is_stranger ? verified == 0 : verified > 0);
		assert_true(n > 60);
		peer_stop(&p);
		trust_close(trust);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transport_is_complete_or_refused),
		cmocka_unit_test(files_are_followed_or_refused),
		cmocka_unit_test(a_session_is_verified_or_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
