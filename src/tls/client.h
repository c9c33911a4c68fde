/* client.h - the client side of TLS on a connected socket, TLS 1.2 and 1.3, non-blocking. The peer is verified
 * (chain, validity, strength, name) or the handshake fails; no byte is read or written before. Each connection
 * is verified anew: sessions are not resumed. One session belongs to one thread at a time; sessions of one
 * trust set may run in several threads. */
#pragma once
#include "base/status.h"
#include "tls/progress.h"
#include <stdbool.h>
#include <stddef.h>

struct tls_client;
struct trust;

/* Why a session ended, by what a human would do about it. */
enum tls_fault {
	TLS_FAULT_NONE,
	TLS_FAULT_CA,	     /* signed by nobody we believe, or self-signed */
	TLS_FAULT_NAME,	     /* for another host */
	TLS_FAULT_EXPIRED,   /* or one of its issuers */
	TLS_FAULT_EARLY,     /* not yet valid: is the clock set? */
	TLS_FAULT_WEAK,	     /* key or hash too weak, or not made for a server */
	TLS_FAULT_CLIENT,    /* the peer wants a client certificate, or refuses ours */
	TLS_FAULT_PLAINTEXT, /* the peer does not speak TLS */
	TLS_FAULT_REFUSED,   /* the peer ended the handshake, or no version or cipher in common */
	TLS_FAULT_PROTOCOL,  /* the peer broke the protocol */
	TLS_FAULT_NETWORK,   /* reset, timed out */
	TLS_FAULT_MEMORY,
};

/* `fd` is a connected non-blocking stream socket and stays the caller's; `trust` is shared for the session's
 * life. `host` is whom the certificate must name: a DNS name (sent as SNI), or an IP literal, which must stand
 * among the certificate's IP addresses (no SNI). `shown` is what the reasons call the peer. Both are copied.
 * STATUS_BAD_DATA: no name, or one of more than 253 bytes; STATUS_NO_MEMORY. */
enum status tls_client_open(struct tls_client **out, struct trust *trust, const char *host,
	const char *shown, int fd, struct why *why) MUST_CHECK;
/* Frees; says nothing to the peer. NULL is fine. */
void tls_client_close(struct tls_client *c);

/* 0: the peer is verified. Else TLS_WANT_READ or TLS_WANT_WRITE (call again when the socket is ready), or
 * TLS_FAILED. */
int tls_client_handshake(struct tls_client *c);
/* Only after the handshake. Bytes moved (> 0), TLS_WANT_READ, TLS_WANT_WRITE, TLS_FAILED, or from read
 * TLS_CLOSED (the peer said goodbye, or just closed). Read until TLS_WANT_READ: decrypted bytes may wait
 * inside where epoll does not see them. A write that did not end is called again with the same bytes. Neither
 * is called with a length of 0. */
int tls_client_read(struct tls_client *c, void *out, size_t length);
int tls_client_write(struct tls_client *c, const void *bytes, size_t length);
/* Decrypted bytes, or a part of a message, wait inside. */
bool tls_client_has_more(const struct tls_client *c);
/* Tells the peer that we end. 0: told, or no longer possible; TLS_WANT_WRITE: call again. */
int tls_client_goodbye(struct tls_client *c);

/* After TLS_FAILED, and after TLS_CLOSED in a handshake. The words name the peer as `shown`, and the board's
 * clock where validity is the matter. */
enum tls_fault tls_client_fault(const struct tls_client *c);
const char *tls_client_words(const struct tls_client *c);
