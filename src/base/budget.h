/* budget.h - the memory ceiling, shared out. Every queue and buffer is derived from it; the
 * shares are printed at start, one line a module, and the sum. Figures were measured with the
 * native build (tests/bench/memory): a share is what the module may add to the process at its
 * worst. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum budget_mode { BUDGET_PRODUCE, BUDGET_CONSUME, BUDGET_BOTH };

/* All in bytes. Zero where the mode does not have the module. */
struct budget {
	uint64_t ceiling;
	uint64_t program;  /* code, static data, C library, stacks */
	uint64_t trust;	   /* parsed CA roots */
	uint64_t fetch;	   /* curl handle, one TLS session, receive buffer */
	uint64_t registry; /* the same for a schema registry, where one is set */
	uint64_t row;	   /* the row being split: max_record */
	uint64_t reading;  /* arenas in which rows are read, BUDGET_ARENA each: one a service */
	uint64_t spool, journal;     /* SQLite page caches and statements */
	uint64_t producer, consumer; /* librdkafka threads, connections */
	uint64_t producer_queue;     /* what librdkafka may hold of ours */
	uint64_t consumer_queue;     /* what librdkafka may hold for us */
	uint64_t child;		     /* the rendering child */
};

/* One arena of cricket/row.h's reader. */
#define BUDGET_ARENA (256u << 10)

#define BUDGET_DEFAULT_PRODUCE (12ull << 20)
#define BUDGET_DEFAULT_CONSUME (16ull << 20)
#define BUDGET_DEFAULT_BOTH    (20ull << 20)

/* Shares `ceiling` out. STATUS_FULL when it is too small: the reason is the sum, module by
 * module, and the smallest ceiling that would do. `max_record` is the largest row; `brokers` how
 * many TLS sessions; `registry`: values are framed with the id of a schema registry. */
enum status budget_share(enum budget_mode mode, uint64_t ceiling, uint64_t max_record,
	unsigned brokers, bool registry, struct budget *out, struct why *why) MUST_CHECK;
/* One line a module and the sum, to `print(context, line)`. */
void budget_print(
	const struct budget *b, void (*print)(void *context, const char *line), void *context);
