/* box_files.h - root's own small files on the data partition, /data/box: written by errands. */
#pragma once
#include "board/deaths.h"
#include "board/places.h"
#include "base/status.h"

enum { BOX_LOG_BYTES = 256 * 1024 };

/* Appends whole lines, on the card when it returns; a log that would be longer than BOX_LOG_BYTES becomes log.old
 * before. */
enum status box_log_append(
	const struct places *p, const char *lines, size_t length, struct why *why) MUST_CHECK;
/* The time, as content and as the file's own, for a start without a clock. */
enum status box_save_clock(const struct places *p, struct why *why) MUST_CHECK;
/* A file that is not there, or holds nonsense: no deaths. */
void box_read_deaths(const struct places *p, struct deaths *out);
enum status box_save_deaths(
	const struct places *p, const struct deaths *d, struct why *why) MUST_CHECK;
/* Marks of slots that have shown that they work. Slot 'a' or 'b'; any other: never. */
bool box_was_good(const struct places *p, char slot);
enum status box_mark_good(const struct places *p, char slot, struct why *why) MUST_CHECK;
void box_unmark_good(const struct places *p, char slot); /* its content is new */
