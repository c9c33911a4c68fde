/* screen.h - the status screen: what a human without a manual wants to know, 80 columns and at most 24 lines of
 * plain text. */
#pragma once
#include "board/situation.h"

enum { SCREEN_COLUMNS = 80, SCREEN_LINES = 24, SCREEN_BYTES = 6144 };

struct screen {
	size_t length;
	unsigned lines;
	char text[SCREEN_BYTES]; /* whole lines, terminated */
};

void screen_compose(struct screen *out, const struct situation *s);
