/* schedule.h - when a match's workbook may be written again: at most once an interval, not before 100 times as
 * long as its last rendering took, within 200 MB an hour in all (sticks wear); at once when the match ends or was
 * never rendered; after two failures in a row only every five minutes. Pure: the caller passes the time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
	SCHEDULE_RECENT = 256
}; /* matches whose last rendering is remembered; forgotten ones are due at once */

struct schedule_entry {
	int64_t match, started_ms, took_ms;
	unsigned failures; /* in a row */
	bool ended;	   /* its end is in the workbook */
};

struct schedule {
	int64_t interval_ms;
	struct schedule_entry recent[SCHEDULE_RECENT];
	double worn_bytes; /* leaky: what was written within the last hour */
	int64_t worn_ms;
};

void schedule_init(struct schedule *s, int64_t interval_ms, int64_t now_ms);
/* The storage is another one: no match rests. What was written within the hour counts on. */
void schedule_anew(struct schedule *s);
/* `hurry`: everything that waits is wanted now (only failures rest). */
bool schedule_is_due(struct schedule *s, int64_t match, bool ended, bool hurry, int64_t now_ms);
void schedule_started(struct schedule *s, int64_t match, int64_t now_ms);
void schedule_written(struct schedule *s, int64_t match, bool ended, int64_t took_ms);
void schedule_failed(struct schedule *s, int64_t match);
/* `bytes` went to the stick. */
void schedule_wear(struct schedule *s, uint64_t bytes, int64_t now_ms);
/* How long something that took `took_ms` rests. */
int64_t schedule_rest_ms(const struct schedule *s, int64_t took_ms);
