/* How a database is opened: settings, the check that an unclean end or a suspicion calls for, the schema. */
#include "store/database.h"

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beyond this an unclean database is not read whole at the start: a card gives 20 MB/s. */
static const off_t check_up_to_bytes = 64ll << 20;
static const int busy_wait_ms = 5000;

static pthread_once_t configured = PTHREAD_ONCE_INIT;

/* MULTITHREAD: connections are never shared between threads, so they need no mutex of their own. The
 * sorter would otherwise take 250 pages before it spills. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_PMASZ, 16u);
	/* Here, once: spool and journal are opened at the same time, by two threads. What it fails with, opening
	 * fails with too. */
	(void)sqlite3_initialize();
}

/* Sorting spills into the folder of the database: /tmp may be memory. SQLite keeps one such folder for
 * the process; a process has one journal. */
static void put_temporary_files_beside(const char *path)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	const char *slash = strrchr(path, '/');
	char *folder = slash ? sqlite3_mprintf("%.*s", (int)(slash - path + 1), path)
			     : sqlite3_mprintf(".");

	pthread_mutex_lock(&mutex);
	if (folder && (!sqlite3_temp_directory || strcmp(folder, sqlite3_temp_directory))) {
		sqlite3_free(sqlite3_temp_directory);
		sqlite3_temp_directory = folder;
		folder = NULL;
	}
	pthread_mutex_unlock(&mutex);
	sqlite3_free(folder);
}

static int note_wal(void *context, sqlite3 *handle, const char *schema, int pages)
{
	struct database *d = context;

	(void)handle;
	(void)schema;
	d->wal_pages = (unsigned)pages;
	return SQLITE_OK;
}

static enum status read_pragma(struct database *d, const char *sql, int64_t *out, struct why *why)
{
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v2(d->handle, sql, -1, &q, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(q);
	enum status s = code == SQLITE_ROW ? STATUS_OK : database_failed(d, code, why);
	if (s == STATUS_OK)
		*out = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return s;
}

/* The order matters: the lock mode stands before the first read (else WAL makes a shared-memory file),
 * and the page size before WAL. */
static enum status set_up(struct database *d, enum database_use use, struct why *why)
{
	char cache[64];
	enum status s = STATUS_OK;

	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_LOOKASIDE, NULL, 128, 100);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_busy_timeout(d->handle, use == DATABASE_ALONE ? 0 : busy_wait_ms);
	snprintf(cache, sizeof cache, "PRAGMA cache_size=-%d", d->kind->cache_kib);
	if (use == DATABASE_ALONE)
		s = database_exec(d, "PRAGMA locking_mode=EXCLUSIVE", why);
	if (s == STATUS_OK)
		s = database_exec(d,
			"PRAGMA temp_store=FILE; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF",
			why);
	if (s == STATUS_OK)
		s = database_exec(d, cache, why);
	if (s != STATUS_OK || use == DATABASE_READER)
		return s;
	s = database_exec(
		d, "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", why);
	if (s == STATUS_OK)
		s = database_exec(d, "PRAGMA wal_autocheckpoint=0", why);
	sqlite3_wal_hook(d->handle, note_wal, d);
	return s;
}

/* Nothing of what was begun stays where a part fails, or the power goes. */
static enum status end_schema(struct database *d, enum status s, const char *mark, struct why *why)
{
	if (s == STATUS_OK)
		s = database_exec(d, mark, why);
	if (s == STATUS_OK)
		s = database_commit(d, why);
	if (s != STATUS_OK)
		database_rollback(d);
	return s;
}

static enum status upgrade(struct database *d, int64_t version, struct why *why)
{
	char mark[64];
	enum status s = database_begin(d, why);

	snprintf(mark, sizeof mark, "PRAGMA user_version=%d", (int)d->kind->version);
	for (; s == STATUS_OK && version < d->kind->version; version++)
		s = database_exec(d, d->kind->upgrades[version - 1], why);
	return end_schema(d, s, mark, why);
}

static enum status make_schema(struct database *d, struct why *why)
{
	char mark[96];

	snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d",
		(int)d->kind->application_id, (int)d->kind->version);
	enum status s = database_begin(d, why);
	if (s == STATUS_OK)
		s = database_exec(d, d->kind->schema, why);
	s = end_schema(d, s, mark, why);
	if (s == STATUS_OK)
		d->created = true;
	return s;
}

static enum status look_at_version(struct database *d, enum database_use use, struct why *why)
{
	int64_t application = 0, version = 0, tables = 0;
	enum status s = read_pragma(d, "PRAGMA application_id", &application, why);

	if (s == STATUS_OK)
		s = read_pragma(d, "PRAGMA user_version", &version, why);
	if (s == STATUS_OK)
		s = read_pragma(d, "SELECT count(*) FROM sqlite_master", &tables, why);
	if (s != STATUS_OK)
		return s;
	if (!tables && !application && use != DATABASE_READER)
		return make_schema(d, why);
	if (application != d->kind->application_id)
		return fail(why, STATUS_DENIED, "'%s' is no %s of ours: move it away", d->path,
			d->kind->name);
	if (version >= 1 && version < d->kind->version && use != DATABASE_READER)
		return upgrade(d, version, why);
	if (version != d->kind->version)
		return fail(why, STATUS_DENIED,
			"%s '%s' has version %lld, this program knows %d: update it", d->kind->name,
			d->path, (long long)version, (int)d->kind->version);
	return STATUS_OK;
}

/* A log left behind means that the last owner did not close: power cut, kill. */
static bool wants_check(const struct database *d)
{
	char name[PATH_MAX];
	struct stat log, file;

	if (!database_beside(d, "-wal", name) || stat(name, &log) || !log.st_size)
		return false;
	return !stat(d->path, &file) && file.st_size + log.st_size <= check_up_to_bytes;
}

static enum status check_at_open(struct database *d, bool unclean, struct why *why)
{
	char mark[PATH_MAX];
	bool suspect = database_beside(d, ".suspect", mark) && !access(mark, F_OK);
	enum status s = STATUS_OK;

	if (suspect || unclean)
		s = database_check(d, suspect, why);
	if (s == STATUS_BAD_DATA)
		return STATUS_FATAL;
	if (s == STATUS_OK && suspect)
		unlink(mark);
	return s;
}

enum status database_open(struct database *d, const char *path, const struct database_kind *kind,
	enum database_use use, struct why *why)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	enum status s;

	pthread_once(&configured, configure);
	flags |= use == DATABASE_READER ? SQLITE_OPEN_READONLY
					: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	memset(d, 0, sizeof *d);
	d->kind = kind;
	if (use == DATABASE_READER && access(path, F_OK))
		return fail_errno(why, STATUS_NOT_FOUND, "open %s '%s'", kind->name, path);
	d->path = strdup(path);
	if (!d->path)
		return fail(why, STATUS_NO_MEMORY, "open %s '%s': out of memory", kind->name, path);
	bool unclean = use != DATABASE_READER && wants_check(d);
	if (use != DATABASE_ALONE)
		put_temporary_files_beside(path);
	int code = sqlite3_open_v2(path, &d->handle, flags, NULL);
	s = code == SQLITE_OK ? set_up(d, use, why) : database_failed(d, code, why);
	if (s == STATUS_OK && use != DATABASE_READER)
		s = check_at_open(d, unclean, why);
	if (s == STATUS_OK)
		s = look_at_version(d, use, why);
	if (s != STATUS_OK)
		database_close(d);
	return s;
}
