#include "base/file.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U /* Linux 6.8 */
#endif

/* By its number: not every C library has the function. */
uint64_t file_mount_id(const char *path)
{
	struct statx found = {0};

	if (syscall(SYS_statx, AT_FDCWD, path, 0, STATX_MNT_ID_UNIQUE, &found) ||
		!(found.stx_mask & STATX_MNT_ID_UNIQUE))
		return 0;
	return found.stx_mnt_id;
}
