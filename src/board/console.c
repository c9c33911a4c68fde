#include "board/console.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void console_open(struct console *c, struct loop *loop, const char *path, int fallback_fd)
{
	*c = (struct console){.loop = loop};
	c->fd = open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (c->fd < 0)
		c->fd = fallback_fd;
	else if (fallback_fd >= 0)
		close(fallback_fd);
}

/* Bytes that went out; all of them where nobody can take them any more. */
static size_t push(const struct console *c, const char *bytes, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = write(c->fd, bytes + done, length - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n == 0 || errno != EINTR)
			return length;
	}
	return done;
}

static void push_waiting(struct console *c)
{
	size_t done = push(c, c->waiting, c->length);

	c->length -= done;
	memmove(c->waiting, c->waiting + done, c->length);
}

static void keep(struct console *c, const char *bytes, size_t length)
{
	memcpy(c->waiting + c->length, bytes, length);
	c->length += length;
}

static void tell_lost(struct console *c)
{
	char text[64];
	int n = snprintf(text, sizeof text, "(%u lines had no room here)\n", c->lost);

	if (!c->lost || c->length)
		return;
	c->lost = 0;
	size_t done = push(c, text, (size_t)n);

	keep(c, text + done, (size_t)n - done);
}

static void writable(void *context, int fd, unsigned events)
{
	struct console *c = context;

	(void)events;
	push_waiting(c);
	tell_lost(c);
	if (!c->length)
		loop_forget(c->loop, fd);
}

void console_put(struct console *c, const char *line, size_t length)
{
	if (c->fd < 0)
		return;

	size_t done = c->length ? 0 : push(c, line, length);

	if (done == length)
		return;
	if (!done && c->length + length > CONSOLE_BYTES) {
		c->lost++;
		return;
	}
	/* A line that is half out has room here, or is longer than the queue: then its rest is lost. */
	if (length - done > CONSOLE_BYTES)
		length = done + CONSOLE_BYTES;
	keep(c, line + done, length - done);
	if (loop_watch(c->loop, c->fd, LOOP_WRITE, writable, c, NULL) != STATUS_OK)
		c->length = 0; /* nothing would tell when there is room */
}

void console_flush(struct console *c, int wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;

	while (c->fd >= 0 && c->length && clock_mono_ms() < until) {
		struct pollfd room = {.fd = c->fd, .events = POLLOUT};

		poll(&room, 1, 50);
		push_waiting(c);
	}
}

void console_close(struct console *c)
{
	if (c->fd < 0)
		return;
	loop_forget(c->loop, c->fd);
	close(c->fd);
	c->fd = -1;
}
