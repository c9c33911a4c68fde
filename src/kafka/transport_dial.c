/* transport_dial.c - a link's way to its broker: the TCP connection, then the handshake. */
#include "kafka/transport_private.h"

#include "base/clock.h"
#include "tls/client.h"
#include "tls/trust_files.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

enum { KEEPALIVE_IDLE_S = 60, KEEPALIVE_EVERY_S = 15, KEEPALIVE_COUNT = 4 };

static int give_up(struct transport *t, struct link *l, const char *what, int error)
{
	trouble_note_errno(t, l, what, error);
	l->stage = LINK_OVER;
	return -1;
}

/* A broker that vanished without a word is found out after two minutes; librdkafka's own time limits for
 * answers are shorter, but an idle consumer waits for none. */
static void set_options(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_IDLE_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_EVERY_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){KEEPALIVE_COUNT}, sizeof(int));
}

void dial_start(struct transport *t, struct link *l, int64_t now_ms)
{
	int fd = socket(
		l->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	if (fd < 0) {
		give_up(t, l, "no socket for", errno);
		return;
	}
	l->ends[TCP_END].fd = fd;
	l->stage = LINK_DIALLING;
	l->deadline_ms = now_ms + DIAL_MS;
	set_options(fd);
	if (connect(fd, (const struct sockaddr *)&l->address, l->address_bytes) != 0 &&
		errno != EINPROGRESS)
		give_up(t, l, "cannot connect to", errno);
}

static void start_tls(struct transport *t, struct link *l)
{
	struct why why;
	struct trust *trust = trust_files_current(t->trust);
	enum status s = tls_client_open(
		&l->tls, trust, l->host, l->broker, l->ends[TCP_END].fd, &why);

	trust_close(trust);
	l->stage = LINK_VERIFYING;
	if (s != STATUS_OK) {
		trouble_note(t, l->broker, "kafka.down", why.text);
		l->stage = LINK_OVER;
	}
}

void dial_connected(struct transport *t, struct link *l)
{
	struct end *tcp = &l->ends[TCP_END];
	int error = 0;
	socklen_t bytes = sizeof error;

	if (!tcp->out)
		return;
	if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0)
		error = errno;
	if (error != 0)
		give_up(t, l, "cannot connect to", error);
	else
		start_tls(t, l);
}

void dial_verify(struct transport *t, struct link *l)
{
	struct end *tcp = &l->ends[TCP_END];

	switch (tls_client_handshake(l->tls)) {
	case 0:
		l->stage = LINK_OPEN;
		l->deadline_ms = INT64_MAX;
		l->ends[FAR_END].in = l->ends[FAR_END].out = true;
		break;
	case TLS_WANT_READ:
		tcp->in = false;
		break;
	case TLS_WANT_WRITE:
		tcp->out = false;
		break;
	default:
		trouble_note_tls(t, l);
		l->stage = LINK_OVER;
		break;
	}
}
