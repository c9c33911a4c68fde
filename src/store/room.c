#include "store/room.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t kib = 1024, mib = 1024 * 1024;
static const uint64_t smallest_cap = 1024 * 1024;

static uint64_t between(uint64_t low, uint64_t value, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static bool ballast_name(const struct database *d, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s.ballast", d->path);

	return n > 0 && n < PATH_MAX;
}

/* posix_fallocate: the blocks are ours without being written. A card too full for it already is the
 * state card_full, no failure; a file system that cannot reserve just goes without ballast. */
static bool hold_ballast(const struct room *r, const struct database *d)
{
	char name[PATH_MAX];
	struct stat st;
	int failed = 0;

	if (!ballast_name(d, name))
		return true;
	int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno != ENOSPC && errno != EDQUOT;
	if (fstat(fd, &st) || (uint64_t)st.st_blocks * 512 < r->ballast_bytes)
		failed = posix_fallocate(fd, 0, (off_t)r->ballast_bytes);
	if (failed && ftruncate(fd, 0))
		unlink(name);
	close(fd);
	return failed != ENOSPC && failed != EDQUOT;
}

static void set_limit(struct room *r, struct database *d)
{
	char sql[64];
	int64_t limit = r->card_full ? r->pages : r->max_pages;

	/* Never 0, which SQLite takes for a question; a second line of defence behind room_pages_left. */
	snprintf(sql, sizeof sql, "PRAGMA max_page_count=%lld",
		(long long)(limit < 16 ? 16 : limit));
	sqlite3_exec(d->handle, sql, NULL, NULL, NULL);
}

enum status room_setup(struct room *r, struct database *d, uint64_t cap, unsigned share,
	unsigned log_share, struct why *why)
{
	uint64_t free_bytes = 0, total = 0;
	enum status s = file_space(d->path, &free_bytes, &total, why);

	if (s != STATUS_OK)
		return s;
	if (cap > total / share)
		cap = total / share;
	if (cap < smallest_cap)
		cap = smallest_cap;
	r->cap = cap;
	r->ballast_bytes = between(128 * kib, cap / 16, 1 * mib);
	r->commit_bytes = between(64 * kib, cap / 64, 256 * kib);
	uint64_t checkpoint = between(64 * kib, cap / 16, 4 * mib);
	uint64_t large_row = between(0, cap / 4, 2 * mib) + 64 * kib;
	uint64_t busy = checkpoint + 2 * r->commit_bytes;
	r->log_bytes = busy > large_row ? busy : large_row;
	if (log_share && r->log_bytes < cap / log_share)
		r->log_bytes = cap / log_share;
	r->checkpoint_pages = (unsigned)(checkpoint / DATABASE_FRAME_BYTES);
	r->max_pages = (int64_t)((cap - r->ballast_bytes - r->log_bytes) / DATABASE_PAGE_BYTES);
	s = room_refresh(r, d, why);
	if (s != STATUS_OK)
		return s;
	r->card_full = !hold_ballast(r, d);
	set_limit(r, d);
	char sql[64];
	snprintf(sql, sizeof sql, "PRAGMA journal_size_limit=%llu", (unsigned long long)busy);
	return database_exec(d, sql, why);
}

static int64_t ask(struct database *d, const char *sql, int *code)
{
	sqlite3_stmt *q = NULL;
	int64_t value = 0;

	if (*code != SQLITE_ROW)
		return 0;
	*code = sqlite3_prepare_v2(d->handle, sql, -1, &q, NULL);
	if (*code == SQLITE_OK)
		*code = sqlite3_step(q);
	if (*code == SQLITE_ROW)
		value = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return value;
}

enum status room_refresh(struct room *r, struct database *d, struct why *why)
{
	int code = SQLITE_ROW;
	int64_t pages = ask(d, "PRAGMA page_count", &code);
	int64_t unused = ask(d, "PRAGMA freelist_count", &code);

	if (code != SQLITE_ROW)
		return database_failed(d, code, why);
	r->pages = pages;
	r->free_pages = unused;
	return STATUS_OK;
}

static int64_t limit_of(const struct room *r)
{
	return r->card_full || r->pages > r->max_pages ? r->pages : r->max_pages;
}

int64_t room_pages_left(const struct room *r)
{
	return limit_of(r) - r->pages + r->free_pages;
}

uint64_t room_most_bytes(const struct room *r)
{
	return (uint64_t)limit_of(r) * DATABASE_PAGE_BYTES;
}

bool room_log_is_long(const struct room *r, const struct database *d)
{
	return (uint64_t)d->wal_pages * DATABASE_FRAME_BYTES > r->log_bytes - r->commit_bytes;
}

uint64_t room_used_bytes(const struct room *r)
{
	return (uint64_t)(r->pages - r->free_pages) * DATABASE_PAGE_BYTES;
}

int64_t room_pages_for(uint64_t bytes)
{
	return (int64_t)(bytes / (DATABASE_PAGE_BYTES - 4)) + 2;
}

void room_card_is_full(struct room *r, struct database *d)
{
	char name[PATH_MAX];
	struct why ignored;

	if (ballast_name(d, name) && truncate(name, 0))
		unlink(name);
	/* Where even this fails the old figures stay: they only ever err towards "full". */
	if (room_refresh(r, d, &ignored) != STATUS_OK)
		r->free_pages = 0;
	r->card_full = true;
	set_limit(r, d);
}

/* Twice the ballast and a full log must fit: giving up and taking back at every commit helps nobody. */
void room_look_again(struct room *r, struct database *d)
{
	uint64_t free_bytes = 0, total = 0;
	struct why ignored;

	if (!r->card_full || file_space(d->path, &free_bytes, &total, &ignored) != STATUS_OK)
		return;
	if (free_bytes < 2 * r->ballast_bytes + r->log_bytes || !hold_ballast(r, d))
		return;
	r->card_full = false;
	set_limit(r, d);
}
