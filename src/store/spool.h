/* spool.h - states that wait for Kafka, safe across power loss; with them, in the same database and the
 * same commits: the last state seen of each match, the dead letters, the losses, and small notes of the
 * poller. One owner thread; one process (the caller holds the instance lock). Disk use never exceeds
 * max_bytes, the write-ahead log included; memory is one row and SQLite's small page cache.
 *
 * The unit is a page. Rows staged since spool_page_begin() are durable in commits of at most 256 rows
 * or 256 KiB, but pending: invisible to the publisher until spool_page_commit() shows them all by one
 * update. A page that breaks is taken back whole, also at the next start:
 *
 *	id ──► 1 2 3 4 5 6 | 7 8 9		rows 7..9 belong to a page that is still arriving
 *	             visible ┘
 */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include "store/identity.h"
#include <stdbool.h>
#include <stdint.h>

struct spool;

enum spool_full_policy {
	SPOOL_LATEST, /* drop superseded states, oldest first, never a match's newest; then as block */
	SPOOL_BLOCK, /* STATUS_FULL until there is room */
};

/* What spool_open did to get here, for the service's log. */
struct spool_opening {
	char set_aside[256];   /* a damaged database now bears this name; "" where none was */
	uint64_t pending_rows; /* rows of a broken page taken back */
	uint64_t waiting_rows;
};

/* After STATUS_IO or STATUS_FATAL from any function the handle is dead: every further call answers
 * STATUS_FATAL, spool_close and spool_open are what is left. After any other failure of spool_add or
 * spool_page_commit the page is to be aborted.
 *
 * Opens or creates PATH (WAL, synchronous=FULL, locking_mode=EXCLUSIVE). A damaged database is set
 * aside as PATH.bad-YYYYMMDD-HHMMSS, counted as a loss of unknown size, and a new one is begun.
 * `run` is this process start's random run: opened again with the same one its count goes on (with a new
 * database a run is drawn afresh: an equal run and seq must never come twice). The effective cap is at
 * most a quarter of the file system, ballast and log included. STATUS_IO: disk or permission;
 * STATUS_BUSY: another process has the file open; STATUS_DENIED: it is no spool of this version. */
enum status spool_open(struct spool **out, const char *path, uint64_t max_bytes,
	enum spool_full_policy policy, const uint8_t run[RUN_BYTES], struct spool_opening *opening,
	struct why *why) MUST_CHECK;
void spool_close(struct spool *s); /* takes a pending page back; NULL is fine */

/* ---- the poller's side ---- */

/* A sweep reads all pages of the list once. Within it spool_last() tells a match already met. */
void spool_sweep_begin(struct spool *s);

enum { SEEN_DIGEST_BYTES = 16 };
struct spool_last {
	bool known; /* false: this match was never seen (or its memory was wiped) */
	bool met;   /* already met in this sweep: pass it over */
	uint8_t digest[SEEN_DIGEST_BYTES];
	struct identity state;
	int64_t changed_us; /* fetch time of that state */
};
/* The state directly before, pending ones included; and marks the match as met in this sweep. */
enum status spool_last(
	struct spool *s, struct view match, struct spool_last *out, struct why *why) MUST_CHECK;

/* Matches not met for `age_ms` are forgotten (their next state starts anew with prev unknown). Call
 * it after a complete sweep; at most once an hour it does work. */
enum status spool_forget_unseen(
	struct spool *s, int64_t now_us, int64_t age_ms, struct why *why) MUST_CHECK;

enum status spool_page_begin(struct spool *s, struct why *why) MUST_CHECK;
/* Stages one new state (copies all): gives it the next seq of this run, with prev = the last state.
 * STATUS_FULL: the cap is reached and nothing may be dropped; abort the page, try later.
 * STATUS_BAD_DATA: match longer than 512 bytes or body empty. */
enum status spool_add(struct spool *s, struct view match, const uint8_t digest[SEEN_DIGEST_BYTES],
	int64_t fetched_us, struct view body, struct why *why) MUST_CHECK;
/* Makes the page visible to the publisher; durable once it returns STATUS_OK. Where it fails, and the power
 * goes before anything else is written, the page may yet turn up at the next start: whole, and known to
 * spool_last() as any other. */
enum status spool_page_commit(struct spool *s, struct why *why) MUST_CHECK;
/* Takes the page back: its rows, what they changed in `seen`, and what spool_last met since the page
 * began. Dead letters and notes stay. No page open: nothing to do. */
enum status spool_page_abort(struct spool *s, struct why *why) MUST_CHECK;

/* ---- the publisher's side ---- */

struct spool_row {
	int64_t id;		 /* rises for ever, never used twice */
	struct view match, body; /* live until the next call of spool_next */
	struct identity self, prev;
	int64_t fetched_us;
	uint32_t
		dropped; /* states of this match, dropped or refused, between its last survivor and this one */
};
/* The first visible row with id > after. STATUS_NOT_FOUND: none. */
enum status spool_next(
	struct spool *s, int64_t after, struct spool_row *out, struct why *why) MUST_CHECK;

/* Kafka has acknowledged `id`: remembered, freed with others once a second, and at the end, by spool_free(). When
 * 4,000 are remembered the answer is STATUS_FULL, nothing is taken, and the caller runs spool_free_oldest(): the
 * oldest 1,000 go. Partitions acknowledge in turns, and a page of the database whose rows go together costs a
 * write less than one whose rows go one by one. */
enum status spool_delivered(struct spool *s, int64_t id) MUST_CHECK;
enum status spool_free_oldest(struct spool *s, struct why *why) MUST_CHECK;
enum status spool_free(struct spool *s, struct why *why) MUST_CHECK;

/* The broker refuses `id` alone: it becomes a dead letter with its reason, its match, its length and its first
 * 2 KiB, durable on return; the next row of its match counts it in `dropped`. Each state is a letter of its own.
 * An id that is gone already is fine. */
enum status spool_refuse(
	struct spool *s, int64_t id, const char *reason, struct why *why) MUST_CHECK;

/* Rows with id <= `id` may be in the publisher's hands: they are not dropped. spool_next() raises the mark
 * to each row it gives out; a publisher that goes back to its oldest row may lower it. */
void spool_in_flight_floor(struct spool *s, int64_t id);

/* ---- dead letters, losses, notes ---- */

/* A row that never became a state (no usable id, too large): keeps the first 2 KiB of its bytes. The table
 * keeps the newest 1,000; older ones are only counted. Equal (reason, bytes) within it are counted, not
 * stored again: an API serves the same broken row at every poll. Staged with the page where one is open. */
enum status spool_dead_letter(struct spool *s, const char *reason, struct view bytes,
	int64_t now_us, bool *is_new, struct why *why) MUST_CHECK;

/* Small facts of the poller that survive a restart (blocks, quota). Value at most 4 KiB, copied; an
 * unchanged value writes nothing; durable on return, or with the page where one is open.
 * spool_note_get: NUL-terminates; STATUS_NOT_FOUND where there is none. */
enum status spool_note_set(
	struct spool *s, const char *name, const char *value, struct why *why) MUST_CHECK;
enum status spool_note_get(
	struct spool *s, const char *name, char *out, size_t out_bytes, struct why *why) MUST_CHECK;

struct spool_figures {
	uint64_t rows, bytes;  /* waiting (visible); bytes as they count against the cap */
	uint64_t max_bytes;    /* what rows may use of the cap; log and ballast are the rest */
	int64_t oldest_us;     /* fetch time of the oldest waiting row; 0: none */
	uint64_t dropped;      /* superseded states dropped by policy, since the database began */
	uint64_t set_aside;    /* damaged databases set aside */
	uint64_t dead_letters; /* ever */
	uint64_t refused;      /* of them: by the broker */
	int64_t last_loss_us;  /* 0: never */
};
void spool_figures(
	const struct spool *s, struct spool_figures *out); /* from counters in memory: cheap */

/* ---- `spool ls|verify` ---- */
struct spool_letter {
	int64_t at_us;
	uint64_t times;
	const char *reason;
	struct view match; /* of a state that was refused; empty where there never was one */
	uint64_t length;   /* of all; `bytes` are at most the first 2 KiB */
	struct view bytes;
};
typedef void spool_row_call(void *context, const struct spool_row *row);
typedef void spool_letter_call(void *context, const struct spool_letter *letter);
enum status spool_each(struct spool *s, spool_row_call *row, spool_letter_call *letter,
	void *context, struct why *why) MUST_CHECK;
/* SQLite's integrity check and our own sums. STATUS_BAD_DATA with the first complaint. */
enum status spool_verify(struct spool *s, struct why *why) MUST_CHECK;
