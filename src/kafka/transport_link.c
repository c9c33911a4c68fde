/* transport_link.c - the life of one connection: waiting, dialling, verifying, open, over. While it is open
 * bytes are moved in both directions, each with one small buffer: who reads slowly is read from slowly. */
#include "kafka/transport_private.h"

#include "base/clock.h"
#include "tls/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	ROUNDS = 16,	      /* buffers moved in one direction before others have their turn */
	LAST_BYTES_MS = 2000, /* for what librdkafka sent before it closed */
	LAST_READ_MS = 10000, /* for librdkafka to take what the broker sent before it closed */
};

/* ---- making and ending ---- */

struct link *link_make(int near, int far)
{
	struct link *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->near = near;
	l->ends[FAR_END].fd = far;
	l->ends[TCP_END].fd = -1;
	l->deadline_ms = INT64_MAX;
	return l;
}

void link_free(struct link *l)
{
	tls_client_close(l->tls);
	for (int i = 0; i < LINK_ENDS; i++)
		if (l->ends[i].fd >= 0)
			close(l->ends[i].fd);
	explicit_bzero(l->up_bytes, sizeof l->up_bytes);
	explicit_bzero(l->down_bytes, sizeof l->down_bytes);
	free(l);
}

/* "host:port", "[::1]:9092": the host without port and brackets, and without the dot that makes a name absolute
 * to DNS, which no certificate has (RFC 6066, 3). Too long a name becomes none, and none cannot be verified. */
static void set_host(struct link *l, const char *broker)
{
	size_t length = strcspn(broker, "/");
	const char *colon = memrchr(broker, ':', length);

	if (colon)
		length = (size_t)(colon - broker);
	if (length >= 2 && broker[0] == '[' && broker[length - 1] == ']') {
		broker++;
		length -= 2;
	}
	if (length > 1 && broker[length - 1] == '.')
		length--;
	if (length >= sizeof l->host)
		length = 0;
	memcpy(l->host, broker, length);
	l->host[length] = '\0';
}

void link_address(struct link *l, const struct sockaddr *address, size_t bytes, const char *broker)
{
	if (bytes > sizeof l->address)
		bytes = sizeof l->address;
	memcpy(&l->address, address, bytes);
	l->address_bytes = (socklen_t)bytes;
	snprintf(l->broker, sizeof l->broker, "%.*s", (int)strcspn(broker, "/"), broker);
	set_host(l, broker);
}

/* ---- moving bytes ---- */

/* librdkafka takes no byte more. */
static void near_deafened(struct link *l)
{
	l->near_deaf = true;
	l->down = (struct run){0, 0};
}

/* librdkafka has closed or shut down its end, and all that it sent before is read: it still goes out, for a moment. */
static void near_ended(struct link *l, int64_t now_ms)
{
	near_deafened(l);
	l->near_gone = true;
	l->deadline_ms = now_ms + LAST_BYTES_MS;
}

static void peer_ended(struct link *l, int64_t now_ms)
{
	l->peer_gone = true;
	l->up = (struct run){0, 0};
	l->deadline_ms = now_ms + LAST_READ_MS;
}

static void heard_of_peer(struct transport *t, struct link *l)
{
	if (!l->proven)
		trouble_over(t, l->broker);
	l->proven = true;
}

/* From the broker into the buffer. False: nothing more for now. */
static bool fill_down(struct transport *t, struct link *l, int64_t now_ms)
{
	struct end *tcp = &l->ends[TCP_END];
	int n;

	if (l->peer_gone || (l->read_wants_out && !tcp->out) ||
		(!tcp->in && !l->read_wants_out && !tls_client_has_more(l->tls)))
		return false;
	l->read_wants_out = false;
	n = tls_client_read(l->tls, l->down_bytes, sizeof l->down_bytes);
	if (n > 0) {
		heard_of_peer(t, l);
		l->down = (struct run){0, (size_t)n};
		return true;
	}
	if (n == TLS_WANT_READ) {
		tcp->in = false;
		return false;
	}
	if (n == TLS_WANT_WRITE) {
		l->read_wants_out = true;
		tcp->out = false;
		return false;
	}
	if (n == TLS_FAILED)
		trouble_note_tls(t, l);
	else if (!l->proven)
		trouble_note_mute(t, l);
	peer_ended(l, now_ms);
	return false;
}

/* From the buffer to librdkafka. False: it is full, or gone. */
static bool drain_down(struct link *l)
{
	struct end *far = &l->ends[FAR_END];
	ssize_t n;

	if (!far->out)
		return false;
	n = send(far->fd, l->down_bytes + l->down.at, l->down.end - l->down.at, MSG_NOSIGNAL);
	if (n > 0) {
		l->down.at += (size_t)n;
		return true;
	}
	if (n < 0 && errno == EINTR)
		return true;
	if (n == 0 || errno == EAGAIN) {
		far->out = false;
	} else {
		near_deafened(l);
		l->near_leaving = far->in = true; /* to be read to its end */
	}
	return false;
}

static void move_down(struct transport *t, struct link *l, int64_t now_ms)
{
	for (int i = 0; i < ROUNDS && !l->near_deaf; i++)
		if (l->down.at < l->down.end ? !drain_down(l) : !fill_down(t, l, now_ms))
			return;
	l->hungry |= !l->near_deaf;
}

static bool fill_up(struct link *l, int64_t now_ms)
{
	struct end *far = &l->ends[FAR_END];
	ssize_t n;

	if (l->near_gone || !far->in)
		return false;
	n = recv(far->fd, l->up_bytes, sizeof l->up_bytes, 0);
	if (n > 0) {
		l->up = (struct run){0, (size_t)n};
		return true;
	}
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		far->in = false;
	else
		near_ended(l, now_ms);
	return false;
}

/* mbedTLS wants what it could not send offered again unchanged: `up` moves only by what was taken. */
static bool drain_up(struct transport *t, struct link *l, int64_t now_ms)
{
	struct end *tcp = &l->ends[TCP_END];
	int n;

	if (!tcp->out)
		return false;
	n = tls_client_write(l->tls, l->up_bytes + l->up.at, l->up.end - l->up.at);
	if (n > 0) {
		l->up.at += (size_t)n;
		return true;
	}
	if (n == TLS_WANT_WRITE) {
		tcp->out = false;
	} else if (n != TLS_WANT_READ) {
		trouble_note_tls(t, l);
		peer_ended(l, now_ms);
	}
	return false;
}

static void move_up(struct transport *t, struct link *l, int64_t now_ms)
{
	for (int i = 0; i < ROUNDS && !l->peer_gone; i++)
		if (l->up.at < l->up.end ? !drain_up(t, l, now_ms) : !fill_up(l, now_ms))
			return;
	l->hungry |= !l->peer_gone;
}

/* One side is gone and the other has all its bytes: say goodbye. */
static void look_for_end(struct link *l)
{
	struct end *tcp = &l->ends[TCP_END];
	bool up_done = l->near_gone && l->up.at == l->up.end;
	bool down_done = l->peer_gone && l->down.at == l->down.end;

	if (down_done || (l->peer_gone && l->near_gone)) {
		(void)tls_client_goodbye(l->tls);
		l->stage = LINK_OVER;
	} else if (up_done && tcp->out) {
		if (tls_client_goodbye(l->tls) == TLS_WANT_WRITE)
			tcp->out = false;
		else
			l->stage = LINK_OVER;
	}
}

/* ---- turns ---- */

static void timed_out(struct transport *t, struct link *l)
{
	if (l->stage == LINK_DIALLING)
		trouble_note_errno(t, l, "no connection within 15 s to", ETIMEDOUT);
	else if (l->stage == LINK_VERIFYING)
		trouble_note_errno(t, l, "no TLS handshake within 15 s with", ETIMEDOUT);
	l->stage = LINK_OVER;
}

void link_hear(struct link *l, enum link_end which, unsigned events)
{
	struct end *e = &l->ends[which];
	bool ill = events & (EPOLLERR | EPOLLHUP);

	e->in |= ill || (events & (EPOLLIN | EPOLLRDHUP));
	e->out |= ill || (events & EPOLLOUT);
	if (which != FAR_END || (!ill && !(events & EPOLLRDHUP)))
		return;
	/* Before it is open nothing is read from the near end; only its end counts. */
	l->near_leaving = true;
	if (l->stage < LINK_OPEN)
		l->stage = LINK_OVER;
}

/* What to wait for. Level-triggered: only what would let us go on, or it would not let us sleep. */
static void watch(struct transport *t, struct link *l)
{
	const struct end *tcp = &l->ends[TCP_END];
	unsigned at_far = EPOLLRDHUP, at_tcp = 0;

	if (l->stage == LINK_DIALLING) {
		at_tcp = EPOLLOUT;
	} else if (l->stage == LINK_VERIFYING) {
		at_tcp = tcp->out ? EPOLLIN : EPOLLOUT;
	} else if (l->stage == LINK_OPEN) {
		bool reads = !l->peer_gone && !l->near_deaf && l->down.at == l->down.end;

		if (l->near_leaving) /* heard; what it left is there to be read */
			at_far = 0;
		else
			at_far |= (l->up.at == l->up.end && !l->peer_gone ? EPOLLIN : 0) |
				  (l->down.at < l->down.end ? EPOLLOUT : 0);
		at_tcp = (reads && !l->read_wants_out ? EPOLLIN : 0) | (!tcp->out ? EPOLLOUT : 0);
	}
	if (!pump_watch(t, l, FAR_END, at_far) || !pump_watch(t, l, TCP_END, at_tcp)) {
		trouble_note_errno(t, l, "no place to wait for", errno);
		l->stage = LINK_OVER;
	}
}

void link_turn(struct transport *t, struct link *l, int64_t now_ms)
{
	l->hungry = false;
	if (l->stage == LINK_WAITING && pump_clock_is_good(t, now_ms))
		dial_start(t, l, now_ms);
	if (l->stage == LINK_DIALLING)
		dial_connected(t, l);
	if (l->stage == LINK_VERIFYING)
		dial_verify(t, l);
	if (l->stage == LINK_OPEN) {
		move_down(t, l, now_ms);
		move_up(t, l, now_ms);
		look_for_end(l);
	}
	/* A broker that takes nothing more must not keep the link of a client that is gone. */
	if (l->stage == LINK_OPEN && l->near_leaving && l->deadline_ms == INT64_MAX)
		l->deadline_ms = now_ms + LAST_BYTES_MS;
	if (l->stage != LINK_OVER && now_ms >= l->deadline_ms)
		timed_out(t, l);
	if (l->stage != LINK_OVER)
		watch(t, l);
}
