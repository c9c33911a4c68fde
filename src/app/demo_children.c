/* demo_children.c - starts and ends the demo's processes by their pids. */
#include "app/demo_children.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS = 16, ENVIRONMENT = 256, LOOK_MS = 10, EXIT_NOT_STARTED = 127 };

/* What must not come from the caller: our settings, and the sockets of a service manager. */
static bool is_ours(const char *variable)
{
	static const char *const names[] = {
		"SCOREBOX_", "STATE_DIRECTORY=", "NOTIFY_SOCKET=", "WATCHDOG_", "JOURNAL_STREAM="};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void make_environment(const char *const *settings, const char **out)
{
	size_t n = 0;

	for (char **v = environ; *v && n < ENVIRONMENT / 2; v++)
		if (!is_ours(*v))
			out[n++] = *v;
	for (; settings && *settings && n < ENVIRONMENT - 1; settings++)
		out[n++] = *settings;
	out[n] = NULL;
}

/* execve changes nothing, but its type cannot say so. */
static char *const *as_execve_wants(const char **list)
{
	union {
		const char **ours;
		char *const *its;
	} view = {list};

	return view.its;
}

/* Between fork and exec: async-signal-safe calls only. */
static void become(
	pid_t parent, int out_fd, int log_fd, const char **arguments, const char **environment)
{
	sigset_t none;
	int in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* Ctrl-C is for the demo, which then ends its children in order. */
	setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		_exit(EXIT_NOT_STARTED);
	if (in_fd < 0 || dup2(in_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(log_fd, 2) < 0)
		_exit(EXIT_NOT_STARTED);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve("/proc/self/exe", as_execve_wants(arguments), as_execve_wants(environment));
	_exit(EXIT_NOT_STARTED);
}

enum status child_start(struct child *c, const char *name, const char *const *arguments,
	const char *const *settings, int log_fd, struct why *why)
{
	const char *argv[ARGUMENTS + 2] = {"scorebox"};
	const char *environment[ENVIRONMENT];
	pid_t parent = getpid();
	int pipe_fds[2];
	size_t n = 1;

	while (*arguments && n <= ARGUMENTS)
		argv[n++] = *arguments++;
	argv[n] = NULL;
	make_environment(settings, environment);
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return fail_errno(why, STATUS_IO, "pipe for '%s'", name);

	pid_t pid = fork();

	if (pid == 0)
		become(parent, pipe_fds[1], log_fd, argv, environment);
	close(pipe_fds[1]);
	if (pid < 0) {
		close(pipe_fds[0]);
		return fail_errno(why, STATUS_IO, "start '%s'", name);
	}
	*c = (struct child){.name = name, .pid = pid, .out_fd = pipe_fds[0]};
	return STATUS_OK;
}

static int code_of(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

bool child_runs(struct child *c)
{
	int wait_status;

	if (c->pid == 0)
		return false;
	if (waitpid(c->pid, &wait_status, WNOHANG) != c->pid)
		return true;
	c->exit_code = code_of(wait_status);
	c->pid = 0;
	if (c->out_fd >= 0)
		close(c->out_fd);
	c->out_fd = -1;
	return false;
}

enum status child_line(
	struct child *c, char *out, size_t out_bytes, int64_t timeout_ms, struct why *why)
{
	int64_t end_ms = clock_mono_ms() + timeout_ms;
	size_t length = 0;

	while (length + 1 < out_bytes && clock_mono_ms() < end_ms) {
		struct pollfd wait = {.fd = c->out_fd, .events = POLLIN};

		if (poll(&wait, 1, LOOK_MS) <= 0)
			continue;
		if (read(c->out_fd, out + length, 1) != 1)
			break;
		if (out[length] == '\n') {
			out[length] = '\0';
			return STATUS_OK;
		}
		length++;
	}
	return fail(why, STATUS_AGAIN, "'%s' does not come up", c->name);
}

enum status child_wait(struct child *c, int64_t timeout_ms, struct why *why)
{
	int64_t end_ms = clock_mono_ms() + timeout_ms;

	while (child_runs(c)) {
		if (clock_mono_ms() >= end_ms)
			return fail(why, STATUS_AGAIN, "'%s' does not end", c->name);
		poll(NULL, 0, LOOK_MS);
	}
	return STATUS_OK;
}

void child_stop(struct child *c, int64_t timeout_ms)
{
	if (!child_runs(c))
		return;
	kill(c->pid, SIGTERM);
	if (child_wait(c, timeout_ms, NULL) == STATUS_OK)
		return;
	kill(c->pid, SIGKILL);
	(void)!child_wait(c, timeout_ms, NULL);
}
