#include "board/service_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- who it runs as ---- */

/* "name:x:990:990:..." */
static bool read_user(const char *line, const char *name, struct service_user *out)
{
	size_t n = strlen(name);
	char *end;

	if (strncmp(line, name, n) != 0 || line[n] != ':')
		return false;

	const char *number = strchr(line + n + 1, ':');

	if (!number)
		return false;
	out->uid = (uid_t)strtoul(number + 1, &end, 10);
	if (end == number + 1 || *end != ':')
		return false;
	number = end;
	out->gid = (gid_t)strtoul(number + 1, &end, 10);
	return end != number + 1 && *end == ':';
}

enum status service_user_find(
	struct service_user *out, const char *passwd, const char *name, struct why *why)
{
	FILE *f = fopen(passwd, "re");
	struct service_user found = {0};
	char line[512];
	bool there = false;

	if (!f)
		return fail_errno(why, STATUS_NOT_FOUND, "open '%s'", passwd);
	while (!there && fgets(line, sizeof line, f))
		there = read_user(line, name, &found);
	fclose(f);
	if (!there)
		return fail(why, STATUS_NOT_FOUND, "'%s' knows no user %s", passwd, name);
	if (!found.uid || !found.gid)
		return fail(why, STATUS_BAD_DATA, "'%s' has user %s as root", passwd, name);
	*out = found;
	return STATUS_OK;
}

/* ---- the child, between fork and exec; we have one thread, so any call is fine ---- */

static void give_up(const char *step)
{
	dprintf(STDERR_FILENO,
		"error board.start: %s: %s; the service was not started; tried again\n", step,
		strerror(errno));
	_exit(SERVICE_EXIT_NOT_STARTED);
}

static void usual_signals(void)
{
	sigset_t none;

	for (int n = 1; n < 32; n++)
		signal(n, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void take_streams(int out_fd)
{
	int in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0)
		_exit(SERVICE_EXIT_NOT_STARTED);
	if (in_fd < 0 || dup2(in_fd, 0) < 0)
		close(0); /* the daemon opens one where there is none */
}

static void drop_rights(const struct service_user *user)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	/* Up to the first number that this kernel does not know. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			give_up("empty the bounding set");
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (setgroups(0, NULL) || setresgid(user->gid, user->gid, user->gid) ||
		setresuid(user->uid, user->uid, user->uid))
		give_up("become the service's user");
	if (syscall(SYS_capset, &header, none))
		give_up("drop all capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		give_up("forbid new privileges");
}

static void become(const struct service_start *what, pid_t parent)
{
	static const struct rlimit no_core = {0, 0};
	char name[] = "scorebox";
	char *const argv[] = {name, NULL};

	usual_signals();
	take_streams(what->out_fd);
	/* An exec would do it; but we may be killed, and another supervisor begin, before that. */
	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
	setsid();
	umask(0027);
	if (setrlimit(RLIMIT_CORE, &no_core))
		give_up("forbid core files");
	drop_rights(&what->user);
	/* A change of the user takes this back, so it comes late. By force: what was committed is safe, and a
	 * daemon that is stopped would keep the instance lock for ever. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		give_up("end with the supervisor");
	execve(what->program, argv, what->environment);
	give_up(what->program);
}

enum status service_start(struct service_process *p, const struct service_start *what,
	int64_t now_ms, struct why *why)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return fail_errno(why, STATUS_IO, "start the service");
	if (!pid)
		become(what, parent);
	*p = (struct service_process){.phase = SERVICE_RUNS,
		.pid = pid,
		.started_ms = now_ms,
		.sign_ms = now_ms,
		.runs = p->runs + 1,
		.exit_code = p->exit_code};
	return STATUS_OK;
}

/* ---- its end ---- */

void service_end(struct service_process *p, int64_t now_ms)
{
	if (p->phase != SERVICE_RUNS)
		return;
	p->phase = SERVICE_ENDS;
	p->told_ms = now_ms;
	kill(p->pid, SIGTERM);
}

void service_kill(struct service_process *p, int64_t now_ms)
{
	if (p->phase == SERVICE_RESTS || p->killed)
		return;
	p->phase = SERVICE_ENDS;
	p->killed = true;
	p->told_ms = now_ms;
	kill(p->pid, SIGKILL);
}

bool service_press(struct service_process *p, int64_t now_ms)
{
	if (p->phase != SERVICE_ENDS || p->killed || now_ms - p->told_ms < SERVICE_TERM_MS)
		return false;
	service_kill(p, now_ms);
	return true;
}

bool service_reap(struct service_process *p)
{
	int status;

	if (!p->pid || waitpid(p->pid, &status, WNOHANG) != p->pid)
		return false;
	p->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	p->phase = SERVICE_RESTS;
	p->pid = 0;
	return true;
}

/* ---- its signs of life ---- */

void service_sign(struct service_process *p, bool ready, int64_t now_ms)
{
	p->sign_ms = now_ms;
	p->ready |= ready;
}

int64_t service_hung_ms(const struct service_process *p, int64_t now_ms)
{
	int64_t since = 0, may = 0;

	switch (p->phase) {
	case SERVICE_RESTS:
		return 0;
	case SERVICE_RUNS:
		since = p->sign_ms;
		may = p->ready ? SERVICE_SIGNS_MS : SERVICE_STARTING_MS;
		break;
	case SERVICE_ENDS:
		since = p->told_ms;
		may = p->killed ? SERVICE_KILL_MS : SERVICE_TERM_MS + SERVICE_KILL_MS;
		break;
	}
	return now_ms - since > may ? now_ms - since : 0;
}
