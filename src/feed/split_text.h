/* split_text.h - what the texts that the splitter meets are good for. Pure. */
#pragma once
#include "base/buffer.h"
#include <stdbool.h>
#include <stdint.h>

enum { SPLIT_ID_BYTES = 256 };

extern const char split_id_too_long[];

/* Why a decoded string is no usable id; NULL: it is one. */
const char *split_id_complaint(struct view id);
/* A JSON number without fraction and exponent. */
bool split_is_whole_number(struct view text);
/* A count; -1 where the text is none. */
int64_t split_figure(struct view text);
/* How much of a raw JSON string fits into `room` without cutting an escape. */
size_t split_fitting(struct view raw, size_t room);
/* Copies text for log lines: terminated, cut between characters, NUL bytes as blanks. */
void split_cut_text(struct view text, char *out, size_t out_bytes);
