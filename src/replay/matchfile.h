/* matchfile.h - private to replay/: the project's own match files (*.match), facts of one
 * limited-overs match in plain text, and the rows a poller of the API would have seen while it was
 * played.
 *
 *	# a comment
 *	id 18534a4e-e869-5cf2-85d4-2be5186c3ba8
 *	series 402b41a1-7510-54e7-9bb2-c90cc04a89a8
 *	name Delhi Capitals vs Rajasthan Royals, 32nd Match
 *	type t20			left out for the Hundred
 *	venue Arun Jaitley Stadium, Delhi
 *	start 2025-04-16T14:00:00	UTC; T00:00:00: the time is not known
 *	team DC Delhi Capitals		two, the home side first: short name, name
 *	team RR Rajasthan Royals
 *	overs 20 of 6			length of an innings, balls of an over
 *	toss RR bowl			left out when there was none
 *	innings DC			then its lines, a line an over
 *	1: . 1 4 W 2wd 1nb 4lb 1b 1W wdW
 *	target 189 in 20		of this innings, before its first over; overs as 37.4
 *	penalty 5			runs to this innings, before or after its overs
 *	super RR			an innings of a super over: never in the score
 *	result Match tied (Delhi Capitals won the super over)
 *
 * A ball is its runs ('.' none), then wd, nb, b or lb for what they are (wd and nb alone: 1), then
 * W for a wicket. Wides and no-balls are no legal balls. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { MATCHFILE_TEXT = 96, MATCHFILE_INNINGS = 8, MATCHFILE_BALLS = 512 };

struct matchfile_ball {
	uint8_t runs;
	bool legal, wicket;
	bool first; /* of an over */
};

struct matchfile_innings {
	unsigned team; /* 0 or 1 */
	bool super_over;
	unsigned before, after; /* penalty runs */
	unsigned target;	/* 0: one more than the other side has */
	unsigned limit;		/* legal balls it may last */
	unsigned count;
	struct matchfile_ball balls[MATCHFILE_BALLS];
};

struct matchfile {
	char id[MATCHFILE_TEXT], series[MATCHFILE_TEXT], name[MATCHFILE_TEXT * 2], type[16];
	char venue[MATCHFILE_TEXT], start[24], result[MATCHFILE_TEXT * 2];
	char team[2][MATCHFILE_TEXT], short_name[2][16];
	unsigned teams;
	unsigned overs, over_balls;
	bool tossed, toss_bowl;
	unsigned toss_team;
	unsigned count;
	struct matchfile_innings innings[MATCHFILE_INNINGS];
};

/* Reads a match file. STATUS_BAD_DATA: "line 12: ...". The struct is about 20 KiB: not for a small
 * stack. */
enum status matchfile_read(
	struct matchfile *out, const char *text, size_t length, struct why *why) MUST_CHECK;

/* Calls `call` for every state in order. Times are modelled (the facts hold no clock): half an
 * hour before the toss and before play, 35 s a ball, 25 s more an over, 90 s a wicket, 20 min
 * between innings (40 of an ODI). `row` lives until the call returns. Stops at the first call that
 * is not STATUS_OK, and returns that. */
typedef enum status matchfile_call(void *context, int64_t at_ms, struct view row);
enum status matchfile_play(
	const struct matchfile *m, matchfile_call *call, void *context) MUST_CHECK;
