/* board.h - where librdkafka stands, for the tests of the transport: at the near end of the pair. */
#pragma once
#include "kafka/transport.h"
#include "tls/trust_files.h"
#include "tls_peer.h"

#include <sys/types.h>

enum { PATIENCE_MS = 20000 };

extern char board_folder[256];	       /* of this run */
extern struct paper ca, stranger, own; /* own: of "k1.test", signed by ca */
int set_up(void **state);
int tear_down(void **state);

/* A set that trusts `p`, with the client's certificate or NULL. */
struct trust_files *trust_in(const struct paper *p, const struct paper *client);
struct transport *open_transport(const struct paper *p, const struct paper *client);
/* A near end on its way to the peer, whom we call `host`. */
int go_to(struct transport *t, const struct peer *p, const char *host);
bool wait_for(int fd, short events);
/* Bytes read until `length` or the end; -1: neither came. */
ssize_t take(int fd, void *out, size_t length);
void give(int fd, const void *bytes, size_t length);
/* The near end's other side hangs up without having said anything; why is in `words`. */
void expect_refusal(struct transport *t, int fd, const char *code, const char *phrase);
unsigned open_descriptors(void);
int64_t cpu_us(void);
