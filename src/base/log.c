/* log.c - one line per event on stderr, secrets and control characters taken out. */
#include "base/log.h"

#include "base/clock.h"
#include "base/redact.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line is cut here, its newline included: below PIPE_BUF, so that lines of several writers to one
 * pipe stay whole. The message may be longer before it is cleaned than after. */
enum { LINE_BYTES = 1500, MESSAGE_BYTES = 2048 };

static atomic_int shown_level = LOG_INFO;
static atomic_int line_format = LOG_TEXT;
static atomic_bool to_journal;

static const char *const level_names[] = {"error", "warn", "info", "debug"};
/* syslog's severities: error, warning, informational, debug. */
static const char level_digits[] = "3467";

/* systemd sets JOURNAL_STREAM=DEVICE:INODE of the stream it gave us; a stderr sent elsewhere by a
 * shell differs from it. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	if (fstat(STDERR_FILENO, &st) != 0)
		return false;
	return (unsigned long long)st.st_dev == device && (unsigned long long)st.st_ino == inode;
}

void log_setup(enum log_level level, enum log_format format)
{
	shown_level = (int)level;
	line_format = (int)format;
	to_journal = stderr_is_journal();
}

bool log_shows(enum log_level level)
{
	return (int)level <= shown_level;
}

/* Puts the newline at line[length]. */
static void write_line(char *line, size_t length)
{
	line[length++] = '\n';
	for (size_t done = 0; done < length;) {
		ssize_t n = write(STDERR_FILENO, line + done, length - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return; /* nobody is left to tell */
	}
}

/* Both line makers leave room for the newline within LINE_BYTES. */
static size_t text_line(char *line, enum log_level level, const char *code, const char *message)
{
	int n;

	if (to_journal) {
		n = snprintf(line, LINE_BYTES + 1, "<%c>%s %s: %s", level_digits[level],
			level_names[level], code, message);
	} else {
		char when[CLOCK_TEXT_BYTES];

		clock_format(clock_wall_us(), 3, when);
		n = snprintf(line, LINE_BYTES + 1, "%s %s %s: %s", when, level_names[level], code,
			message);
	}
	return n < 0 ? 0 : redact_cut(line, (size_t)n, LINE_BYTES - 1);
}

/* The message has lost its control characters already: quotes and backslashes are what is left. */
static size_t quote_json(char *out, size_t out_bytes, const char *text)
{
	size_t length = 0;

	for (; *text && length + 3 < out_bytes; text++) {
		if (*text == '"' || *text == '\\')
			out[length++] = '\\';
		out[length++] = *text;
	}
	/* Nothing of a character that did not fit. */
	while (((unsigned char)*text & 0xC0) == 0x80) {
		text--;
		length--;
	}
	return length;
}

static size_t json_line(char *line, enum log_level level, const char *code, const char *message)
{
	char when[CLOCK_TEXT_BYTES];
	size_t length;

	clock_format(clock_wall_us(), 3, when);
	int n = snprintf(line, LINE_BYTES,
		"{\"time\":\"%s\",\"level\":\"%s\",\"code\":\"%.100s\",\"message\":\"", when,
		level_names[level], code);

	length = n < 0 ? 0 : (size_t)n;
	length += quote_json(line + length, LINE_BYTES - length - 3, message);
	line[length++] = '"';
	line[length++] = '}';
	return length;
}

void log_line(enum log_level level, const char *code, const char *format, ...)
{
	char message[MESSAGE_BYTES], clean[LINE_BYTES], line[LINE_BYTES + 1];
	int saved = errno;
	va_list arguments;

	if (!log_shows(level))
		return;
	va_start(arguments, format);
	int n = vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	if (n < 0)
		snprintf(message, sizeof message, "(a message that cannot be written)");

	size_t length = strnlen(message, sizeof message);

	log_redact(message, length, clean, sizeof clean);
	length = line_format == LOG_JSON ? json_line(line, level, code, clean)
					 : text_line(line, level, code, clean);
	write_line(line, length);
	errno = saved;
}

bool log_gate_pass(
	struct log_gate *gate, long long now_ms, long long every_ms, unsigned long *suppressed)
{
	if (gate->open && now_ms - gate->last_ms < every_ms) {
		gate->held++;
		return false;
	}
	if (suppressed)
		*suppressed = gate->held;
	*gate = (struct log_gate){.last_ms = now_ms, .open = true};
	return true;
}

void log_gate_reset(struct log_gate *gate)
{
	*gate = (struct log_gate){0};
}
