/* bomb.h - private to replay/: a gzip body of about 10 MB that unfolds to 10 GiB of blanks, made
 * of one deflated MiB: `opening`, then `block` 10,240 times, then `closing`. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"

enum { BOMB_BLOCKS = 10240 };
enum status bomb_make(struct buffer *opening, struct buffer *block, struct buffer *closing,
	struct why *why) MUST_CHECK;
