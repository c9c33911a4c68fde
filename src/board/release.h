/* release.h - what is running: the image's release file, NAME=value lines.
 *     VERSION=1.2.3  BOARD=rpi-arm64  BUILT=1764288000 */
#pragma once
#include "base/status.h"
#include "board/version.h"
#include <stdint.h>

enum { BOARD_BYTES = 32 };

struct release {
	char version[VERSION_BYTES];
	char board[BOARD_BYTES];
	int64_t built_s; /* seconds since 1970; 0: it does not say */
};

/* STATUS_NOT_FOUND: no such file, this is not the image. STATUS_BAD_DATA: without a version or a board. */
enum status release_read(const char *path, struct release *out, struct why *why) MUST_CHECK;
