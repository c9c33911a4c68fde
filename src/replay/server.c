/* server.c - accepts, reads requests, sends answers as fast as the peer takes them. */
#include "replay/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "tls/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECTIONS = 40, /* below LOOP_WATCHES */
	REQUEST_BYTES = 8192,
	SEND_BYTES = 16384,
	SENDS_A_TURN = 16, /* then the others have their turn */
	TICK_MS = 1000,
	IDLE_MS = 120000,
};

struct connection {
	struct server *server;
	struct tls_session *tls;
	struct answer answer;
	bool answering; /* answer is initialised */
	bool stalled;	/* the answer ends in silence */
	bool drip_due;
	int64_t idle_since_ms;
	size_t in_bytes;
	size_t out_from, out_to;
	char in[REQUEST_BYTES];
	char out[SEND_BYTES];
};

struct server {
	struct loop *loop;
	struct tls_server *tls;
	struct api *api;
	int fd, port;
	bool full; /* CONNECTIONS reached, and said */
	struct connection *connections[CONNECTIONS];
};

enum turn { TURN_AGAIN, TURN_WAIT_READ, TURN_WAIT_WRITE, TURN_GONE };

static void drop(struct connection *c)
{
	struct server *s = c->server;

	if (c->tls) {
		loop_forget(s->loop, tls_session_fd(c->tls));
		tls_session_close(c->tls);
	}
	if (c->answering)
		answer_done(&c->answer);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (s->connections[i] == c)
			s->connections[i] = NULL;
	s->full = false;
	free(c);
}

/* What a session's answer below 1 means for the turn. */
static enum turn turn_of(struct connection *c, int moved)
{
	if (moved == TLS_WANT_READ)
		return TURN_WAIT_READ;
	if (moved == TLS_WANT_WRITE)
		return TURN_WAIT_WRITE;
	if (moved == TLS_FAILED)
		log_debug("replay.tls", "connection dropped: %s", tls_session_error(c->tls));
	return TURN_GONE;
}

static enum turn begin_answer(struct connection *c, const struct http_request *request)
{
	struct why why;

	answer_init(&c->answer);
	c->answering = true;

	enum status s = api_answer(c->server->api, request, &c->answer, &why);

	if (s != STATUS_OK) {
		log_error("replay.answer", "no answer to a request: %s; its connection is dropped",
			why.text);
		return TURN_GONE;
	}
	log_debug("replay.request", "request %llu: offset %llu, %d %s",
		(unsigned long long)c->server->api->requests, (unsigned long long)request->offset,
		c->answer.code, c->answer.reason);
	c->in_bytes -= request->bytes;
	memmove(c->in, c->in + request->bytes, c->in_bytes);
	return TURN_AGAIN;
}

static enum turn receive_some(struct connection *c)
{
	if (c->in_bytes == sizeof c->in)
		return TURN_GONE;

	int n = tls_session_read(c->tls, c->in + c->in_bytes, sizeof c->in - c->in_bytes);

	if (n <= 0)
		return turn_of(c, n);
	c->in_bytes += (size_t)n;
	c->idle_since_ms = clock_mono_ms();
	return TURN_AGAIN;
}

static enum turn take_request(struct connection *c)
{
	struct http_request request;

	switch (http_parse(c->in, c->in_bytes, &request)) {
	case HTTP_READY:
		return begin_answer(c, &request);
	case HTTP_BAD:
		log_debug("replay.request", "no HTTP request; connection dropped");
		return TURN_GONE;
	case HTTP_MORE:
		break;
	}
	return receive_some(c);
}

static enum turn end_answer(struct connection *c)
{
	switch (c->answer.end) {
	case ANSWER_KEEP:
		answer_done(&c->answer);
		c->answering = false;
		return TURN_AGAIN;
	case ANSWER_STALL:
		c->stalled = true;
		return TURN_AGAIN;
	case ANSWER_RESET:
		loop_forget(c->server->loop, tls_session_fd(c->tls));
		tls_session_reset(c->tls);
		c->tls = NULL;
		return TURN_GONE;
	case ANSWER_CLOSE:
		break;
	}
	return TURN_GONE;
}

/* All of the head, then a byte each time it is due. */
static size_t fill_drip(struct connection *c)
{
	size_t n = 0;

	while (!answer_in_body(&c->answer) && n < sizeof c->out &&
		answer_fill(&c->answer, c->out + n, 1) == 1)
		n++;
	if (n == 0 && c->drip_due) {
		n = answer_fill(&c->answer, c->out, 1);
		c->drip_due = n == 0; /* at the end: nothing more to wait for */
	}
	return n;
}

static enum turn send_some(struct connection *c)
{
	if (c->out_from == c->out_to) {
		c->out_from = 0;
		c->out_to = c->answer.drip ? fill_drip(c)
					   : answer_fill(&c->answer, c->out, sizeof c->out);
		if (c->out_to == 0)
			return c->answer.drip && !c->drip_due ? receive_some(c) : end_answer(c);
	}

	int n = tls_session_write(c->tls, c->out + c->out_from, c->out_to - c->out_from);

	if (n <= 0)
		return turn_of(c, n);
	c->out_from += (size_t)n;
	c->idle_since_ms = clock_mono_ms();
	return TURN_AGAIN;
}

static loop_ready on_connection;

/* Does what can be done now, then waits for the socket. */
static void advance(struct connection *c)
{
	struct why why;
	enum turn turn = TURN_AGAIN;

	for (int i = 0; turn == TURN_AGAIN && i < SENDS_A_TURN; i++) {
		if (c->stalled)
			turn = receive_some(c);
		else
			turn = c->answering ? send_some(c) : take_request(c);
	}
	if (turn == TURN_GONE) {
		drop(c);
		return;
	}

	/* Out of turns: writable is true at once, so the loop comes back after the others. */
	unsigned events = turn == TURN_WAIT_READ ? LOOP_READ : LOOP_WRITE;

	if (loop_watch(c->server->loop, tls_session_fd(c->tls), events, on_connection, c, &why) !=
		STATUS_OK)
		drop(c);
}

static void on_connection(void *context, int fd, unsigned events)
{
	(void)fd;
	(void)events;
	advance(context);
}

/* Takes fd. */
static void add_connection(struct server *s, struct connection **slot, int fd)
{
	struct connection *c = calloc(1, sizeof *c);
	struct why why;
	int yes = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (!c || tls_session_accept(&c->tls, s->tls, fd, &why) != STATUS_OK) {
		free(c);
		close(fd);
		return;
	}
	c->server = s;
	c->idle_since_ms = clock_mono_ms();
	*slot = c;
	if (loop_watch(s->loop, fd, LOOP_READ, on_connection, c, &why) != STATUS_OK)
		drop(c);
}

static struct connection **free_slot(struct server *s)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (!s->connections[i])
			return &s->connections[i];
	return NULL;
}

static void on_listener(void *context, int fd, unsigned events)
{
	struct server *s = context;
	int accepted;

	(void)events;
	while ((accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection **slot = free_slot(s);

		if (slot) {
			add_connection(s, slot, accepted);
			continue;
		}
		close(accepted);
		if (!s->full)
			log_warn("replay.full",
				"%d connections; further ones are closed until one ends",
				CONNECTIONS);
		s->full = true;
	}
}

static void on_tick(void *context)
{
	struct server *s = context;
	int64_t now = clock_mono_ms();

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection *c = s->connections[i];

		if (!c)
			continue;
		if (c->answering && c->answer.drip) {
			c->drip_due = true;
			advance(c);
		} else if (!c->stalled && now - c->idle_since_ms > IDLE_MS) {
			drop(c);
		}
	}
	if (loop_timer(s->loop, now + TICK_MS, on_tick, s) != STATUS_OK)
		log_warn("replay.timer", "no timer left; slow answers stop, idle connections stay");
}

static enum status bind_address(struct server *s, const char *text, int port, struct why *why)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	bool is_v4 = inet_pton(AF_INET, text, &v4.sin_addr) == 1;
	struct sockaddr *address = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t length = is_v4 ? sizeof v4 : sizeof v6;
	int yes = 1;

	if (!is_v4 && inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
		return fail(why, STATUS_BAD_DATA, "'%s' is no IPv4 or IPv6 address", text);
	s->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return fail_errno(why, STATUS_IO, "socket");
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(s->fd, address, length) != 0 || listen(s->fd, 64) != 0)
		return fail_errno(why, STATUS_IO, "listen on %s port %d", text, port);
	if (getsockname(s->fd, address, &length) != 0)
		return fail_errno(why, STATUS_IO, "getsockname");
	s->port = ntohs(is_v4 ? v4.sin_port : v6.sin6_port);
	return STATUS_OK;
}

enum status server_open(struct server **out, const char *listen_address, int port,
	struct loop *loop, struct tls_server *tls, struct api *api, struct why *why)
{
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		return fail(why, STATUS_NO_MEMORY, "no memory for the server");
	s->fd = -1;
	s->loop = loop;
	s->tls = tls;
	s->api = api;

	enum status status = bind_address(s, listen_address, port, why);

	if (status == STATUS_OK)
		status = loop_watch(loop, s->fd, LOOP_READ, on_listener, s, why);
	if (status == STATUS_OK)
		status = loop_timer(loop, clock_mono_ms() + TICK_MS, on_tick, s);
	if (status != STATUS_OK) {
		server_close(s);
		return status;
	}
	*out = s;
	return STATUS_OK;
}

int server_port(const struct server *s)
{
	return s->port;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (s->connections[i])
			drop(s->connections[i]);
	loop_timer_stop(s->loop, on_tick, s);
	if (s->fd >= 0) {
		loop_forget(s->loop, s->fd);
		close(s->fd);
	}
	free(s);
}
