#include "board/notify_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1024 };

static enum status bind_at(int fd, const char *path, uid_t uid, gid_t gid, struct why *why)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int on = 1;

	if (strlen(path) >= sizeof at.sun_path)
		return fail(why, STATUS_BAD_DATA, "'%.60s...' is too long for a socket", path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (unlink(path) && errno != ENOENT)
		return fail_errno(why, STATUS_IO, "remove '%s'", path);
	/* The service may write to it only once it is its own. */
	mode_t before = umask(0177);
	int bound = bind(fd, (const struct sockaddr *)&at, sizeof at);

	umask(before);
	if (bound || lchown(path, uid, gid) ||
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on))
		return fail_errno(why, STATUS_IO, "make the socket '%s'", path);
	return STATUS_OK;
}

enum status notify_socket_open(int *out_fd, const char *path, uid_t uid, gid_t gid, struct why *why)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fail_errno(why, STATUS_IO, "make a socket");

	enum status s = bind_at(fd, path, uid, gid, why);

	if (s != STATUS_OK) {
		close(fd);
		return s;
	}
	*out_fd = fd;
	return STATUS_OK;
}

static void take_line(const char *line, struct notified *out)
{
	if (!strcmp(line, "READY=1"))
		out->ready = out->alive = true;
	else if (!strcmp(line, "WATCHDOG=1"))
		out->alive = true;
	else if (!strcmp(line, "STOPPING=1"))
		out->stopping = true;
	else if (!strncmp(line, "STATUS=", 7))
		snprintf(out->text, sizeof out->text, "%s", line + 7);
	/* MAINPID= and RELOADING= change nothing here: the process is our own child. */
}

void notify_parse(const char *text, struct notified *out)
{
	char line[256];

	*out = (struct notified){0};
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n < sizeof line) {
			memcpy(line, text, n);
			line[n] = '\0';
			take_line(line, out);
		}
		text += n + (text[n] == '\n');
	}
}

static pid_t sender(struct msghdr *message)
{
	struct ucred who = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof who);
	return who.pid;
}

bool notify_socket_read(int fd, pid_t pid, struct notified *out)
{
	char text[MESSAGE_BYTES + 1];
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;

	for (;;) {
		struct iovec piece = {text, MESSAGE_BYTES};
		struct msghdr message = {.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof control.bytes};
		ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (!pid || sender(&message) != pid)
			continue;
		text[n] = '\0';
		notify_parse(text, out);
		return true;
	}
}
