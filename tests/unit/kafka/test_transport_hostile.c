/* test_transport_hostile.c - peers, and moments, that mean no good to TLS beneath librdkafka. */
#include "base/clock.h"
#include "board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPAWNING_MS = 4000, DEAF = 3 };

static void *spawn_on(void *context)
{
	char name[] = "true", *const words[] = {name, NULL};
	atomic_bool *over = context;
	pid_t child;

	while (!atomic_load(over))
		if (posix_spawnp(&child, "true", NULL, NULL, words, environ) == 0)
			waitpid(child, NULL, 0);
	return NULL;
}

/* A child holds duplicates of all our descriptors until its exec: what was closed meanwhile still has its events. */
static void connections_end_while_children_are_spawned(void **state)
{
	struct peer p = {.manner = ECHOES, .own = &own};
	struct transport *t = open_transport(&ca, NULL);
	atomic_bool over = false;
	pthread_t spawner;
	char byte = 'x';

	(void)state;
	peer_start(&p);
	assert_int_equal(pthread_create(&spawner, NULL, spawn_on, &over), 0);
	for (int64_t until_ms = clock_mono_ms() + SPAWNING_MS; clock_mono_ms() < until_ms;) {
		int fd = go_to(t, &p, "k1.test");

		give(fd, &byte, 1);
		assert_int_equal(take(fd, &byte, 1), 1);
		transport_closesocket(t, fd);
	}
	atomic_store(&over, true);
	pthread_join(spawner, NULL);
	transport_close(t);
	peer_stop(&p);
}

/* Who has not even shown a certificate must not keep the pump from the others. */
static void warnings_without_end(void **state)
{
	struct peer bad = {.manner = WARNS}, good = {.manner = ECHOES, .own = &own};
	struct transport *t = open_transport(&ca, NULL);
	int64_t began_ms;
	char byte = 'x';

	(void)state;
	peer_start(&bad);
	peer_start(&good);

	int flooded = go_to(t, &bad, "k1.test");

	while (!bad.accepted)
		poll(NULL, 0, 1);
	poll(NULL, 0, 100); /* the flood is on its way */
	for (int i = 0; i < 5; i++) {
		int fd = go_to(t, &good, "k1.test");

		give(fd, &byte, 1);
		assert_int_equal(take(fd, &byte, 1), 1);
		transport_closesocket(t, fd);
	}
	began_ms = clock_mono_ms();
	transport_closesocket(t, flooded);
	transport_close(t);
	assert_in_range(clock_mono_ms() - began_ms, 0, 2000);
	peer_stop(&bad);
	peer_stop(&good);
}

static size_t fill(int fd)
{
	static const char bytes[65536];
	size_t sent = 0;

	for (int quiet = 0; quiet < 20; quiet++) {
		ssize_t n;

		while ((n = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL)) > 0) {
			sent += (size_t)n;
			quiet = 0;
		}
		poll(NULL, 0, 20);
	}
	return sent;
}

/* A broker that takes nothing more after its handshake; librdkafka loses patience and closes. */
static void a_broker_goes_deaf(void **state)
{
	struct peer peers[DEAF];
	struct transport *t = open_transport(&ca, NULL);
	unsigned before = open_descriptors();
	int fds[DEAF];

	(void)state;
	for (int i = 0; i < DEAF; i++) {
		peers[i] = (struct peer){.manner = LISTENS, .own = &own, .bytes = SIZE_MAX};
		peer_start(&peers[i]);
		fds[i] = go_to(t, &peers[i], "k1.test");
		assert_true(fill(fds[i]) > 0);
	}
	for (int i = 0; i < DEAF; i++)
		transport_closesocket(t, fds[i]);
	/* Of each peer its listener and its connection stay. */
	for (int64_t until_ms = clock_mono_ms() + 10000;
		open_descriptors() > before + 2 * DEAF && clock_mono_ms() < until_ms;)
		poll(NULL, 0, 20);
	assert_int_equal(open_descriptors(), before + 2 * DEAF);

	int64_t cpu = cpu_us();

	poll(NULL, 0, 300); /* the time over which is measured */
	assert_true(cpu_us() - cpu < 200000);
	for (int i = 0; i < DEAF; i++)
		peer_stop(&peers[i]);
	transport_close(t);
}

/* librdkafka closes in the middle of an answer, as it does with one that is larger than it takes. */
static void we_close_while_the_broker_sends(void **state)
{
	struct peer p = {.manner = SENDS, .own = &own, .bytes = 128 << 10};
	struct transport *t = open_transport(&ca, NULL);
	unsigned before;
	char bytes[4];

	(void)state;
	peer_start(&p);
	before = open_descriptors();
	for (int i = 0; i < 100; i++) {
		int fd = go_to(t, &p, "k1.test");

		assert_int_equal(take(fd, bytes, sizeof bytes), sizeof bytes);
		transport_closesocket(t, fd);
	}
	for (int64_t until_ms = clock_mono_ms() + 10000;
		open_descriptors() > before && clock_mono_ms() < until_ms;)
		poll(NULL, 0, 20);
	assert_int_equal(open_descriptors(), before);
	transport_close(t);
	peer_stop(&p);
}

/* To mbedTLS two of them look like the end. */
static void records_without_a_byte(void **state)
{
	static const bool only_tls_1_2[] = {false, true};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct peer p = {.manner = SENDS,
			.own = &own,
			.bytes = 100,
			.empty = 3, /* four in a row are an attack to mbedTLS */
			.only_tls_1_2 = only_tls_1_2[i]};
		struct transport *t = open_transport(&ca, NULL);
		char bytes[101];

		peer_start(&p);

		int fd = go_to(t, &p, "k1.test");

		assert_int_equal(take(fd, bytes, sizeof bytes), 100);
		transport_closesocket(t, fd);
		transport_close(t);
		peer_stop(&p);
	}
}

/* "k1.test." is k1.test to DNS, and to whom we verify. */
static void a_name_with_its_last_dot(void **state)
{
	struct peer p = {.manner = ECHOES, .own = &own};
	struct transport *t = open_transport(&ca, NULL);
	char byte = 'x';

	(void)state;
	peer_start(&p);

	int fd = go_to(t, &p, "k1.test.");

	give(fd, &byte, 1);
	assert_int_equal(take(fd, &byte, 1), 1);
	transport_closesocket(t, fd);
	fd = go_to(t, &p, "k1.test..");
	expect_refusal(t, fd, "kafka.tls.name", "another host");
	transport_close(t);
	peer_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_end_while_children_are_spawned),
		cmocka_unit_test(warnings_without_end),
		cmocka_unit_test(a_broker_goes_deaf),
		cmocka_unit_test(we_close_while_the_broker_sends),
		cmocka_unit_test(records_without_a_byte),
		cmocka_unit_test(a_name_with_its_last_dot),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
