/* reader.h - the topic into the journal: generations proven by anchors, gaps recorded, every record and its
 * partition's next offset in one commit. One thread; the loop's callbacks drive it.
 *
 *	SURVEYING ──answered──► READING ──position gone, topic made anew──► SURVEYING
 *	    ▲                      │
 *	    └──retry 1 s … 60 s    └──journal at its cap──► FULL (paused, looked at every 10 s) ──► SURVEYING
 */
#pragma once
#include "base/loop.h"
#include "cricket/row.h"
#include "service/parts.h"
#include "store/journal.h"

struct reader_calls {
	void *context;
	void (*on_records)(void *context); /* a commit brought records */
	void (*on_end)(void *context);	   /* with until_end: every partition reached its mark */
	void (*on_full)(void *context); /* the journal is at its cap until workbooks are written */
	void (*on_trouble)(void *context, enum status s,
		const struct why *why); /* the journal is dead; STATUS_AGAIN: Kafka's client is */
	void (*on_fenced)(void *context);
	/* With a group: partitions leave for another box, the journal holds all of them. True: the workbooks
	 * are written first, and reader_release follows soon. NULL: never. */
	bool (*on_leaving)(void *context);
};

struct reader;
/* The journal and the reader of rows are lent. */
enum status reader_open(struct reader **out, struct loop *loop, struct journal *journal,
	const struct parts *parts, struct row_reader *rows, bool until_end,
	const struct reader_calls *calls, struct why *why) MUST_CHECK;
void reader_close(struct reader *r); /* commits what is staged; NULL is fine */
/* After on_leaving: the partitions may go. */
void reader_release(struct reader *r);
/* Reads no further; what is staged is committed. */
void reader_stop(struct reader *r);
/* Another name and password, from the next login at Kafka on. */
enum status reader_login(struct reader *r, const char *username, const char *password) MUST_CHECK;
uint64_t reader_progress(const struct reader *r);
/* A workbook was written: matches may leave the journal now. */
void reader_look_for_room(struct reader *r);
