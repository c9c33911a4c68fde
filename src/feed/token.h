/* token.h - an access token of an OAuth 2.0 authorization server, for a client's own use (RFC 6749, section
 * 4.4). Blocks: for a thread that has nothing else to do. */
#pragma once
#include "base/status.h"
#include "tls/trust.h"
#include <stdatomic.h>
#include <stdint.h>

struct token_question {			      /* lent for the call */
	const char *url, *scope;	      /* https://...; scope "" none */
	const char *id, *secret;	      /* of the client */
	const char *id_setting, *url_setting; /* what a failure's words call them */
	struct trust *trust;
};

/* Takes at most 20 s, and a second more once *stop is true. On STATUS_OK *token is the caller's to wipe and
 * free, and good for *lifetime_ms from now. The reason of a failure never holds the secret or a token. */
enum status token_fetch(const struct token_question *q, const atomic_bool *stop, char **token,
	int64_t *lifetime_ms, struct why *why) MUST_CHECK;
