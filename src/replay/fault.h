/* fault.h - private to replay/: what goes wrong on purpose, and on which request. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_401,
	FAULT_429,
	FAULT_500,	/* a failure with that status; 429 with Retry-After: 3600 */
	FAULT_HTML,	/* 200 and a log-in page */
	FAULT_REDIRECT, /* 302 to http:// */
	FAULT_GZIP,	/* a bomb: 10 MB that unfold to 10 GB of blanks */
	FAULT_HUGE,	/* a body of 64 MiB without Content-Length */
	FAULT_HEADERS,	/* a megabyte of header lines */
	FAULT_TRUNCATE, /* half the body, then the connection is closed */
	FAULT_STALL,	/* half the body, then nothing */
	FAULT_RESET,	/* half the body, then a TCP reset */
	FAULT_SLOW,	/* a byte a second */
	FAULT_CHUNKED,	/* half of a chunk, then the connection is closed */
};

enum { FAULT_RULES = 16 };
struct fault_rule {
	enum fault_kind kind;
	uint64_t from, to; /* requests, counted from 1 */
};
struct fault_plan {
	struct fault_rule rules[FAULT_RULES];
	unsigned count;
};

/* "KIND[@N[+]]", comma list: on request N, with + from then on; without N on every request. NULL:
 * none. */
enum status fault_parse(const char *text, struct fault_plan *out, struct why *why) MUST_CHECK;
/* The first rule that names the request counts. */
enum fault_kind fault_of(const struct fault_plan *plan, uint64_t request);
/* Answers that hold no rows: they come before key and quota are looked at, and do not move --step
 * on. */
bool fault_replaces(enum fault_kind kind);
