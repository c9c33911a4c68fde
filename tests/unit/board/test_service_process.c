/* test_service_process.c - when a daemon hangs, how it ends, who it runs as. What rights it has is looked at in
 * the integration tests, as root. */
#include "board/service_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void silence(void **state)
{
	struct service_process p = {.phase = SERVICE_RUNS, .sign_ms = 1000};

	(void)state;
	assert_int_equal(service_hung_ms(&p, 1000 + SERVICE_STARTING_MS), 0);
	assert_int_equal(service_hung_ms(&p, 1001 + SERVICE_STARTING_MS), SERVICE_STARTING_MS + 1);
	service_sign(&p, true, 5000);
	assert_true(p.ready);
	assert_int_equal(service_hung_ms(&p, 5000 + SERVICE_SIGNS_MS), 0);
	assert_true(service_hung_ms(&p, 5001 + SERVICE_SIGNS_MS) > 0);
	service_sign(&p, false, 5001 + SERVICE_SIGNS_MS); /* it was only slow */
	assert_true(p.ready);
	assert_int_equal(service_hung_ms(&p, 5001 + SERVICE_SIGNS_MS), 0);
	p = (struct service_process){.phase = SERVICE_RESTS};
	assert_int_equal(service_hung_ms(&p, INT64_MAX), 0);
}

/* Nothing that is told to end may take for ever: not even one that waits for a disk. */
static void ends_have_their_time(void **state)
{
	struct service_process p = {.phase = SERVICE_ENDS, .told_ms = 1000};
	int64_t all = SERVICE_TERM_MS + SERVICE_KILL_MS;

	(void)state;
	assert_int_equal(service_hung_ms(&p, 1000 + all), 0);
	assert_true(service_hung_ms(&p, 1001 + all) > 0);
	p.killed = true;
	assert_int_equal(service_hung_ms(&p, 1000 + SERVICE_KILL_MS), 0);
	assert_true(service_hung_ms(&p, 1001 + SERVICE_KILL_MS) > 0);
}

static pid_t sleeper(int ignored_signal)
{
	pid_t pid = fork();

	if (!pid) {
		if (ignored_signal)
			signal(ignored_signal, SIG_IGN);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void reap(struct service_process *p)
{
	for (int i = 0; !service_reap(p); i++) {
		assert_true(i < 3000);
		usleep(10000);
	}
}

static void one_that_ignores_its_end_is_killed(void **state)
{
	struct service_process p = {.phase = SERVICE_RUNS, .pid = sleeper(SIGTERM)};

	(void)state;
	usleep(100000); /* until it ignores the signal; were it too short, the exit code tells */
	assert_false(service_press(&p, 100));
	service_end(&p, 1000);
	assert_int_equal(p.phase, SERVICE_ENDS);
	assert_false(service_press(&p, 1000 + SERVICE_TERM_MS - 1));
	assert_false(service_reap(&p));
	assert_true(service_press(&p, 1000 + SERVICE_TERM_MS));
	assert_false(service_press(&p, 1001 + SERVICE_TERM_MS)); /* once */
	reap(&p);
	assert_int_equal(p.exit_code, 128 + SIGKILL);
	assert_int_equal(p.phase, SERVICE_RESTS);
	service_end(&p, 0); /* fine where nothing runs */
	service_kill(&p, 0);
	assert_int_equal(p.phase, SERVICE_RESTS);
}

static void one_that_is_stopped_is_killed(void **state)
{
	struct service_process p = {.phase = SERVICE_RUNS, .pid = sleeper(0)};

	(void)state;
	kill(p.pid, SIGSTOP);
	service_kill(&p, 1000);
	reap(&p);
	assert_int_equal(p.exit_code, 128 + SIGKILL);
}

static void what_cannot_be_started_says_so(void **state)
{
	char name[] = "X=1", *environment[] = {name, NULL}, text[400] = "";
	struct service_process p = {.runs = 4};
	struct service_start what = {.program = "/no/such/program", .environment = environment};
	struct why why;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	what.out_fd = fds[1];
	what.user = (struct service_user){getuid() ? getuid() : 65534, getgid() ? getgid() : 65534};
	assert_int_equal(service_start(&p, &what, 77, &why), STATUS_OK);
	assert_int_equal(p.runs, 5);
	assert_int_equal(p.sign_ms, 77);
	close(fds[1]);
	reap(&p);
	assert_int_equal(p.exit_code, SERVICE_EXIT_NOT_STARTED);
	assert_true(read(fds[0], text, sizeof text - 1) > 0);
	assert_non_null(strstr(text, "error board.start: "));
	close(fds[0]);
}

static void users(void **state)
{
	static const char *const bad[] = {"scorebox:x:0:990::/:/bin/false\n", "scorebox:x:990\n",
		"scorebox:x:a:b::/:\n", "scoreboxes:x:1:1::/:\n", "scorebox:x:990:0::/:\n", ""};
	char path[] = "/tmp/scorebox-passwd-XXXXXX";
	int fd = mkstemp(path);
	struct service_user u = {1, 1};
	struct why why;

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bad[i], strlen(bad[i]), 0), strlen(bad[i]));
		assert_int_not_equal(service_user_find(&u, path, "scorebox", &why), STATUS_OK);
		assert_int_equal(u.uid, 1);
	}
	static const char good[] =
		"root:x:0:0:root:/:/bin/sh\nscorebox:x:990:991:the daemon:/:/bin/false\n";
	assert_int_equal(pwrite(fd, good, sizeof good - 1, 0), sizeof good - 1);
	assert_int_equal(service_user_find(&u, path, "scorebox", &why), STATUS_OK);
	assert_int_equal(u.uid, 990);
	assert_int_equal(u.gid, 991);
	close(fd);
	unlink(path);
	assert_int_equal(service_user_find(&u, path, "scorebox", &why), STATUS_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence),
		cmocka_unit_test(ends_have_their_time),
		cmocka_unit_test(one_that_ignores_its_end_is_killed),
		cmocka_unit_test(one_that_is_stopped_is_killed),
		cmocka_unit_test(what_cannot_be_started_says_so),
		cmocka_unit_test(users),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
