/* health.h - what the daemon knows of itself: STATE_DIR/status.json and the watchdog. Both services write
 * their facts under one lock; the main thread writes the file when something changed, at most once in
 * five seconds for figures, at once for a change of state. */
#pragma once
#include "base/status.h"
#include "feed/pace.h"
#include "kafka/publisher.h"
#include "service/config.h"
#include "store/journal.h"
#include "store/spool.h"
#include <stdbool.h>
#include <stdint.h>

enum health_part { HEALTH_PRODUCE, HEALTH_CONSUME, HEALTH_PARTS };

/* Times are wall microseconds, 0: never. */
struct health_facts {
	int64_t last_poll_us, next_poll_us, last_sweep_us;
	char last_poll[200]; /* "ok, 3 pages, 61 rows, 2 new" or the failure */
	char next_why[120];
	bool poll_failing;
	struct pace pace;
	struct spool_figures spool;
	struct publisher_health kafka;
	struct {
		bool wanted;
		uint32_t id; /* 0: not known yet, rows wait */
		char subject[256];
		char trouble[256]; /* the registry's last, "" */
	} schema;

	bool reading;	  /* the subscriber is connected and assigned */
	char reader[200]; /* its last trouble, "" */
	unsigned partitions, generation;
	int64_t last_record_us;
	uint64_t reader_recreated; /* its client was stuck, and made anew */
	struct journal_figures journal;

	char stick[24]; /* ok, none, absent, not mounted, read-only, full */
	char stick_text[200];
	char last_book[256];
	int64_t last_book_us;
	uint64_t books_written, books_failed;
	unsigned child_peak_kib;
};

struct health;
enum status health_open(
	struct health **out, const struct config *config, struct why *why) MUST_CHECK;
void health_close(
	struct health *h); /* writes a last time, saying that the daemon stopped; NULL is fine */

/* Between these two the facts are the caller's. `changed`: a state changed, write soon. */
struct health_facts *health_begin(struct health *h);
void health_end(struct health *h, bool changed);

/* A sign of progress of a service's loop; a part that never beat is not watched. */
void health_beat(struct health *h, enum health_part part);
void health_part_over(struct health *h, enum health_part part);

/* Called once a second by the main thread: writes the file where due; answers the service manager's
 * watchdog as long as every watched part has beaten within 60 s. */
void health_turn(struct health *h);
