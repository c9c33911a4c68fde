/* binder.h - decides which workbook is made when, and runs the one child that makes it: newest change first,
 * each match at most once an interval (and not before 100 times as long as its last rendering took), at
 * once when a match ends, within 200 MB an hour; never while the storage guard says no. */
#pragma once
#include "base/loop.h"
#include "cricket/row.h"
#include "service/parts.h"
#include "store/journal.h"

struct binder_calls {
	void *context;
	void (*on_written)(void *context);		      /* a workbook was written */
	void (*on_finished)(void *context, bool all_written); /* after binder_finish */
	void (*on_trouble)(
		void *context, enum status s, const struct why *why); /* the journal is dead */
};

struct binder;
enum status binder_open(struct binder **out, struct loop *loop, struct journal *journal,
	const struct parts *parts, struct row_reader *rows, const struct binder_calls *calls,
	struct why *why) MUST_CHECK;
void binder_close(struct binder *b); /* kills a child that still runs; NULL is fine */
/* The journal has news. */
void binder_kick(struct binder *b);
/* Every workbook is rendered, also one that seems to be as it should. */
void binder_anew(struct binder *b);
/* With until_end: does not wait for binder_finish any more. */
void binder_begin(struct binder *b);
/* Writes everything that waits, then calls on_finished; gives up at `until_ms` (INT64_MAX: never). */
void binder_finish(struct binder *b, int64_t until_ms);
uint64_t binder_progress(const struct binder *b);
