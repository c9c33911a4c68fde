/* pipe_lines.h - a pipe read line by line without ever waiting, and the last lines kept. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { PIPE_LINE_BYTES = 2048, TAIL_BYTES = 24 * 1024, TAIL_LINES = 100, TAIL_LINE_BYTES = 400 };

/* `line` ends with its newline, and is lent for the call. */
typedef void pipe_lines_take(void *context, const char *line, size_t length);

struct pipe_lines {
	int fd; /* non-blocking; the caller's */
	pipe_lines_take *take;
	void *context;
	size_t length;
	char part[PIPE_LINE_BYTES]; /* of a line that has not ended; a longer one is cut in two */
};

/* Hands on what is there, at most 16 KiB a call. False: the pipe is at its end or failed. */
bool pipe_lines_read(struct pipe_lines *l);
/* What is left of a line whose writer is gone. */
void pipe_lines_flush(struct pipe_lines *l);

/* The last TAIL_LINES lines, each cut at TAIL_LINE_BYTES, as one text of whole lines; fewer when they are long. */
struct log_tail {
	size_t length;
	unsigned count;
	char text[TAIL_BYTES];
};
void log_tail_add(struct log_tail *t, const char *line, size_t length);
/* Where the last `lines` lines begin. */
const char *log_tail_last(const struct log_tail *t, unsigned lines);

/* How bad a log line says it is: 'e'rror, 'w'arn, 'i'nfo or 'd'ebug; '?': it is no line of ours, such as a
 * library's last words. In both of the log's forms, base/log.h. */
char log_line_level(const char *line, size_t length);
