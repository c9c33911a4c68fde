/* test_console.c - a console that is slow never holds us up. */
#include "board/console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[60], folder[40];
static struct loop *loop;
static struct console console;

static int open_fifo(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/scorebox-console-XXXXXX");
	if (!mkdtemp(folder) || loop_open(&loop, NULL) != STATUS_OK)
		return -1;
	snprintf(path, sizeof path, "%s/console", folder);
	return mkfifo(path, 0600);
}

static int close_fifo(void **state)
{
	(void)state;
	console_close(&console);
	loop_close(loop);
	unlink(path);
	return rmdir(folder);
}

static size_t read_some(int fd, char *out, size_t room)
{
	ssize_t n = read(fd, out, room);

	return n > 0 ? (size_t)n : 0;
}

static void slow_one(void **state)
{
	static char seen[400000];
	char line[64];
	size_t length = 0;
	int fd = open(path, O_RDONLY | O_NONBLOCK), put = 0;
	struct why why;

	(void)state;
	assert_true(fd >= 0);
	console_open(&console, loop, path, -1);
	assert_true(console.fd >= 0);
	/* Far more than a pipe and the queue hold: none of these calls waits. */
	for (; put < 4000; put++) {
		int n = snprintf(line, sizeof line, "line number %d of many\n", put);

		console_put(&console, line, (size_t)n);
		assert_true(console.length <= CONSOLE_BYTES);
	}
	assert_true(console.lost > 0);
	for (int i = 0; i < 100; i++) {
		length += read_some(fd, seen + length, sizeof seen - 1 - length);
		assert_int_equal(loop_turn(loop, 0, &why), STATUS_OK);
	}
	assert_int_equal(console.length, 0);
	assert_int_equal(console.lost, 0);
	console_put(&console, "the end\n", 8);
	length += read_some(fd, seen + length, sizeof seen - 1 - length);
	seen[length] = '\0';
	assert_int_equal(strncmp(seen, "line number 0 of many\n", 22), 0);
	assert_non_null(strstr(seen, "lines had no room here)\nthe end\n"));
	/* What is there is whole lines. */
	for (const char *at = seen; *at; at = strchr(at, '\n') + 1)
		assert_true(!strncmp(at, "line number ", 12) || *at == '(' || *at == 't');
	close(fd);
}

static void gone_or_never_there(void **state)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK), fallback = open("/dev/null", O_WRONLY);

	(void)state;
	console_open(&console, loop, path, -1);
	close(fd);
	console_put(&console, "x\n", 2); /* EPIPE */
	assert_int_equal(console.length, 0);
	console_close(&console);
	console_open(&console, loop, "/no/such/console", fallback);
	assert_int_equal(console.fd, fallback);
	console_close(&console);
	console_open(&console, loop, "/no/such/console", -1);
	console_put(&console, "x\n", 2);
	console_flush(&console, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(slow_one, open_fifo, close_fifo),
		cmocka_unit_test_setup_teardown(gone_or_never_there, open_fifo, close_fifo),
	};

	signal(SIGPIPE, SIG_IGN); /* as the loop does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
