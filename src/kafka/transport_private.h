/* transport_private.h - the parts of the transport: transport.c is what librdkafka's threads call,
 * transport_pump.c the thread and its one waiting place, transport_link.c the life of one connection,
 * transport_dial.c its way to the broker, transport_trouble.c what went wrong.
 *
 * Who may touch a link: the caller of socket and connect while it lies in the nursery (under the lock), the
 * pump alone from when it takes it out of the inbox. librdkafka and the pump then share nothing but the socket
 * pair: a near end that is closed, and whose number is given out anew, is of no interest to the pump, which
 * only sees the end of the far one. */
#pragma once
#include "kafka/transport.h"

#include <pthread.h>

struct tls_client;
struct epoll_event;

enum {
	/* Kafka's requests as they come from the pair: one TLS record (mbedTLS's out buffer). */
	UP_BYTES = 4 * 1024,
	DOWN_BYTES = 16 * 1024, /* one full record of a broker: one wake-up of librdkafka */
	/* The pair's own buffers, in each direction: what lies there counts as sent. */
	PAIR_BYTES = 32 * 1024,
	LINK_ENDS = 2,
	BROKER_BYTES = 128,  /* as it is shown */
	HOST_BYTES = 256,    /* as it is verified */
	DIAL_MS = 15 * 1000, /* connection and handshake together */
};

/* One of the two descriptors that the pump holds of a link. */
enum link_end { FAR_END, TCP_END };
struct end {
	int fd;		  /* -1: none */
	unsigned watched; /* EPOLL* as registered; 0: not */
	bool in, out;	  /* may be readable, writable: until EAGAIN says no */
};

/* Bytes on their way, from `at` up to `end`. */
struct run {
	size_t at, end;
};

enum link_stage {
	LINK_WAITING,	/* for the clock */
	LINK_DIALLING,	/* for the TCP connection */
	LINK_VERIFYING, /* TLS handshake */
	LINK_OPEN,
	LINK_OVER, /* freed after the turn */
};

struct link {
	struct link *next;
	int near; /* while in the nursery; -1 later */
	enum link_stage stage;
	struct end ends[LINK_ENDS];
	struct tls_client *tls;
	int64_t deadline_ms; /* INT64_MAX: none */
	bool near_leaving; /* librdkafka closed or shut down its end; what it sent may lie there */
	bool near_deaf;	   /* it takes no byte more */
	bool near_gone;	   /* no byte more from it either */
	bool peer_gone;	   /* the broker's side ended, or failed: no byte more from it */
	bool proven;	   /* the broker has sent bytes of its own */
	bool read_wants_out; /* TLS must send before it can go on reading */
	bool hungry;	     /* there is more to do that no descriptor tells of */
	struct run up, down; /* near to broker, broker to near */
	struct sockaddr_storage address;
	socklen_t address_bytes;
	char broker[BROKER_BYTES];
	char host[HOST_BYTES];
	unsigned char up_bytes[UP_BYTES], down_bytes[DOWN_BYTES];
};

enum { TROUBLES = 8, CODE_BYTES = 24 };
struct trouble {
	int64_t at_ms; /* 0: none */
	const char *code;
	char broker[BROKER_BYTES];
	char words[TRANSPORT_WORDS_BYTES];
};

struct transport {
	struct trust_files *trust;
	int64_t clock_until_ms;
	int epoll, wake; /* eventfd */
	pthread_t thread;
	pthread_mutex_t lock; /* over the next five */
	struct link *nursery; /* between socket and connect */
	struct link *inbox;   /* handed over, not yet taken */
	bool stopping;
	struct trouble troubles[TROUBLES];
	/* the pump's own */
	struct link *links;
};

/* ---- transport_pump.c ---- */

enum status pump_start(struct transport *t, struct why *why) MUST_CHECK;
void pump_wake(struct transport *t);
void pump_end(struct transport *t); /* waits for the thread; closes all its links */
/* Registers the end for these events, or for none. False: no memory in the kernel. */
bool pump_watch(struct transport *t, struct link *l, enum link_end which, unsigned events);
/* Whether connections may begin: the clock is believable, or was waited for long enough. */
bool pump_clock_is_good(const struct transport *t, int64_t now_ms);

/* ---- transport_link.c ---- */

struct link *link_make(int near, int far); /* NULL: no memory */
void link_free(struct link *l);		   /* closes what it holds, but not the near end */
/* Whom the link goes to; cuts what is too long so that it cannot be verified. */
void link_address(struct link *l, const struct sockaddr *address, size_t bytes, const char *broker);
/* Moves what can be moved now. `events` of one end, or none. */
void link_turn(struct transport *t, struct link *l, int64_t now_ms);
void link_hear(struct link *l, enum link_end which, unsigned events);

/* ---- transport_dial.c: on a failure the reason is noted and the link is over ---- */

void dial_start(struct transport *t, struct link *l, int64_t now_ms);
void dial_connected(struct transport *t, struct link *l);
void dial_verify(struct transport *t, struct link *l);

/* ---- transport_trouble.c ---- */

void trouble_note(struct transport *t, const char *broker, const char *code, const char *words);
/* What its TLS session says. */
void trouble_note_tls(struct transport *t, const struct link *l);
/* It closed without a word. */
void trouble_note_mute(struct transport *t, const struct link *l);
void trouble_note_errno(struct transport *t, const struct link *l, const char *what, int error);
void trouble_over(struct transport *t, const char *broker);
