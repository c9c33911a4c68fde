#include "board/errand.h"

#include <sys/wait.h>
#include <unistd.h>

enum status errand_start(struct errand *e, errand_work *work, errand_work *leave, void *context,
	int64_t now_ms, struct why *why)
{
	if (e->pid)
		return fail(why, STATUS_BUSY, "%s: the last one has not ended", e->name);

	pid_t pid = fork();

	if (pid < 0)
		return fail_errno(why, STATUS_IO, "%s: fork", e->name);
	if (!pid) {
		int code = leave(context);

		_exit(code ? code : work(context));
	}
	e->pid = pid;
	e->since_ms = now_ms;
	e->slow_told = false;
	return STATUS_OK;
}

bool errand_reap(struct errand *e, int *exit_code)
{
	int status;

	if (!e->pid || waitpid(e->pid, &status, WNOHANG) != e->pid)
		return false;
	e->pid = 0;
	*exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return true;
}

bool errand_is_slow(struct errand *e, int64_t now_ms)
{
	if (!e->pid || e->slow_told || now_ms - e->since_ms < ERRAND_SLOW_MS)
		return false;
	e->slow_told = true;
	return true;
}
