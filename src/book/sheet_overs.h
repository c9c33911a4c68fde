/* sheet_overs.h - `Overs`: a row per innings and span of overs as it was seen (private to
 * book/). */
#pragma once
#include "book/sheet.h"
#include "book/story.h"

enum status sheet_overs_write(struct lxw_worksheet *handle, struct sheet_shared *shared,
	const struct story *story, uint32_t *rows, struct why *why) MUST_CHECK;
