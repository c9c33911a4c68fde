/* transport.c - what librdkafka's threads call: sockets that are pairs, and handing over to the pump. */
#include "kafka/transport_private.h"

#include "base/clock.h"
#include "tls/trust_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void close_all(struct transport *t)
{
	trust_files_close(t->trust);
	pthread_mutex_destroy(&t->lock);
	if (t->wake >= 0)
		close(t->wake);
	if (t->epoll >= 0)
		close(t->epoll);
	free(t);
}

enum status transport_open(
	struct transport **out, struct trust_files *trust, int64_t clock_wait_ms, struct why *why)
{
	struct transport *t = calloc(1, sizeof *t);
	enum status s;

	if (!t)
		return fail(why, STATUS_NO_MEMORY, "TLS to Kafka: no memory");
	t->epoll = t->wake = -1;
	t->trust = trust_files_share(trust);
	t->clock_until_ms = clock_mono_ms() + clock_wait_ms;
	pthread_mutex_init(&t->lock, NULL);
	s = pump_start(t, why);
	if (s != STATUS_OK) {
		close_all(t);
		return s;
	}
	*out = t;
	return STATUS_OK;
}

void transport_close(struct transport *t)
{
	struct link *l;

	if (!t)
		return;
	pump_end(t);
	/* A near end that was never connected nor closed: not ours to close. */
	while ((l = t->nursery)) {
		t->nursery = l->next;
		link_free(l);
	}
	close_all(t);
}

/* An AF_UNIX pair holds some 200 KB, all of which would count as sent. */
static void bound_buffers(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){PAIR_BYTES}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){PAIR_BYTES}, sizeof(int));
}

int transport_socket(struct transport *t)
{
	int pair[2];
	struct link *l;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	bound_buffers(pair[0]);
	bound_buffers(pair[1]);
	l = link_make(pair[0], pair[1]);
	if (!l) {
		close(pair[0]);
		close(pair[1]);
		errno = ENOMEM;
		return -1;
	}
	pthread_mutex_lock(&t->lock);
	l->next = t->nursery;
	t->nursery = l;
	pthread_mutex_unlock(&t->lock);
	return pair[0];
}

/* Under the lock. NULL: none of ours, or handed over already. */
static struct link *take_from_nursery(struct transport *t, int near)
{
	struct link **at = &t->nursery, *l;

	while (*at && (*at)->near != near)
		at = &(*at)->next;
	l = *at;
	if (l) {
		*at = l->next;
		l->next = NULL;
		l->near = -1;
	}
	return l;
}

int transport_connect(struct transport *t, int near, const struct sockaddr *address,
	size_t address_bytes, const char *broker)
{
	struct link *l;

	bound_buffers(near); /* librdkafka has set its own meanwhile */
	pthread_mutex_lock(&t->lock);
	l = take_from_nursery(t, near);
	if (l) {
		link_address(l, address, address_bytes, broker);
		l->next = t->inbox;
		t->inbox = l;
	}
	pthread_mutex_unlock(&t->lock);
	if (l)
		pump_wake(t);
	return 0;
}

/* Out of the nursery before the number can be given out again. */
int transport_closesocket(struct transport *t, int near)
{
	struct link *l;
	int result;

	pthread_mutex_lock(&t->lock);
	l = take_from_nursery(t, near);
	pthread_mutex_unlock(&t->lock);
	result = close(near);
	if (l)
		link_free(l);
	return result;
}
