#include "board/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int set_timeout(int fd, int seconds)
{
	int took = seconds;

	return ioctl(fd, WDIOC_SETTIMEOUT, &took) == 0 ? took : 0;
}

enum status watchdog_open(struct watchdog *out, const char *path, struct why *why)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), left = 0;

	if (fd < 0)
		return fail_errno(why,
			errno == ENOENT || errno == ENODEV || errno == ENXIO ? STATUS_NOT_FOUND
			: errno == EBUSY				     ? STATUS_BUSY
									     : STATUS_IO,
			"open '%s'", path);
	*out = (struct watchdog){.fd = fd, .timeout_s = set_timeout(fd, WATCHDOG_TIMEOUT_S)};
	if (!out->timeout_s && ioctl(fd, WDIOC_GETTIMEOUT, &left) == 0)
		out->timeout_s = left;
	return STATUS_OK;
}

enum status watchdog_feed(struct watchdog *w, int64_t now_ms, struct why *why)
{
	if (w->fd < 0 || now_ms < w->next_feed)
		return STATUS_OK;
	if (write(w->fd, ".", 1) != 1)
		return fail_errno(why, STATUS_IO, "feed the watchdog");
	w->next_feed = now_ms + WATCHDOG_FEED_EVERY_MS;
	return STATUS_OK;
}

void watchdog_leave(struct watchdog *w)
{
	static const int longest_first[] = {120, 60, 30, 16, WATCHDOG_TIMEOUT_S};

	if (w->fd < 0)
		return;
	for (unsigned i = 0; i < sizeof longest_first / sizeof *longest_first; i++)
		if (set_timeout(w->fd, longest_first[i]))
			break;
	w->next_feed = 0;
	(void)!watchdog_feed(w, 0, NULL);
	watchdog_forget(w);
}

void watchdog_forget(struct watchdog *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
