/* test_log_lines.c - lines out of a pipe, and the last ones kept. */
#include "board/pipe_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char taken[65536];
static size_t taken_bytes, taken_lines;

static void take(void *context, const char *line, size_t length)
{
	(void)context;
	assert_true(length > 0 && length <= PIPE_LINE_BYTES);
	assert_int_equal(line[length - 1], '\n');
	assert_true(taken_bytes + length < sizeof taken);
	memcpy(taken + taken_bytes, line, length);
	taken_bytes += length;
	taken_lines++;
	taken[taken_bytes] = '\0';
}

static void pipe_of(struct pipe_lines *l, int *write_fd)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	*l = (struct pipe_lines){.fd = fds[0], .take = take};
	*write_fd = fds[1];
	taken_bytes = taken_lines = 0;
	*taken = '\0';
}

static void lines_come_whole(void **state)
{
	struct pipe_lines l;
	int fd;

	(void)state;
	pipe_of(&l, &fd);
	assert_true(pipe_lines_read(&l)); /* empty is no end */
	assert_int_equal(write(fd, "one\ntwo\nth", 10), 10);
	assert_true(pipe_lines_read(&l));
	assert_string_equal(taken, "one\ntwo\n");
	assert_int_equal(write(fd, "ree\n\nlast", 9), 9);
	assert_true(pipe_lines_read(&l));
	assert_string_equal(taken, "one\ntwo\nthree\n\n");
	pipe_lines_flush(&l);
	pipe_lines_flush(&l); /* nothing is left */
	assert_string_equal(taken, "one\ntwo\nthree\n\nlast\n");
	close(fd);
	assert_false(pipe_lines_read(&l));
	close(l.fd);
}

static void endless_lines_are_cut(void **state)
{
	static char big[10000];
	struct pipe_lines l;
	int fd;

	(void)state;
	pipe_of(&l, &fd);
	memset(big, 'x', sizeof big);
	assert_int_equal(write(fd, big, sizeof big), sizeof big);
	assert_int_equal(write(fd, "\nend\n", 5), 5);
	for (int i = 0; i < 4; i++)
		assert_true(pipe_lines_read(&l));
	assert_int_equal(taken_lines, 6); /* 4 x 2047, the rest of it, and `end` */
	assert_int_equal(taken_bytes, sizeof big + 5 + 4);
	assert_non_null(strstr(taken, "x\nend\n"));
	close(fd);
	close(l.fd);
}

static void keeps_the_last_lines(void **state)
{
	static struct log_tail t;
	char line[32];

	(void)state;
	assert_int_equal(log_tail_last(&t, 50) - t.text, 0);
	for (int i = 0; i < 250; i++) {
		int n = snprintf(line, sizeof line, "line %d\n", i);

		log_tail_add(&t, line, (size_t)n);
	}
	assert_int_equal(t.count, TAIL_LINES);
	assert_int_equal(strncmp(t.text, "line 150\n", 9), 0);
	assert_int_equal(strncmp(log_tail_last(&t, 50), "line 200\n", 9), 0);
	assert_int_equal(strncmp(log_tail_last(&t, 1), "line 249\n", 9), 0);
	assert_ptr_equal(log_tail_last(&t, 0), t.text + t.length);
	assert_ptr_equal(log_tail_last(&t, 1000), t.text);
}

static void long_lines_push_more_out(void **state)
{
	static struct log_tail t;
	static char line[2 * TAIL_LINE_BYTES];

	(void)state;
	memset(line, 'y', sizeof line);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 300; i++) {
		log_tail_add(&t, line, sizeof line);
		assert_true(t.length <= TAIL_BYTES);
		assert_int_equal(t.text[t.length - 1], '\n');
	}
	assert_int_equal(t.count, TAIL_BYTES / (TAIL_LINE_BYTES + 1));
	assert_int_equal(t.length, t.count * (TAIL_LINE_BYTES + 1));
}

static void levels(void **state)
{
	static const struct {
		const char *line;
		char level;
	} cases[] = {
		{"2026-11-29T00:41:12.550Z error config: SCOREBOX_API_KEY", 'e'},
		{"2026-11-29T00:41:12.550Z warn book.waiting: 2", 'w'},
		{"2026-11-29T00:41:12.550Z info spool.open: an error here is none", 'i'},
		{"2026-11-29T00:41:12.550Z debug x: y", 'd'},
		{"{\"time\":\"2026-11-29T00:41:12.550Z\",\"level\":\"error\",\"code\":\"x\"}", 'e'},
		{"{\"time\":\"2026-11-29T00:41:12.550Z\",\"level\":\"info\",\"code\":\"x\"}", 'i'},
		{"Assertion failed: x", '?'},
		{"error board.start: no time before it", '?'},
		{"short", '?'},
		{"", '?'},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[120];
		int n = snprintf(line, sizeof line, "%s\n", cases[i].line);

		if (log_line_level(line, (size_t)n) != cases[i].level)
			fail_msg("%s: %c", cases[i].line, log_line_level(line, (size_t)n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_whole),
		cmocka_unit_test(endless_lines_are_cut),
		cmocka_unit_test(keeps_the_last_lines),
		cmocka_unit_test(long_lines_push_more_out),
		cmocka_unit_test(levels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
