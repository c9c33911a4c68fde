/* tls_peer.h - a broker's end of TLS connections for the tests: mbedTLS's server in a thread of its own, one
 * connection after the other, with all the manners that a peer may have. */
#pragma once
#include "../tls/paper.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum manner {
	ECHOES,	      /* sends back what comes, until the client says goodbye */
	SENDS,	      /* peer.bytes of a pattern, then says goodbye */
	LISTENS,      /* takes peer.bytes, then closes; waits for peer.may_read first */
	CLOSES_FIRST, /* after the handshake, without a word */
	NO_TLS,	      /* answers the first bytes with HTTP */
	WARNS,	      /* answers with warnings in the clear, without end */
	MUTE,	      /* answers nothing; keeps what came in peer.seen */
};

struct peer {
	enum manner manner;
	struct paper *own;	/* its certificate */
	struct paper *asks_for; /* the CA whose clients are let in; NULL: everybody */
	bool only_tls_1_2, ipv6;
	size_t slice;	    /* bytes moved at once; 0: as many as there are */
	size_t reset_after; /* bytes sent, then a TCP reset; 0: never */
	size_t bytes;
	unsigned empty; /* records without a byte that SENDS sends first */
	atomic_bool may_read;
	/* what came of it */
	atomic_uint accepted, verified,
		goodbyes;	    /* connections, handshakes that ended well, close_notify seen */
	_Atomic size_t heard, sent; /* bytes of the application; sent: on the wire */
	unsigned char seen[4096];   /* of a MUTE one */
	_Atomic size_t seen_bytes;
	/* its own */
	int listener;
	atomic_bool stopping;
	unsigned long thread;
	struct sockaddr_storage address;
	socklen_t address_bytes;
	int port;
};

/* The caller fills the first part. Fails the test when it cannot be had. */
void peer_start(struct peer *p);
void peer_stop(struct peer *p);
/* The byte that SENDS sends at this place. */
unsigned char peer_pattern(size_t at);
