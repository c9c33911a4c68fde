/* supervisor_lines.c - the daemon's lines and our own: to the console as they are, the last ones kept, errors and
 * warnings to the card. */
#include "board/supervisor_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH_MS = 1000 };

enum { TIME_BYTES = 24 }; /* "2026-11-29T00:41:12.550Z" */

/* "11-29 00:41:12 error config: SCOREBOX_API_KEY ..."; a line of JSON as it is. */
static void keep_error(struct supervisor *s, const char *line, size_t length)
{
	char clean[NOTE_BYTES];
	bool timed = *line != '{' && length > TIME_BYTES && line[TIME_BYTES] == ' ';
	const char *from = timed ? line + TIME_BYTES + 1 : line;

	log_redact(from, length - 1 - (size_t)(from - line), clean, sizeof clean);
	if (timed)
		snprintf(s->now.last_error, NOTE_BYTES, "%.5s %.8s %.*s", line + 5, line + 11,
			NOTE_BYTES - 17, clean);
	else
		snprintf(s->now.last_error, NOTE_BYTES, "%s", clean);
	/* Behind "error config: " */
	const char *words = strstr(clean, ": ");

	if (s->now.errors < SITUATION_ERRORS)
		snprintf(
			s->now.error[s->now.errors++], NOTE_BYTES, "%s", words ? words + 2 : clean);
}

static void keep_for_card(struct supervisor *s, const char *line, size_t length)
{
	if (length > sizeof s->log_waiting - s->log_length)
		return; /* the console has it */
	memcpy(s->log_waiting + s->log_length, line, length);
	s->log_length += length;
}

static char took_line(struct supervisor *s, const char *line, size_t length)
{
	char level = log_line_level(line, length);

	console_put(&s->console, line, length);
	log_tail_add(&s->tail, line, length);
	if (level != 'i' && level != 'd')
		keep_for_card(s, line, length);
	return level;
}

static void took_daemons(void *context, const char *line, size_t length)
{
	if (took_line(context, line, length) == 'e')
		keep_error(context, line, length);
}

static void took_own(void *context, const char *line, size_t length)
{
	struct supervisor *s = context;

	/* What is wrong with the settings the daemon has said, and better. */
	if (took_line(s, line, length) == 'e' && !s->settings_wrong)
		keep_error(s, line, length);
}

static void readable(void *context, int fd, unsigned events)
{
	struct pipe_lines *l = context;

	(void)events;
	(void)fd;
	(void)pipe_lines_read(l); /* we hold the writing end: it has no end */
}

/* `blocking`: its writers wait for us; else they lose what finds no room. */
static enum status open_pipe(
	struct supervisor *s, struct pipe_lines *l, int *write_fd, bool blocking, struct why *why)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return fail_errno(why, STATUS_IO, "make a pipe");
	l->fd = fds[0];
	l->context = s;
	*write_fd = fds[1];
	if (blocking && fcntl(fds[1], F_SETFL, 0))
		return fail_errno(why, STATUS_IO, "make a pipe");
	return loop_watch(s->loop, fds[0], LOOP_READ, readable, l, why);
}

enum status supervisor_open_lines(struct supervisor *s, struct why *why)
{
	console_open(&s->console, s->loop, s->places.at[PLACE_CONSOLE],
		fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));

	s->own.take = took_own;
	s->daemons.take = took_daemons;

	enum status status = open_pipe(s, &s->own, &s->own_fd, false, why);

	if (status == STATUS_OK)
		status = open_pipe(s, &s->daemons, &s->service_fd, true, why);
	/* From here on what is logged goes the way of all lines. */
	if (status == STATUS_OK && dup2(s->own_fd, STDERR_FILENO) < 0)
		status = fail_errno(why, STATUS_IO, "take over stderr");
	s->log_errand.name = "log on the card";
	return status;
}

void supervisor_drain(struct supervisor *s)
{
	(void)pipe_lines_read(&s->daemons);
	(void)pipe_lines_read(&s->own);
	console_flush(&s->console, FLUSH_MS);
}

/* In the child. */
static int append(void *context)
{
	struct supervisor *s = context;
	struct why why;

	if (box_log_append(&s->places, s->log_waiting, s->log_length, &why) == STATUS_OK)
		return 0;
	if (!s->log_told)
		log_warn("board.log",
			"%s; errors and warnings are shown on the console only; tried again with the next one",
			why.text);
	return 1;
}

void supervisor_log_ended(struct supervisor *s, int exit_code)
{
	s->log_told = exit_code != 0;
	s->log_length -= s->log_sent;
	memmove(s->log_waiting, s->log_waiting + s->log_sent, s->log_length);
	s->log_sent = 0;
}

void supervisor_log_turn(struct supervisor *s, int64_t now_ms)
{
	if (s->log_errand.pid || !s->log_length || (s->log_ms && now_ms - s->log_ms < LOG_EVERY_MS))
		return;
	s->log_ms = now_ms;
	if (errand_start(&s->log_errand, append, supervisor_leave_in_child, s, now_ms, NULL) ==
		STATUS_OK)
		s->log_sent = s->log_length;
}

void supervisor_close_lines(struct supervisor *s)
{
	int fds[] = {s->own.fd, s->daemons.fd, s->own_fd, s->service_fd};

	supervisor_drain(s);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (s->console.fd >= 0)
		dup2(s->console.fd, STDERR_FILENO);
	console_close(&s->console);
}
