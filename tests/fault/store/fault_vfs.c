#include "fault_vfs.h"

#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The layer itself must not fail; the assert of <assert.h> is compiled out of what ships. */
static void must(bool right)
{
	if (right)
		return;
	perror("fault_vfs");
	abort();
}

/* A change of a file not yet synced: what stood there, what was written. length < 0: the file was cut to
 * `offset` bytes, and `before` is what that took. */
struct change {
	struct change *older;
	char path[256];
	int64_t offset, size_before;
	int length, before_length;
	uint8_t *before, *after;
};

struct fault_file {
	sqlite3_file base;
	char path[256];
	sqlite3_file *real;
};

static struct {
	sqlite3_vfs vfs, *real;
	enum fault fault;
	int at, operations;
	bool sticky, fired;
	struct change *newest;
} v;

/* Counts a changing operation; true: it fails. */
static bool fails(void)
{
	v.operations++;
	if (v.fault == FAULT_NONE || v.operations < v.at)
		return false;
	if (v.operations > v.at && !v.sticky && v.fault != FAULT_POWER)
		return false;
	v.fired = true;
	return true;
}

static bool is_off(void)
{
	return v.fault == FAULT_POWER && v.fired;
}

/* ---- what is not synced ---- */

static void drop_change(struct change **link)
{
	struct change *c = *link;

	*link = c->older;
	free(c->before);
	free(c->after);
	free(c);
}

static void forget(const char *path)
{
	for (struct change **link = &v.newest; *link;)
		if (!path || !strcmp((*link)->path, path))
			drop_change(link);
		else
			link = &(*link)->older;
}

void fault_vfs_forget(void)
{
	forget(NULL);
}

static void *copy(const void *bytes, int length)
{
	void *to = malloc(length > 0 ? (size_t)length : 1);

	must(to);
	if (length > 0)
		memcpy(to, bytes, (size_t)length);
	return to;
}

static void note_change(struct fault_file *f, const void *bytes, int length, int64_t offset)
{
	struct change *c = calloc(1, sizeof *c);
	struct stat st;
	int fd = open(f->path, O_RDONLY);

	must(c && fd >= 0 && !fstat(fd, &st));
	snprintf(c->path, sizeof c->path, "%s", f->path);
	c->offset = offset;
	c->size_before = st.st_size;
	c->length = length;
	c->before_length = length;
	if (length < 0)
		c->before_length = st.st_size > offset ? (int)(st.st_size - offset) : 0;
	else if (offset + length > st.st_size)
		c->before_length = st.st_size > offset ? (int)(st.st_size - offset) : 0;
	c->before = malloc((size_t)c->before_length + 1);
	must(c->before);
	must(pread(fd, c->before, (size_t)c->before_length, offset) == c->before_length);
	close(fd);
	c->after = copy(bytes, length);
	c->older = v.newest;
	v.newest = c;
}

static void undo(const struct change *c)
{
	int fd = open(c->path, O_RDWR);

	if (fd < 0)
		return;
	must(pwrite(fd, c->before, (size_t)c->before_length, c->offset) == c->before_length);
	must(!ftruncate(fd, c->size_before));
	close(fd);
}

static void redo(const struct change *c, bool torn)
{
	int fd = open(c->path, O_RDWR);
	int length = torn ? c->length / 512 / 2 * 512 : c->length;

	if (fd < 0)
		return;
	if (c->length < 0)
		must(!ftruncate(fd, c->offset));
	else
		must(pwrite(fd, c->after, (size_t)length, c->offset) == length);
	close(fd);
}

static struct change *reverse(struct change *newest)
{
	struct change *oldest = NULL;

	while (newest) {
		struct change *next = newest->older;

		newest->older = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

void fault_vfs_reboot(enum survival survival, unsigned seed)
{
	for (const struct change *c = v.newest; c && survival != SURVIVES_ALL; c = c->older)
		undo(c);
	v.newest = reverse(v.newest);
	for (const struct change *c = v.newest; c && survival != SURVIVES_ALL; c = c->older) {
		unsigned chance;

		seed = seed * 1103515245u + 12345u;
		chance = seed >> 16 & 7;
		if (survival == SURVIVES_NOTHING || chance < 3)
			continue;
		redo(c, survival == SURVIVES_TORN && chance == 3);
	}
	forget(NULL);
	fault_vfs_arm(FAULT_NONE, 0, false);
}

/* ---- the file's methods ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct fault_file *)file)->real;
}

static int file_close(sqlite3_file *file)
{
	struct fault_file *f = (struct fault_file *)file;
	int rc = f->real->pMethods ? f->real->pMethods->xClose(f->real) : SQLITE_OK;

	sqlite3_free(f->real);
	f->real = NULL;
	return rc;
}

static int file_read(sqlite3_file *file, void *to, int length, sqlite3_int64 offset)
{
	return is_off() ? SQLITE_IOERR_READ
			: real_of(file)->pMethods->xRead(real_of(file), to, length, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset)
{
	if (fails())
		return v.fault == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	note_change((struct fault_file *)file, bytes, length, offset);
	return real_of(file)->pMethods->xWrite(real_of(file), bytes, length, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	if (fails())
		return SQLITE_IOERR_TRUNCATE;
	note_change((struct fault_file *)file, NULL, -1, size);
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* The real sync is spared: this test's card is the memory above. */
static int file_sync(sqlite3_file *file, int flags)
{
	(void)flags;
	if (fails())
		return SQLITE_IOERR_FSYNC;
	forget(((struct fault_file *)file)->path);
	return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
	return is_off() ? SQLITE_IOERR_FSTAT
			: real_of(file)->pMethods->xFileSize(real_of(file), out);
}

static int file_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int file_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int and_delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), and_delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* ---- the VFS's methods ---- */

static int vfs_open(
	sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct fault_file *f = (struct fault_file *)file;
	int rc;

	(void)vfs;
	memset(f, 0, sizeof *f);
	if (is_off() || (flags & SQLITE_OPEN_CREATE && name && access(name, F_OK) && fails()))
		return v.fault == FAULT_FULL ? SQLITE_FULL : SQLITE_CANTOPEN;
	f->real = sqlite3_malloc(v.real->szOsFile);
	if (!f->real)
		return SQLITE_NOMEM;
	memset(f->real, 0, (size_t)v.real->szOsFile);
	snprintf(f->path, sizeof f->path, "%s", name ? name : "");
	rc = v.real->xOpen(v.real, name, f->real, flags, out_flags);
	if (rc != SQLITE_OK) {
		sqlite3_free(f->real);
		f->real = NULL;
		return rc;
	}
	f->base.pMethods = &methods;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	if (fails())
		return SQLITE_IOERR_DELETE;
	forget(name);
	return v.real->xDelete(v.real, name, sync);
}

void fault_vfs_install(void)
{
	v.real = sqlite3_vfs_find(NULL);
	v.vfs = *v.real;
	v.vfs.pNext = NULL;
	v.vfs.zName = "fault";
	v.vfs.szOsFile = (int)sizeof(struct fault_file);
	v.vfs.xOpen = vfs_open;
	v.vfs.xDelete = vfs_delete;
	must(sqlite3_vfs_register(&v.vfs, 1) == SQLITE_OK);
}

void fault_vfs_arm(enum fault fault, int at, bool sticky)
{
	v.fault = fault;
	v.at = at;
	v.sticky = sticky;
	v.operations = 0;
	v.fired = false;
}

bool fault_vfs_fired(void)
{
	return v.fired;
}

int fault_vfs_operations(void)
{
	return v.operations;
}
