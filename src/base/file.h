/* file.h - files that survive a power cut, free space, mounts, the instance lock. Paths are plain
 * strings of at most PATH_MAX; all descriptors are close-on-exec. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* mkdir -p with `mode` for the new ones. */
enum status file_make_folder(const char *path, mode_t mode, struct why *why) MUST_CHECK;

/* Writes beside (PATH.tmp), syncs, renames, syncs the folder: readers see the old or the new
 * file, whole. Statuses: STATUS_FULL no space, STATUS_DENIED read-only or no right,
 * STATUS_NOT_FOUND no such folder. */
enum status file_replace(const char *path, const void *bytes, size_t length, mode_t mode,
	struct why *why) MUST_CHECK;

/* fsync(file); rename; fsync(folder); fsync(file): the last step of an atomic replacement made elsewhere, on FAT
 * as well. */
enum status file_publish(const char *temporary, const char *final_path, struct why *why) MUST_CHECK;
enum status file_sync_folder(const char *folder, struct why *why) MUST_CHECK;

/* Reads a whole file of at most max_bytes (STATUS_FULL: it is larger; STATUS_NOT_FOUND: none
 * there); *out is malloc'd, NUL-terminated, the caller's to free. */
enum status file_read(
	const char *path, size_t max_bytes, char **out, size_t *length, struct why *why) MUST_CHECK;
/* The same for a secret: trims trailing CR, LF and blanks; *loose tells that others may read the
 * file. */
enum status file_read_secret(const char *path, char **out, bool *loose, struct why *why) MUST_CHECK;

/* Free bytes for us, and the size of the file system that holds `path`. */
enum status file_space(
	const char *path, uint64_t *free_bytes, uint64_t *total_bytes, struct why *why) MUST_CHECK;

/* What is attached at `path` or a folder above it other than "/": the innermost mount that the file
 * `mountinfo` names. A bind mount of the same file system counts; an automounter's empty trap does not, nor a
 * part of the root file system bound to its own place. A path that is not there yet is judged by what is.
 * False: nothing is. */
#define FILE_MOUNTINFO "/proc/self/mountinfo"
struct file_mount {
	char point[4096], type[32], source[256];
	bool part; /* not the whole file system: a folder of it bound here, or a subvolume */
};
bool file_mount_of(const char *path, const char *mountinfo, struct file_mount *out);
/* Tells one mount from every other that there was since the system started, also of the same device at the same
 * place. 0: it is not there, or the kernel (before Linux 6.8) does not tell. */
uint64_t file_mount_id(const char *path);
/* True when something is attached there; where there is no /proc, when st_dev differs from its parent's. */
bool file_below_mount(const char *path);
/* `path`, or the real one, is `folder` or lies below it. */
bool file_is_below(const char *path, const char *folder);
/* True for /media, /mnt, /run/media and everything below them. */
bool file_is_removable_place(const char *path);

/* One instance per folder: flock on FOLDER/lock, our pid inside. STATUS_BUSY: *holder is its pid
 * (0: unknown). The lock goes with the descriptor *lock_fd, or with the process. */
enum status file_lock_instance(
	const char *folder, int *lock_fd, pid_t *holder, struct why *why) MUST_CHECK;

/* Joins folder and name into out; STATUS_FULL when too long. */
enum status file_join(const char *folder, const char *name, char *out, size_t out_bytes) MUST_CHECK;
