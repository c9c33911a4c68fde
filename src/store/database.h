/* database.h - SQLite opened our one way; private to store/. WAL, synchronous=FULL, 4 KiB pages, a small
 * page cache that spills, temporary files beside the database, statements prepared at first use and
 * kept. One connection belongs to one thread.
 *
 * A damaged database (SQLITE_CORRUPT, SQLITE_NOTADB, a failed check) shows as STATUS_FATAL; the file
 * PATH.suspect then makes the next database_open() look closely instead of trusting the first page. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

enum database_use {
	DATABASE_ALONE,	 /* one process, one connection: no shared-memory file */
	DATABASE_SHARED, /* we write, other processes read */
	DATABASE_READER, /* read-only */
};
enum { DATABASE_STATEMENTS = 64, DATABASE_PAGE_BYTES = 4096, DATABASE_FRAME_BYTES = 4096 + 24 };

struct database_kind {
	const char *name; /* "spool", "journal": for reasons */
	int32_t application_id, version;
	const char *schema; /* run once, in one transaction */
	/* What makes version 2 of version 1, 3 of 2, ...: version - 1 of them. An older database is brought up to
	 * date when its owner opens it, in one transaction. */
	const char *const *upgrades;
	const char *const *sql; /* statements by number */
	int cache_kib;
};

struct database {
	struct sqlite3 *handle; /* NULL: not open */
	const struct database_kind *kind;
	char *path;
	struct sqlite3_stmt *statements[DATABASE_STATEMENTS];
	unsigned wal_pages; /* in the write-ahead log after the last commit */
	bool created;
};

/* Opens or creates. STATUS_FATAL: damaged (set it aside); STATUS_BUSY: another process has it;
 * STATUS_DENIED: made by another program or a newer version; STATUS_NOT_FOUND: reader, no file. */
enum status database_open(struct database *d, const char *path, const struct database_kind *kind,
	enum database_use use, struct why *why) MUST_CHECK;
/* Leaves PATH.suspect: what was read makes no sense, the next open shall look closely. */
void database_suspect(const struct database *d);
/* PATH with a suffix, PATH_MAX bytes; false where it is too long. */
bool database_beside(const struct database *d, const char *suffix, char *out);
void database_close(struct database *d); /* a zeroed struct is fine */

/* Like database_open for a writer; a damaged database is first renamed to PATH.bad-YYYYMMDD-HHMMSS,
 * whose name (without folder) goes to set_aside (256 bytes). At most 4 such files are kept. */
enum status database_open_or_renew(struct database *d, const char *path,
	const struct database_kind *kind, enum database_use use, char *set_aside,
	struct why *why) MUST_CHECK;
/* The renaming by itself; the database is closed. */
enum status database_put_aside(const char *path, char *set_aside, struct why *why) MUST_CHECK;
/* How many set-aside databases lie beside `path`. */
unsigned database_count_set_aside(const char *path);

/* The statement `which`, prepared and reset. */
enum status database_statement(
	struct database *d, unsigned which, struct sqlite3_stmt **out, struct why *why) MUST_CHECK;
/* Steps: STATUS_OK at a row, STATUS_NOT_FOUND at the end (the statement is reset then, and on failure). */
enum status database_row(struct database *d, struct sqlite3_stmt *q, struct why *why) MUST_CHECK;
/* Runs a statement that gives no rows, and resets it. */
enum status database_do(struct database *d, struct sqlite3_stmt *q, struct why *why) MUST_CHECK;
/* The one number that statement `which` gives; STATUS_NOT_FOUND where it gives no row. */
enum status database_number(
	struct database *d, unsigned which, int64_t *out, struct why *why) MUST_CHECK;
enum status database_exec(struct database *d, const char *sql, struct why *why) MUST_CHECK;

/* Our status and words for an SQLite result code. */
enum status database_failed(struct database *d, int code, struct why *why) MUST_CHECK;

bool database_in_transaction(const struct database *d);
enum status database_begin(struct database *d, struct why *why) MUST_CHECK;
enum status database_commit(struct database *d, struct why *why) MUST_CHECK;
void database_rollback(
	struct database *d); /* no transaction is fine; cannot fail in a way that matters */

/* Moves the log's pages into the database file; without a reader in the way the next commit begins the
 * log anew. A reader in the way, or a full disk, is no failure: the log just stays. */
enum status database_checkpoint(struct database *d, struct why *why) MUST_CHECK;

/* SQLite's own check; `full` looks at indexes too. STATUS_BAD_DATA with the first complaint. */
enum status database_check(struct database *d, bool full, struct why *why) MUST_CHECK;

/* CRC-32 of numbers, least significant byte first: for lines whose change nothing else would show. */
uint32_t database_sum(const int64_t *values, int count);

/* Bind helpers: the bytes are lent until the statement is reset. Binding numbers and lent bytes
 * cannot fail, so nothing is returned. */
void bind_number(struct sqlite3_stmt *q, int place, int64_t value);
void bind_bytes(struct sqlite3_stmt *q, int place, const void *bytes, size_t length);
void bind_text(struct sqlite3_stmt *q, int place, const char *text);
