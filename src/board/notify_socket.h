/* notify_socket.h - the receiving end of sd_notify(3): datagrams on a socket that only the service's user may
 * write to. The kernel tells who sent each; other processes than the asked one are not heard. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <sys/types.h>

enum { NOTIFY_TEXT_BYTES = 200 };

struct notified {
	bool ready, alive, stopping;
	char text[NOTIFY_TEXT_BYTES]; /* STATUS=, "" none */
};

/* Makes the socket anew at `path`, owned by uid, mode 0600. */
enum status notify_socket_open(
	int *out_fd, const char *path, uid_t uid, gid_t gid, struct why *why) MUST_CHECK;
/* The next message of process `pid`; those of others are passed over. False: none is waiting. */
bool notify_socket_read(int fd, pid_t pid, struct notified *out);
/* The lines of one message. */
void notify_parse(const char *text, struct notified *out);
