/* reader_bench.h - a reader with its journal, and a broker on loopback for it. The rig's values are no JSON: each is
 * one error of the journal. */
#pragma once
#include "rig.h"
#include "service/reader_private.h"

struct bench_shape {
	const char *group; /* "" none */
	unsigned brokers, partitions;
};

struct bench {
	struct rig rig;
	char folder[64], path[96];
	struct config config;
	struct parts parts;
	struct loop *loop;
	struct journal *journal;
	struct row_reader *rows;
	struct reader *reader;
	unsigned troubles;
	char trouble[256]; /* the last */
};

/* With one broker and three partitions. */
void open_bench(struct bench *b, const char *group);
void open_bench_of(struct bench *b, struct bench_shape shape);
void close_bench(struct bench *b);
void publish(struct bench *b, unsigned count); /* through our own publisher */
/* Some records of one partition, whichever it is; fails the test when its broker does not take them. */
void publish_to(struct bench *b, int partition, unsigned count);
unsigned records_read(struct bench *b);
/* Turns until so many are in the journal. */
void expect_read(struct bench *b, unsigned count, unsigned seconds);
void turn_for(struct bench *b, int64_t ms);
