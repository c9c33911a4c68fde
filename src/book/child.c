/* child.c - the parent's side of a rendering child: starts it, gathers its answer, ends it in
 * time. Never blocks. */
#include "base/clock.h"
#include "base/file.h"
#include "book/arguments.h"
#include "book/book.h"
#include "book/sweep.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
	LINE_BYTES = 1024,
	ARGUMENTS = 14,
	ARGUMENT_BYTES = PATH_MAX + 32,
	DEFAULT_TIMEOUT_MS = 60000
};

struct book_child {
	pid_t pid; /* 0: reaped */
	int fd;
	int64_t started_ms, due_ms;
	bool killed; /* for its time was up */
	bool at_end; /* its stdout is closed */
	bool whole;  /* its answer is */
	char line[LINE_BYTES];
	size_t used;
	struct book_result result;
	char folder[PATH_MAX], scratch[PATH_MAX];
};

/* ---- starting ---- */

struct arguments {
	char text[ARGUMENTS][ARGUMENT_BYTES];
	char *list[ARGUMENTS + 1];
	int count;
	bool cut;
};

static void add(struct arguments *a, const char *name, const char *value)
{
	int n = snprintf(a->text[a->count], ARGUMENT_BYTES, "%s%s", name, value);

	a->cut = a->cut || n < 0 || n >= ARGUMENT_BYTES;
	a->list[a->count] = a->text[a->count];
	a->count++;
}

static void add_number(struct arguments *a, const char *name, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	add(a, name, digits);
}

static void make_arguments(struct arguments *a, const struct book_job *job)
{
	static const char *const kinds[] = {
		[BOOK_MATCH] = "match", [BOOK_INDEX] = "index", [BOOK_AUDIT] = "audit"};

	add(a, "scorebox", "");
	add(a, "--book", "");
	add(a, ARGUMENT_KIND, kinds[job->kind]);
	add(a, ARGUMENT_JOURNAL, job->journal_path);
	add(a, ARGUMENT_FOLDER, job->folder);
	add(a, ARGUMENT_SCRATCH, job->state_dir);
	add(a, ARGUMENT_TIMEZONE, job->timezone ? job->timezone : "");
	add_number(a, ARGUMENT_MATCH, (uint64_t)job->match);
	add(a, ARGUMENT_STARTED, job->started_only ? "1" : "0");
	add(a, ARGUMENT_ANEW, job->anew ? "1" : "0");
	add_number(a, ARGUMENT_MIN_FREE, job->min_free_bytes);
	add_number(a, ARGUMENT_MEMORY, job->memory_bytes);
	add_number(a, ARGUMENT_PARENT, (uint64_t)getpid());
}

/* The child begins with no blocked signals and the usual SIGPIPE; the daemon's other descriptors
 * are close-on-exec. */
static int spawn(struct book_child *c, int out_fd, char *const *arguments)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	int e;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGHUP);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	e = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!e)
		e = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
	if (!e)
		e = posix_spawn(
			&c->pid, "/proc/self/exe", &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return e;
}

static enum status start(struct book_child *c, const struct book_job *job, struct why *why)
{
	struct arguments *a = calloc(1, sizeof(*a));
	int ends[2], e;

	if (!a)
		return fail(why, STATUS_NO_MEMORY, "no memory to start a rendering child");
	make_arguments(a, job);
	if (a->cut) {
		free(a);
		return fail(why, STATUS_BAD_DATA, "a path is too long for a rendering child");
	}
	if (pipe2(ends, O_CLOEXEC) != 0) {
		free(a);
		return fail_errno(why, STATUS_AGAIN, "a pipe to the rendering child");
	}
	e = spawn(c, ends[1], a->list);
	free(a);
	close(ends[1]);
	if (e) {
		close(ends[0]);
		c->pid = 0;
		return fail(why, e == ENOMEM ? STATUS_NO_MEMORY : STATUS_AGAIN,
			"start a rendering child: %s", strerror(e));
	}
	c->fd = ends[0];
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		return fail_errno(why, STATUS_IO, "a pipe that does not block");
	return STATUS_OK;
}

enum status book_child_start(struct book_child **out, const struct book_job *job, struct why *why)
{
	struct book_child *c = calloc(1, sizeof(*c));
	enum status s;

	if (!c)
		return fail(why, STATUS_NO_MEMORY, "no memory to start a rendering child");
	c->fd = -1;
	c->started_ms = clock_mono_ms();
	c->due_ms = c->started_ms + (job->timeout_ms > 0 ? job->timeout_ms : DEFAULT_TIMEOUT_MS);
	c->result.status = STATUS_FATAL;
	snprintf(c->folder, sizeof(c->folder), "%s", job->folder);
	snprintf(c->scratch, sizeof(c->scratch), "%s", job->state_dir);
	s = start(c, job, why);
	if (s != STATUS_OK) {
		book_child_close(c);
		return s;
	}
	*out = c;
	return STATUS_OK;
}

int book_child_fd(const struct book_child *c)
{
	return c->fd;
}

int64_t book_child_due_ms(const struct book_child *c)
{
	return c->due_ms;
}

/* ---- the answer ---- */

static void copy(char *out, size_t out_bytes, const char *text)
{
	snprintf(out, out_bytes, "%s", text);
}

static void take_line(struct book_child *c, book_missing_call *missing, void *context)
{
	struct book_result *r = &c->result;
	char *value = strchr(c->line, ' ');

	if (value)
		*value++ = '\0';
	else
		value = c->line + c->used;
	if (!strcmp(c->line, ANSWER_MISSING) && missing)
		missing(context, strtoll(value, NULL, 10));
	else if (!strcmp(c->line, ANSWER_FILE))
		copy(r->file, sizeof(r->file), value);
	else if (!strcmp(c->line, ANSWER_KEPT))
		copy(r->kept, sizeof(r->kept), value);
	else if (!strcmp(c->line, ANSWER_WHY))
		copy(r->why.text, sizeof(r->why.text), value);
	else if (!strcmp(c->line, ANSWER_SKIPPED))
		r->skipped = true;
	else if (!strcmp(c->line, ANSWER_RECORDS))
		r->records = strtoull(value, NULL, 10);
	else if (!strcmp(c->line, ANSWER_BYTES))
		r->bytes = strtoull(value, NULL, 10);
	else if (!strcmp(c->line, ANSWER_PEAK))
		r->peak_kib = strtoull(value, NULL, 10);
	else if (!strcmp(c->line, ANSWER_STATUS))
		r->status = (enum status)strtol(value, NULL, 10);
	else if (!strcmp(c->line, ANSWER_END))
		c->whole = true;
}

static void take_bytes(struct book_child *c, const char *bytes, size_t length,
	book_missing_call *missing, void *context)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != '\n') {
			if (c->used < LINE_BYTES - 1)
				c->line[c->used++] = bytes[i];
			continue;
		}
		c->line[c->used] = '\0';
		take_line(c, missing, context);
		c->used = 0;
	}
}

static void read_answer(struct book_child *c, book_missing_call *missing, void *context)
{
	char bytes[4096];

	while (!c->at_end) {
		ssize_t n = read(c->fd, bytes, sizeof(bytes));

		if (n > 0)
			take_bytes(c, bytes, (size_t)n, missing, context);
		else if (n == 0 || (errno != EINTR && errno != EAGAIN))
			c->at_end = true;
		else if (errno == EAGAIN)
			return;
	}
}

/* ---- the end ---- */

/* What the exit says where the answer is not whole. */
static void judge(struct book_child *c, int wait_status)
{
	struct book_result *r = &c->result;

	if (c->whole && WIFEXITED(wait_status))
		return;
	r->skipped = false;
	if (c->killed)
		r->status = fail(&r->why, STATUS_FATAL,
			"the rendering child took over %lld s and was ended",
			(long long)((c->due_ms - c->started_ms) / 1000));
	else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_CHILD_MEMORY)
		r->status = fail(
			&r->why, STATUS_NO_MEMORY, "the rendering child ran out of its memory");
	else if (WIFSIGNALED(wait_status))
		r->status = fail(&r->why, STATUS_FATAL, "the rendering child died by signal %d",
			WTERMSIG(wait_status));
	else
		r->status = fail(&r->why, STATUS_FATAL,
			"the rendering child ended with code %d and no answer",
			WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1);
}

enum status book_child_turn(struct book_child *c, int64_t now_ms, struct book_result *out,
	book_missing_call *missing, void *context)
{
	int wait_status = 0;
	pid_t reaped;

	if (c->pid == 0) {
		*out = c->result;
		return STATUS_OK;
	}
	read_answer(c, missing, context);
	if (now_ms >= c->due_ms && !c->killed && !c->whole) {
		c->killed = true;
		kill(c->pid, SIGKILL);
	}
	reaped = waitpid(c->pid, &wait_status, WNOHANG);
	if (reaped == 0 || (reaped < 0 && errno == EINTR))
		return STATUS_AGAIN;
	read_answer(c, missing, context); /* what it said last */
	sweep_child(c->folder, c->scratch, c->pid);
	c->pid = 0;
	judge(c, reaped > 0 ? wait_status : 0);
	c->result.took_ms = now_ms - c->started_ms;
	*out = c->result;
	return STATUS_OK;
}

void book_child_close(struct book_child *c)
{
	if (!c)
		return;
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
		sweep_child(c->folder, c->scratch, c->pid);
	}
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}
