/* programme.h - private to replay/: what is played. A programme is a list of matches in the order
 * they were given; a match is one state (a recorded row) or many, each with the replay time from
 * which it is shown. It owns every byte its views point into, until programme_done. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include <stdint.h>

struct programme_state {
	int64_t at_ms; /* replay time; 0 of the first */
	struct view row;
};

struct programme_match {
	struct programme_state *states; /* in order of time, at least one */
	size_t count, capacity;
	struct view id; /* raw, as between its quotes */
};

struct programme {
	struct programme_match *matches;
	size_t count, capacity;
	char **texts; /* files and generated rows, malloc'd */
	size_t texts_count, texts_capacity;
};

void programme_init(struct programme *p);
void programme_done(struct programme *p);

/* Adds FILE, or all *.json, *.jsonl and *.match of DIR in order of name; "demo" is the match
 * compiled in. What is of no use is passed over with a line in the log; STATUS_NOT_FOUND and
 * STATUS_IO: cannot be read. */
enum status programme_add(struct programme *p, const char *path, struct why *why) MUST_CHECK;

/* The state shown at a replay time, and at a step (0 is the first; the last one stays). */
struct view programme_at(const struct programme_match *m, int64_t at_ms);
struct view programme_step(const struct programme_match *m, uint64_t step);

/* The three readers, for tests. `text` is taken by the programme (malloc'd), also on failure.
 * STATUS_BAD_DATA: passed over, the programme is as it was. */
enum status programme_add_page(
	struct programme *p, char *text, size_t length, struct why *why) MUST_CHECK;
enum status programme_add_lines(
	struct programme *p, char *text, size_t length, struct why *why) MUST_CHECK;
enum status programme_add_match(
	struct programme *p, char *text, size_t length, struct why *why) MUST_CHECK;

/* What the readers build with. keep_text takes the text, also on failure; a state earlier than the
 * one before it is shown together with that one; cut takes back all matches above the first
 * `count`. */
enum status programme_keep_text(struct programme *p, char *text, struct why *why) MUST_CHECK;
enum status programme_begin_match(struct programme *p, struct view id, struct why *why) MUST_CHECK;
enum status programme_add_state(
	struct programme_match *m, int64_t at_ms, struct view row, struct why *why) MUST_CHECK;
void programme_cut(struct programme *p, size_t count);
