#include "store/database.h"

#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static enum status status_of(int code)
{
	if (code == SQLITE_IOERR_NOMEM)
		return STATUS_NO_MEMORY;
	switch (code & 0xff) {
	case SQLITE_FULL:
		return STATUS_FULL;
	case SQLITE_NOMEM:
		return STATUS_NO_MEMORY;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return STATUS_BUSY;
	case SQLITE_TOOBIG:
		return STATUS_BAD_DATA;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:
	case SQLITE_ERROR:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return STATUS_FATAL;
	default:
		return STATUS_IO;
	}
}

bool database_beside(const struct database *d, const char *suffix, char *out)
{
	int n = snprintf(out, PATH_MAX, "%s%s", d->path, suffix);

	return n > 0 && n < PATH_MAX;
}

/* Best effort: without the mark the next open still checks what was not closed cleanly. */
void database_suspect(const struct database *d)
{
	char path[PATH_MAX];

	if (database_beside(d, ".suspect", path)) {
		int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		if (fd >= 0)
			close(fd);
	}
}

enum status database_failed(struct database *d, int code, struct why *why)
{
	int base = code & 0xff;
	bool damaged = base == SQLITE_CORRUPT || base == SQLITE_NOTADB || base == SQLITE_CONSTRAINT;
	const char *told = base == SQLITE_NOMEM ? "out of memory" : sqlite3_errmsg(d->handle);

	if (damaged)
		database_suspect(d);
	return fail(why, status_of(code), "%s '%s': %s (SQLite %d)", d->kind->name, d->path, told,
		code);
}

void bind_number(struct sqlite3_stmt *q, int place, int64_t value)
{
	sqlite3_bind_int64(q, place, value);
}

void bind_bytes(struct sqlite3_stmt *q, int place, const void *bytes, size_t length)
{
	sqlite3_bind_blob64(q, place, bytes ? bytes : "", length, SQLITE_STATIC);
}

void bind_text(struct sqlite3_stmt *q, int place, const char *text)
{
	sqlite3_bind_text(q, place, text, -1, SQLITE_STATIC);
}

enum status database_statement(
	struct database *d, unsigned which, struct sqlite3_stmt **out, struct why *why)
{
	sqlite3_stmt *q = d->statements[which];

	if (!q) {
		int code = sqlite3_prepare_v3(
			d->handle, d->kind->sql[which], -1, SQLITE_PREPARE_PERSISTENT, &q, NULL);

		if (code != SQLITE_OK)
			return database_failed(d, code, why);
		d->statements[which] = q;
	} else {
		sqlite3_reset(q);
	}
	*out = q;
	return STATUS_OK;
}

enum status database_row(struct database *d, struct sqlite3_stmt *q, struct why *why)
{
	int code = sqlite3_step(q);

	if (code == SQLITE_ROW)
		return STATUS_OK;
	if (code == SQLITE_DONE) {
		sqlite3_reset(q);
		return STATUS_NOT_FOUND;
	}
	/* The words belong to the last call: take them before the reset. */
	enum status s = database_failed(d, code, why);
	sqlite3_reset(q);
	return s;
}

enum status database_do(struct database *d, struct sqlite3_stmt *q, struct why *why)
{
	enum status s = database_row(d, q, why);

	if (s == STATUS_OK)
		sqlite3_reset(q);
	return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

enum status database_number(struct database *d, unsigned which, int64_t *out, struct why *why)
{
	sqlite3_stmt *q = NULL;
	enum status s = database_statement(d, which, &q, why);

	if (s == STATUS_OK)
		s = database_row(d, q, why);
	if (s == STATUS_OK) {
		*out = sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
	}
	return s;
}

enum status database_exec(struct database *d, const char *sql, struct why *why)
{
	int code = sqlite3_exec(d->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? STATUS_OK : database_failed(d, code, why);
}

bool database_in_transaction(const struct database *d)
{
	return !sqlite3_get_autocommit(d->handle);
}

enum status database_begin(struct database *d, struct why *why)
{
	return database_exec(d, "BEGIN IMMEDIATE", why);
}

enum status database_commit(struct database *d, struct why *why)
{
	return database_exec(d, "COMMIT", why);
}

void database_rollback(struct database *d)
{
	if (d->handle && database_in_transaction(d))
		sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);
}

enum status database_checkpoint(struct database *d, struct why *why)
{
	int in_log = -1, moved = -1;
	int code = sqlite3_wal_checkpoint_v2(
		d->handle, "main", SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);

	switch (code & 0xff) {
	case SQLITE_OK:
		if (in_log >= 0 && moved == in_log)
			d->wal_pages = 0;
		return STATUS_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
		return STATUS_OK;
	default:
		return database_failed(d, code, why);
	}
}

enum status database_check(struct database *d, bool full, struct why *why)
{
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v2(d->handle,
		full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", -1, &q, NULL);
	enum status s = STATUS_OK;

	if (code == SQLITE_OK)
		code = sqlite3_step(q);
	if (code == SQLITE_ROW) {
		const char *said = (const char *)sqlite3_column_text(q, 0);

		if (!said)
			s = fail(why, STATUS_NO_MEMORY, "check %s '%s': out of memory",
				d->kind->name, d->path);
		else if (strcmp(said, "ok"))
			s = fail(why, STATUS_BAD_DATA, "%s '%s' is damaged: %s", d->kind->name,
				d->path, said);
	} else {
		s = database_failed(d, code, why);
		if (s == STATUS_FATAL)
			s = STATUS_BAD_DATA;
	}
	sqlite3_finalize(q);
	return s;
}

uint32_t database_sum(const int64_t *values, int count)
{
	uLong sum = crc32(0, NULL, 0);

	for (int i = 0; i < count; i++) {
		uint8_t bytes[8];

		for (int n = 0; n < 8; n++)
			bytes[n] = (uint8_t)((uint64_t)values[i] >> n * 8);
		sum = crc32(sum, bytes, sizeof bytes);
	}
	return (uint32_t)sum;
}

void database_close(struct database *d)
{
	for (unsigned i = 0; i < DATABASE_STATEMENTS; i++)
		sqlite3_finalize(d->statements[i]);
	database_rollback(d);
	sqlite3_close_v2(d->handle);
	free(d->path);
	memset(d, 0, sizeof *d);
}
