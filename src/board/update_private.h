/* update_private.h - private to board/: what update.c and update_trial.c share. */
#pragma once
#include "base/log.h"
#include "board/update.h"

/* A line to the log and, but for its level and code, to paths->said. */
void update_say(const struct update_paths *paths, enum log_level level, const char *code,
	const char *format, ...) PRINTF_LIKE(4, 5);
const char *update_slot(const struct update_paths *paths, char slot);
