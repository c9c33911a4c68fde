/* service_environment.h - what the daemon is given: the settings file's lines and the image's own defaults, and
 * nothing of the supervisor's environment. The file's lines are NAME=value, the value as it stands up to the line's
 * end; `board settings` has cleaned them. Of a name that stands there twice the last one counts. */
#pragma once
#include "board/places.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	ENVIRONMENT_FILE_BYTES = 64 * 1024,
	ENVIRONMENT_FILE_LINES = 160, /* names, of the file */
	ENVIRONMENT_LINES = ENVIRONMENT_FILE_LINES + 32,
	ENVIRONMENT_MORE_BYTES = 6144,
};

/* What the supervisor itself wants to know of the settings. */
struct board_settings {
	bool given; /* the file sets anything */
	bool consumes;
	int64_t clock_wait_ms, confirm_ms;
	char state_dir[256];
};

struct environment_wants {
	const struct places *places;
	const char *const *secrets; /* names of the settings that may be sealed; ends with NULL */
	/* "5m" as milliseconds. */
	enum status (*duration)(const char *text, int64_t *out_ms, struct why *why);
	int64_t watchdog_ms;
};

struct service_environment {
	char *file; /* owned: the file's lines */
	size_t file_bytes;
	size_t more_bytes;
	unsigned count;
	char *list[ENVIRONMENT_LINES + 1]; /* for execve */
	char more[ENVIRONMENT_MORE_BYTES];
};

/* A file that is not there is an empty one: the daemon then says what is missing. STATUS_FULL: more lines, or longer
 * ones, than there is room for. Writes *settings also then. */
enum status service_environment_make(struct service_environment *out,
	struct board_settings *settings, const struct environment_wants *wants,
	struct why *why) MUST_CHECK;
void service_environment_done(struct service_environment *e); /* wipes; zeroed is fine */
const char *service_environment_value(const struct service_environment *e, const char *name);
