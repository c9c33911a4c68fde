/* memory_limits.h - for tests of what happens under a limit of memory (RLIMIT_DATA): kernels keep it, qemu's user mode,
 * under which the tests of a cross build run, does not. */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether a limit of 1 MiB keeps a child from 16 MiB; says so where it does not. */
static inline bool memory_limits_hold(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct rlimit limit = {1 << 20, 1 << 20};
		void *volatile block;

		setrlimit(RLIMIT_DATA, &limit);
		block = malloc(16 << 20);
		_exit(block ? 1 : 0);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
		WEXITSTATUS(status) == 1) {
		fputs("SKIPPED in part: no limits of memory are kept here (qemu's user mode?)\n",
			stderr);
		return false;
	}
	return true;
}
