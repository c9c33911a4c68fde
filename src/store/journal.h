/* journal.h - every record that came from Kafka, and with it, in the same commit, the next offset to read:
 * the one truth that workbooks are made from. One owner thread writes; any number of processes may read
 * (journal_open_reader: the rendering child). A record once committed is never changed.
 *
 * Record key: rowid = generation (8 bit) | partition (15 bit) | offset (40 bit); match and run are integer
 * ids; one index (match, run, seq). `order_us` is ce_time made non-decreasing within a run by seq. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include "store/identity.h"
#include <stdbool.h>
#include <stdint.h>

struct journal;

struct journal_opening {
	char set_aside[256]; /* a damaged database now bears this name; "" where none was */
	bool created;
};
/* `max_bytes` includes the write-ahead log. A damaged database is set aside under a dated name. */
enum status journal_open(struct journal **out, const char *path, uint64_t max_bytes,
	struct journal_opening *opening, struct why *why) MUST_CHECK;
/* Read-only, for the child: sees one moment from journal_snapshot_begin to _end. */
enum status journal_open_reader(struct journal **out, const char *path, struct why *why) MUST_CHECK;
void journal_close(struct journal *j); /* NULL is fine */
/* 32 hex digits, drawn when the journal was made: stands in every workbook. */
const char *journal_name(const struct journal *j);

/* ---- generations and positions ---- */

/* Finds or makes the generation of a topic bound to (cluster, topic, topic_id; ids may be ""). A
 * binding is the newest generation with the same three, where a topic id that is not known (a busy broker
 * does not always tell it) equals any: the anchor decides then. *out_is_new: none of its partitions was
 * placed yet. */
enum status journal_generation(struct journal *j, const char *cluster, const char *topic,
	const char *topic_id, unsigned *out_generation, bool *out_is_new,
	struct why *why) MUST_CHECK;
/* The topic was made anew under the same names: a new generation, whose topic id the next journal_generation
 * tells. Both:
 * STATUS_DENIED when all 255 generations of this journal are used up. */
enum status journal_generation_renew(
	struct journal *j, unsigned old, unsigned *out_generation, struct why *why) MUST_CHECK;

struct journal_position {
	bool known; /* the partition was placed before, maybe with nothing read of it since */
	int64_t next_offset; /* 0 when nothing was read */
	bool has_anchor;     /* the last journaled record: read it again, compare */
	int64_t anchor_offset;
	/* CRC-32 (zlib's) of key bytes then value bytes, also of an error's; an empty part adds nothing. */
	uint32_t anchor_crc;
};
enum status journal_position(struct journal *j, unsigned generation, int partition,
	struct journal_position *out, struct why *why) MUST_CHECK;
/* These partitions are read from now on: also where nothing of one was read yet, its position is kept, so that
 * what it loses later shows as a gap. One commit; nothing to write where all are known. */
enum status journal_placed(struct journal *j, unsigned generation, const int *partitions,
	unsigned count, struct why *why) MUST_CHECK;
uint32_t journal_crc(struct view key, struct view value);

/* Records [from, to) of a partition are gone from the topic before we read them; the position moves to
 * `to`. Known already: nothing to do. */
enum status journal_gap(struct journal *j, unsigned generation, int partition, int64_t from,
	int64_t to, int64_t now_us, struct why *why) MUST_CHECK;

/* ---- writing ---- */

struct journal_record {
	unsigned generation;
	int partition;
	int64_t offset;
	int64_t kafka_us;	    /* the broker's time stamp; 0: none */
	int64_t ce_us;		    /* ce_time; 0: no header */
	struct view match;	    /* key */
	struct view event_id;	    /* ce_id as it came, may be empty; cut at 128 bytes */
	struct identity self, prev; /* unknown where the headers are missing */
	uint32_t dropped;	    /* scorebox-dropped, 0 where missing */
	bool ended;		    /* the row says that the match is over */
	/* Written as it came from Kafka, a schema registry's frame included: sums and anchors are of these
	 * bytes. Read without the frame. */
	struct view body;
	/* set by reading: */
	uint32_t schema_id; /* of the frame; 0 where there was none */
	bool duplicate;	    /* an equal (match, run, seq) came before */
	bool prev_missing;  /* prev is known and no such state is here */
	int64_t order_us;   /* ce_us (or kafka_us), made non-decreasing within a run by seq */
	int64_t number;	    /* arrival number within the journal, rising */
	bool damaged; /* the card gave the record back changed: its body, or its identity, is empty */
};
/* Begins a batch. After any failure of a function between here and journal_commit other than STATUS_FULL
 * and STATUS_BAD_DATA the batch is lost as a whole: journal_commit says so too, journal_position tells
 * where to read on. After STATUS_IO or STATUS_FATAL the handle is dead: close and open again.
 * STATUS_AGAIN: a reader has kept the write-ahead log so long that it must not grow: wait for it. */
enum status journal_begin(struct journal *j, struct why *why) MUST_CHECK;
/* Adds one record and moves its partition's position to offset + 1. A record that is there already
 * (same generation, partition, offset) is passed over and counts as a duplicate. *out_duplicate as in
 * struct journal_record. STATUS_FULL: the cap is reached; journal_commit, journal_make_room, then try
 * again. STATUS_BAD_DATA: key empty or over 512 bytes, partition over 32,767 or offset over 2^40-1. */
enum status journal_add(struct journal *j, const struct journal_record *r, bool *out_duplicate,
	struct why *why) MUST_CHECK;
/* A record that is no match: keeps the reason and the first 256 bytes of its value. */
enum status journal_add_error(struct journal *j, unsigned generation, int partition, int64_t offset,
	int64_t kafka_us, const char *reason, struct view key, struct view value,
	struct why *why) MUST_CHECK;
/* Offsets without records (compaction, transaction markers): moves the position alone. */
enum status journal_skip(struct journal *j, unsigned generation, int partition, int64_t next_offset,
	struct why *why) MUST_CHECK;
enum status journal_commit(struct journal *j, struct why *why) MUST_CHECK;
enum status journal_abort(struct journal *j, struct why *why) MUST_CHECK;
/* Bytes added since journal_begin: commit before 256 KiB while a transfer runs. */
uint64_t journal_staged_bytes(const struct journal *j);

/* Frees room (no batch is open): matches ended or unchanged for 7 days leave, oldest first, until a
 * tenth of the cap is free; each leaves a tombstone (key, file name, record count). *out_left counts
 * them; STATUS_FULL: none may leave. Only matches whose workbook is written (rendered == records)
 * leave. */
enum status journal_make_room(
	struct journal *j, int64_t now_us, unsigned *out_left, struct why *why) MUST_CHECK;

/* ---- matches ---- */

struct journal_match {
	int64_t id; /* small integer, never used twice */
	struct view key;
	uint64_t records;	   /* in the journal, duplicates included */
	uint64_t rendered;	   /* records in the workbook under `file`; 0: none written */
	struct view file;	   /* name of the workbook last written, "" if none */
	int64_t first_us, last_us; /* order_us of the first and the last record that changed it */
	bool ended;
	unsigned tombstones; /* how often this match left the journal before: 1 → "… (2).xlsx" */
};
typedef enum status journal_match_call(
	void *context, const struct journal_match *m, struct why *why);
/* In order of last_us, newest first; the callback may call no other journal function but
 * journal_latest. Stops at the first status other than OK and returns it. */
enum status journal_each_match(
	struct journal *j, journal_match_call *call, void *context, struct why *why) MUST_CHECK;
/* The same, only those with records > rendered. */
enum status journal_each_unrendered(
	struct journal *j, journal_match_call *call, void *context, struct why *why) MUST_CHECK;
enum status journal_match_of(
	struct journal *j, struct view key, struct journal_match *out, struct why *why) MUST_CHECK;
enum status journal_match_by_id(
	struct journal *j, int64_t id, struct journal_match *out, struct why *why) MUST_CHECK;
/* Another match already has this file name (ASCII case does not count: FAT), or one that left had it. */
enum status journal_file_taken(struct journal *j, const char *file, int64_t by_other_than,
	bool *out, struct why *why) MUST_CHECK;
/* A workbook with `records` records of this match stands under `file` ("": it needs none); durable on
 * return, along with what the open batch holds so far. */
enum status journal_rendered(struct journal *j, int64_t match, const char *file, uint64_t records,
	struct why *why) MUST_CHECK;
/* All workbooks count as not written: a fresh stick, or `books`. File names stay. */
enum status journal_forget_rendered(struct journal *j, struct why *why) MUST_CHECK;

/* The body of the match's last state in Timeline order; lives until the next call. */
enum status journal_latest(
	struct journal *j, int64_t match, struct journal_record *out, struct why *why) MUST_CHECK;

/* ---- reading one match ---- */

enum journal_order {
	JOURNAL_BY_TIME,    /* order_us, run, seq: the Timeline's. Duplicates are left out */
	JOURNAL_BY_ARRIVAL, /* generation, partition, offset: the Records sheet's. All records */
};
struct journal_cursor;
enum status journal_cursor_open(struct journal_cursor **out, struct journal *j, int64_t match,
	enum journal_order order, struct why *why) MUST_CHECK;
/* STATUS_NOT_FOUND at the end. Views live until the next call. */
enum status journal_cursor_next(
	struct journal_cursor *c, struct journal_record *out, struct why *why) MUST_CHECK;
void journal_cursor_close(struct journal_cursor *c);
/* Readers only; the writer sees its own moment. */
enum status journal_snapshot_begin(struct journal *j, struct why *why) MUST_CHECK;
void journal_snapshot_end(struct journal *j);

/* ---- gaps and errors ---- */
struct journal_gap_row {
	unsigned generation;
	int partition;
	int64_t from, to, at_us;
};
struct journal_error_row {
	unsigned generation;
	int partition;
	int64_t offset, kafka_us;
	const char *reason;
	struct view key, bytes;
};
typedef enum status journal_gap_call(
	void *context, const struct journal_gap_row *g, struct why *why);
typedef enum status journal_error_call(
	void *context, const struct journal_error_row *e, struct why *why);
enum status journal_each_gap(
	struct journal *j, journal_gap_call *call, void *context, struct why *why) MUST_CHECK;
enum status journal_each_error(
	struct journal *j, journal_error_call *call, void *context, struct why *why) MUST_CHECK;

struct journal_figures {
	/* Here now; max_bytes is what records may use of the cap, log and ballast are the rest. */
	uint64_t records, matches, bytes, max_bytes;
	uint64_t duplicates, errors, gaps; /* ever */
	uint64_t unrendered;		   /* matches with records > rendered */
};
void journal_figures(const struct journal *j, struct journal_figures *out);
