/* budget.c - the memory ceiling, shared out. */
#include "base/budget.h"

#include "base/buffer.h"
#include "base/frame.h"

#include <stdio.h>

#define KIB (1ull << 10)
#define MIB (1ull << 20)

/* What each module may add to the process at its worst, in the static build. To be held against
 * VmHWM as tests/bench/memory measures it. */
static const uint64_t PROGRAM_BYTES = 2 * MIB;
static const uint64_t TRUST_BYTES = 768 * KIB; /* 144 roots were seen to take 500 KiB */
static const uint64_t FETCH_BYTES = 400 * KIB;
static const uint64_t SPOOL_BYTES = 768 * KIB;
static const uint64_t JOURNAL_BYTES = 1 * MIB; /* pages 384 KiB, lines and statements */
static const uint64_t PRODUCER_BYTES = 1536 * KIB;
static const uint64_t CONSUMER_BYTES = 1536 * KIB;
static const uint64_t CHILD_BYTES = 6 * MIB;
static const uint64_t TLS_SESSION_BYTES = 86 * KIB; /* 56 KiB, and 30 KiB in the handshake */

/* Queues take what is left within these; a queue always holds the largest row. */
static const uint64_t PRODUCER_QUEUE_MIN = 256 * KIB;
static const uint64_t PRODUCER_QUEUE_MAX = 1 * MIB;
static const uint64_t CONSUMER_QUEUE_MIN = 512 * KIB;
static const uint64_t CONSUMER_QUEUE_MAX = 768 * KIB; /* at 2 MiB consume peaked 1.6 MiB higher */

/* The modules in the order in which they are printed. */
static const struct module {
	const char *name;
	size_t offset;
} modules[] = {
	{"program", offsetof(struct budget, program)},
	{"trusted roots", offsetof(struct budget, trust)},
	{"fetch", offsetof(struct budget, fetch)},
	{"schema registry", offsetof(struct budget, registry)},
	{"row", offsetof(struct budget, row)},
	{"reading rows", offsetof(struct budget, reading)},
	{"spool", offsetof(struct budget, spool)},
	{"journal", offsetof(struct budget, journal)},
	{"producer", offsetof(struct budget, producer)},
	{"producer queue", offsetof(struct budget, producer_queue)},
	{"consumer", offsetof(struct budget, consumer)},
	{"consumer queue", offsetof(struct budget, consumer_queue)},
	{"rendering child", offsetof(struct budget, child)},
};
enum { MODULES = sizeof modules / sizeof modules[0] };

static uint64_t share_of(const struct budget *b, const struct module *m)
{
	return *(const uint64_t *)(const void *)((const char *)b + m->offset);
}

static uint64_t sum_of(const struct budget *b)
{
	uint64_t sum = 0;

	for (int i = 0; i < MODULES; i++)
		sum += share_of(b, &modules[i]);
	return sum;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* MiB with one digit, rounded up, so that a sum never looks smaller than it is. */
static double mib_up(uint64_t bytes)
{
	return (double)((bytes * 10 + MIB - 1) / MIB) / 10;
}

/* What every mode needs before anything is queued. */
static void give_fixed(struct budget *b, bool produces, bool consumes, uint64_t max_record,
	unsigned brokers, bool registry)
{
	b->program = PROGRAM_BYTES;
	b->trust = TRUST_BYTES;
	/* A record is a row, maybe behind a frame. */
	const uint64_t record = max_record + FRAME_BYTES;

	if (produces) {
		b->fetch = FETCH_BYTES;
		b->registry = registry ? FETCH_BYTES : 0;
		b->row = max_record;
		b->reading += BUDGET_ARENA;
		b->spool = SPOOL_BYTES;
		b->producer = PRODUCER_BYTES + brokers * TLS_SESSION_BYTES;
		b->producer_queue = larger(PRODUCER_QUEUE_MIN, record);
	}
	if (consumes) {
		b->journal = JOURNAL_BYTES;
		b->reading += BUDGET_ARENA;
		b->consumer = CONSUMER_BYTES + brokers * TLS_SESSION_BYTES;
		b->consumer_queue = larger(CONSUMER_QUEUE_MIN, record);
		b->child = CHILD_BYTES;
	}
}

/* Lets the queues grow by `left` in all, in the measure of their maxima. */
static void give_queues(struct budget *b, uint64_t left)
{
	uint64_t producer_room = b->producer_queue && b->producer_queue < PRODUCER_QUEUE_MAX
					 ? PRODUCER_QUEUE_MAX - b->producer_queue
					 : 0;
	uint64_t consumer_room = b->consumer_queue && b->consumer_queue < CONSUMER_QUEUE_MAX
					 ? CONSUMER_QUEUE_MAX - b->consumer_queue
					 : 0;
	uint64_t room = producer_room + consumer_room;

	if (room == 0)
		return;
	left = smaller(left, room);
	/* Both factors are a few MiB: the product fits. */
	b->producer_queue += left * producer_room / room;
	b->consumer_queue += left * consumer_room / room;
}

static enum status too_small(const struct budget *b, uint64_t ceiling, struct why *why)
{
	struct buffer sum;
	uint64_t needed = sum_of(b);
	enum status s = STATUS_OK;

	buffer_init(&sum, sizeof why->text);
	for (int i = 0; i < MODULES && s == STATUS_OK; i++) {
		uint64_t share = share_of(b, &modules[i]);

		if (share)
			s = buffer_format(&sum, "%s%s %.1f", sum.length ? " + " : "",
				modules[i].name, mib_up(share));
	}
	s = fail(why, STATUS_FULL,
		"%.1f MiB of memory are too few: %s; the smallest ceiling that does is %.1f MiB",
		(double)(ceiling * 10 / MIB) / 10, sum.bytes, mib_up(needed));
	buffer_done(&sum);
	return s;
}

enum status budget_share(enum budget_mode mode, uint64_t ceiling, uint64_t max_record,
	unsigned brokers, bool registry, struct budget *out, struct why *why)
{
	struct budget b = {.ceiling = ceiling};

	if (max_record > UINT32_MAX || ceiling > UINT64_MAX / 16)
		return fail(why, STATUS_BAD_DATA,
			"a memory ceiling of %llu bytes for rows of %llu makes no sense",
			(unsigned long long)ceiling, (unsigned long long)max_record);
	give_fixed(
		&b, mode != BUDGET_CONSUME, mode != BUDGET_PRODUCE, max_record, brokers, registry);

	uint64_t needed = sum_of(&b);

	if (needed > ceiling)
		return too_small(&b, ceiling, why);
	give_queues(&b, ceiling - needed);
	*out = b;
	return STATUS_OK;
}

void budget_print(
	const struct budget *b, void (*print)(void *context, const char *line), void *context)
{
	char line[80];
	uint64_t sum = sum_of(b);

	for (int i = 0; i < MODULES; i++) {
		uint64_t share = share_of(b, &modules[i]);

		if (!share)
			continue;
		snprintf(line, sizeof line, "%-16s %6llu KiB", modules[i].name,
			(unsigned long long)((share + KIB - 1) / KIB));
		print(context, line);
	}
	snprintf(line, sizeof line, "%-16s %6llu KiB of %llu KiB", "sum",
		(unsigned long long)((sum + KIB - 1) / KIB),
		(unsigned long long)(b->ceiling / KIB));
	print(context, line);
}
