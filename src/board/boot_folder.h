/* boot_folder.h - the card's boot folder (FAT, mounted read-only) made writable for a moment.
 *     boot_folder_open(&f, "/boot", why) ... file_replace("/boot/x", ...) ... boot_folder_close(&f)
 * Processes take turns: the second one waits. A folder that is not a mount point of its own, or is writable already, is
 * left as it is mounted. */
#pragma once
#include "base/status.h"
#include <stdbool.h>

struct boot_folder {
	int fd;		/* holds the turn; -1: not open */
	bool read_only; /* so it was, and will be */
	unsigned long flags;
	char path[1024];
};

/* STATUS_NOT_FOUND: no such folder. STATUS_DENIED: it cannot be made writable. On failure nothing is open. */
enum status boot_folder_open(struct boot_folder *f, const char *path, struct why *why) MUST_CHECK;
/* Read-only again if it was; what was written is on the card then. Says so in the log where that fails. */
void boot_folder_close(struct boot_folder *f);
