/* test_notify.c - signs of life, and who may give them. */
#include "board/notify_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void messages(void **state)
{
	static const struct {
		const char *text;
		bool ready, alive, stopping;
		const char *status;
	} cases[] = {
		{"READY=1", true, true, false, ""},
		{"WATCHDOG=1", false, true, false, ""},
		{"STOPPING=1\n", false, false, true, ""},
		{"READY=1\nSTATUS=well, and \xc3\xbc\nMAINPID=7\n", true, true, false,
			"well, and ü"},
		{"RELOADING=1\nMONOTONIC_USEC=5", false, false, false, ""},
		{"READY=0", false, false, false, ""},
		{"XREADY=1\nWATCHDOG=trigger", false, false, false, ""},
		{"", false, false, false, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct notified n;

		notify_parse(cases[i].text, &n);
		if (n.ready != cases[i].ready || n.alive != cases[i].alive ||
			n.stopping != cases[i].stopping || strcmp(n.text, cases[i].status) != 0)
			fail_msg("%s", cases[i].text);
	}
}

static void long_lines_are_cut(void **state)
{
	char text[700];
	struct notified n;

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "STATUS=", 7);
	text[sizeof text - 1] = '\0';
	notify_parse(text, &n);
	assert_string_equal(n.text, ""); /* no line of ours is as long */
	text[255] = '\n';
	notify_parse(text, &n);
	assert_int_equal(strlen(n.text), NOTIFY_TEXT_BYTES - 1);
}

static void send_to(const char *path, const char *text)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&to, sizeof to) < 0)
		_exit(1);
	close(fd);
}

static void only_the_child_is_heard(void **state)
{
	char folder[] = "/tmp/scorebox-notify-XXXXXX", path[60];
	struct notified n;
	struct why why;
	struct stat st;
	int fd = -1, status;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/notify", folder);
	for (int again = 0; again < 2;
		again++) { /* the second time over what is left of the first */
		if (fd >= 0)
			close(fd);
		assert_int_equal(
			notify_socket_open(&fd, path, getuid(), getgid(), &why), STATUS_OK);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(notify_socket_read(fd, getpid(), &n));

	pid_t child = fork();

	if (!child) {
		send_to(path, "READY=1\nSTATUS=child");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	send_to(path, "WATCHDOG=1\nSTATUS=parent");
	assert_true(notify_socket_read(fd, child, &n));
	assert_string_equal(n.text, "child");
	assert_false(notify_socket_read(fd, child, &n)); /* the parent's is passed over */
	send_to(path, "WATCHDOG=1");
	assert_false(notify_socket_read(fd, 0, &n)); /* nobody runs: nobody is heard */
	close(fd);
	unlink(path);
	rmdir(folder);
}

static void no_room_for_the_path(void **state)
{
	char path[200];
	struct why why;
	int fd = -1;

	(void)state;
	memset(path, 'a', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	assert_int_equal(notify_socket_open(&fd, path, 0, 0, &why), STATUS_BAD_DATA);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(only_the_child_is_heard),
		cmocka_unit_test(no_room_for_the_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
