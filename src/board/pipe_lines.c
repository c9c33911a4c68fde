#include "board/pipe_lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READS_A_CALL = 8 };

static void hand_on(struct pipe_lines *l)
{
	size_t from = 0;
	char *end;

	while ((end = memchr(l->part + from, '\n', l->length - from))) {
		size_t next = (size_t)(end - l->part) + 1;

		l->take(l->context, l->part + from, next - from);
		from = next;
	}
	l->length -= from;
	memmove(l->part, l->part + from, l->length);
	if (l->length == PIPE_LINE_BYTES - 1)
		pipe_lines_flush(l);
}

bool pipe_lines_read(struct pipe_lines *l)
{
	for (int i = 0; i < READS_A_CALL; i++) {
		/* Room for the newline of a line that is cut. */
		ssize_t n = read(l->fd, l->part + l->length, PIPE_LINE_BYTES - 1 - l->length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		l->length += (size_t)n;
		hand_on(l);
	}
	return true;
}

void pipe_lines_flush(struct pipe_lines *l)
{
	if (!l->length)
		return;
	l->part[l->length++] = '\n';
	l->take(l->context, l->part, l->length);
	l->length = 0;
}

static void drop_oldest(struct log_tail *t)
{
	char *end = memchr(t->text, '\n', t->length);
	size_t bytes = end ? (size_t)(end - t->text) + 1 : t->length;

	t->length -= bytes;
	t->count--;
	memmove(t->text, t->text + bytes, t->length);
}

void log_tail_add(struct log_tail *t, const char *line, size_t length)
{
	if (length && line[length - 1] == '\n')
		length--;
	if (length > TAIL_LINE_BYTES)
		length = TAIL_LINE_BYTES;
	while (t->count && (t->count == TAIL_LINES || t->length + length + 1 > TAIL_BYTES))
		drop_oldest(t);
	memcpy(t->text + t->length, line, length);
	t->text[t->length + length] = '\n';
	t->length += length + 1;
	t->count++;
}

const char *log_tail_last(const struct log_tail *t, unsigned lines)
{
	const char *at = t->text;

	for (unsigned over = t->count > lines ? t->count - lines : 0; over; over--)
		at = (const char *)memchr(at, '\n', t->length - (size_t)(at - t->text)) + 1;
	return at;
}

static bool holds(const char *line, size_t length, const char *text)
{
	return memmem(line, length, text, strlen(text)) != NULL;
}

static bool has_level(const char *line, size_t length, const char *level)
{
	size_t n = strlen(level);
	const char *blank = memchr(line, ' ', length);

	if (!blank || (size_t)(line + length - blank) < n + 2)
		return false;
	return !memcmp(blank + 1, level, n) && blank[1 + n] == ' ';
}

char log_line_level(const char *line, size_t length)
{
	static const char *const text[] = {"error", "warn", "info", "debug"};
	static const char *const json[] = {"\"level\":\"error\"", "\"level\":\"warn\"",
		"\"level\":\"info\"", "\"level\":\"debug\""};

	for (int i = 0; i < 4; i++)
		if (*line == '{' ? holds(line, length < 80 ? length : 80, json[i])
				 : has_level(line, length, text[i]))
			return *text[i];
	return '?';
}
