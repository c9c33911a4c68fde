/* log.h - one line per event on stderr: `LEVEL CODE: what and where; what is lost; what happens
 * next`. Thread safe: each line is one write(2). Newlines, control characters and invalid UTF-8
 * from outside are escaped, registered secrets are replaced by `***`, here and nowhere else. */
#pragma once
#include "base/status.h"
#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Under systemd (JOURNAL_STREAM names our stderr) text lines get a `<4>`-style prefix and no
 * time. */
void log_setup(enum log_level level, enum log_format format);
bool log_shows(enum log_level level);

/* `code` is `subject.condition`, e.g. "kafka.down". A line is cut at 1,500 bytes. */
void log_line(enum log_level level, const char *code, const char *format, ...) PRINTF_LIKE(3, 4);
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/* Registers a secret of 4 bytes or more (shorter ones are ignored: they would mangle everything);
 * copies it; at most 16 (a further one takes the oldest's place). The raw and the percent-encoded
 * form are replaced from now on, also where a long beginning of it stands (a text that was cut). */
void log_secret(const char *secret);

/* Copies `text` to `out` (always terminated) with secrets replaced and control characters escaped.
 * Used by everything that shows text from outside: status.json, `check`, workbook Errors. */
void log_redact(const char *text, size_t length, char *out, size_t out_bytes);

/* A gate for repeated events: true the first time, and again when `every_ms` has passed; then
 * *suppressed is how many were held back since. Zero-initialised by the caller. */
struct log_gate {
	long long last_ms;
	unsigned long held;
	bool open;
};
bool log_gate_pass(
	struct log_gate *gate, long long now_ms, long long every_ms, unsigned long *suppressed);
void log_gate_reset(struct log_gate *gate);
