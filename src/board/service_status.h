/* service_status.h - what the daemon tells of itself in STATE_DIR/status.json (service/health.c), as far as the
 * status screen, the LED and a trial want it. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { SERVICE_STATUS_BYTES = 16 * 1024 };

/* Times are wall microseconds, 0: never. Texts are as the daemon cleaned them: no control characters. */
struct service_status {
	char version[32], mode[12];
	bool running;
	int64_t pid, started_us;
	bool polls, reads; /* there is something about the API, about reading */
	struct {
		bool failing;
		int64_t last_us, last_sweep_us, next_us;
		char outcome[200], next_why[120];
	} poll;
	struct {
		int64_t rows, bytes, max_bytes, dropped;
	} spool;
	struct {
		bool connected, waiting;
		char reason[200];
	} kafka;
	struct {
		bool reading;
		char reason[200];
		int64_t last_record_us;
	} consumer;
	struct {
		int64_t records, matches, waiting, bytes, max_bytes;
	} journal;
	struct {
		char state[24], text[200];
	} stick;
	struct {
		char last[120];
		int64_t last_us, written, failed;
	} books;
};

/* STATUS_BAD_DATA: no JSON. What is missing or of another type stays 0. */
enum status service_status_parse(
	struct service_status *out, const char *text, size_t length, struct why *why) MUST_CHECK;
