/* rig.h - a broker on loopback, a list of rows that stands in for the spool, and a publisher fed from it.
 * Pauses of the publisher are skipped by moving its clock on: it is given the time, it does not ask. */
#pragma once
#include "kafka/embedded.h"
#include "kafka/publisher.h"
#include "kafka/subscriber.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { RIG_ROWS = 20000, RIG_VALUE_BYTES = 4096 };

struct rig_row {
	int64_t id;
	char key[24];
	unsigned value_bytes;
	unsigned delivered, refused; /* how often it was told */
	char reason[120];
};

struct rig {
	struct embedded *broker;
	rd_kafka_mock_cluster_t *cluster;
	struct kafka_settings settings;
	struct publisher *publisher;
	struct rig_row *rows;
	unsigned count;
	unsigned next; /* the next row to put */
	unsigned rewinds, delivered, refused, puts;
	int64_t skew_ms;	       /* how far the publisher's clock is ahead */
	bool restamped;		       /* records bear the time of sending, not that of their row */
	struct publisher_health worst; /* the last health seen with a code */
};

/* `partitions` of topic "t" on `brokers` brokers; uncompressed unless the caller changes settings. */
void rig_open(struct rig *r, unsigned brokers, unsigned partitions);
void rig_close(struct rig *r);
void rig_publish(struct rig *r); /* opens the publisher */
void rig_add_rows(struct rig *r, unsigned count, unsigned keys, unsigned value_bytes);
/* One turn: feeds, waits a little on the descriptor, serves. */
void rig_turn(struct rig *r);
/* Turns until every row is delivered or refused; fails the test after `seconds`. */
void rig_settle(struct rig *r, unsigned seconds);
/* Turns until the health's code is this one. */
void rig_until_code(struct rig *r, const char *code, unsigned seconds);
void rig_push_errors(struct rig *r, int16_t api, const rd_kafka_resp_err_t *errors, size_t count);

/* The value of a row: its id in the first 20 bytes, filled up. */
void rig_value(int64_t id, unsigned bytes, char *out);

struct rig_read {
	int64_t ids[RIG_ROWS];
	int partitions[RIG_ROWS];
	unsigned count;
	unsigned ends;
	int64_t earliest_us; /* the least of all time stamps */
};
/* Reads all partitions of the topic from their low watermarks to their ends. Checks each record's bytes. */
void rig_read_all(struct rig *r, struct rig_read *out);
/* Each delivered row is there; per key the first appearances are in the order of the ids. Returns how many
 * records there are beyond one for each row. */
unsigned rig_check_order(const struct rig *r, const struct rig_read *read);

/* What is logged goes to the file from now on, until it is released: returns what to release it with. */
int rig_catch_log(const char *path);
void rig_release_log(int caught);
/* How many lines of the file hold both words. */
int rig_told(const char *path, const char *one, const char *other);

enum { RIG_PRODUCE = 0, RIG_FETCH = 1, RIG_METADATA = 3 };
