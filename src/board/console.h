/* console.h - text to a terminal that may be slow or not there, without ever waiting for it. */
#pragma once
#include "base/loop.h"
#include <stdbool.h>
#include <stddef.h>

enum { CONSOLE_BYTES = 8192 };

struct console {
	struct loop *loop;
	int fd;
	size_t length;
	unsigned lost; /* lines that found no room */
	char waiting[CONSOLE_BYTES];
};

/* `fallback_fd` is taken (and closed in the end) where `path` cannot be opened; -1: none. */
void console_open(struct console *c, struct loop *loop, const char *path, int fallback_fd);
/* `line` is one or more whole lines, shown as they are, or not at all. */
void console_put(struct console *c, const char *line, size_t length);
/* Waits at most `wait_ms` for what is still to be shown. */
void console_flush(struct console *c, int wait_ms);
void console_close(struct console *c);
