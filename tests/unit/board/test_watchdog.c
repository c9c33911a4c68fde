/* test_watchdog.c - the device is fed in time and never disarmed. */
#include "board/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fed_and_left_armed(void **state)
{
	char path[] = "/tmp/scorebox-watchdog-XXXXXX", text[64] = "";
	int fd = mkstemp(path); /* in the device's place */
	struct watchdog w = {.fd = -1};
	struct why why;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(watchdog_open(&w, path, &why), STATUS_OK);
	assert_int_equal(watchdog_feed(&w, 1000, &why), STATUS_OK);
	assert_int_equal(watchdog_feed(&w, 1000 + WATCHDOG_FEED_EVERY_MS - 1, &why), STATUS_OK);
	assert_int_equal(lseek(fd, 0, SEEK_END), 1);
	assert_int_equal(watchdog_feed(&w, 1000 + WATCHDOG_FEED_EVERY_MS, &why), STATUS_OK);
	assert_int_equal(lseek(fd, 0, SEEK_END), 2);
	watchdog_leave(&w);
	assert_int_equal(w.fd, -1);
	assert_int_equal(pread(fd, text, sizeof text - 1, 0), 3);
	assert_null(strchr(text, 'V')); /* the magic close */
	watchdog_leave(&w);		/* fine without one */
	assert_int_equal(watchdog_feed(&w, 1 << 30, &why), STATUS_OK);
	assert_true(WATCHDOG_FEED_EVERY_MS * 3 < WATCHDOG_TIMEOUT_S * 1000); /* two may be late */
	close(fd);
	unlink(path);
}

static void failures(void **state)
{
	struct watchdog w = {.fd = -1};
	struct why why;

	(void)state;
	assert_int_equal(watchdog_open(&w, "/no/such/watchdog", &why), STATUS_NOT_FOUND);
	assert_int_equal(watchdog_open(&w, "/tmp", &why), STATUS_IO);
	assert_int_equal(w.fd, -1);
	w.fd = open("/dev/full", O_WRONLY);
	assert_int_equal(watchdog_feed(&w, 1, &why), STATUS_IO);
	watchdog_forget(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fed_and_left_armed),
		cmocka_unit_test(failures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
