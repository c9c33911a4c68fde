/* survey.h - the first pass over a match's records, in order of arrival: what must be known before
 * the first row of a sheet is written (private to book/). */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include "book/columns.h"
#include "store/journal.h"
#include <stdbool.h>
#include <stdint.h>

enum { SURVEY_GAPS = 32, SURVEY_PARTITIONS = 64 };

struct survey_gap {
	struct journal_gap_row row;
	bool shown; /* the Timeline has it */
};

struct survey {
	struct columns *columns;
	struct buffer scratch; /* row_flatten's */
	uint64_t records, duplicates;
	uint64_t body_bytes;
	bool crowded;	  /* some field has no column of its own: none is left, or it comes twice */
	bool is_match;	  /* some record has teams or score: else Match and Records are all */
	unsigned innings; /* the most that a record has */
	bool generations; /* records of more than one generation: offsets repeat */
	struct survey_gap gaps[SURVEY_GAPS]; /* in partitions that carry this match */
	unsigned gap_count;
	uint64_t further_gaps;
	struct {
		unsigned generation;
		int partition;
	} partitions[SURVEY_PARTITIONS];
	unsigned partition_count;
	uint32_t stamp; /* of the record now read; marks[] by column */
	uint32_t *marks;
	unsigned marks_room;
};

enum status survey_make(
	struct survey *s, struct journal *j, int64_t match, struct why *why) MUST_CHECK;
void survey_done(struct survey *s); /* zeroed struct is fine */
/* The raw XML of all sheets will be about so large; the library needs it twice in its temp
 * folder. */
uint64_t survey_xml_bytes(const struct survey *s);
