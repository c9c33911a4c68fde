/* seal.c - secrets from a file on FAT to a folder of their own. */
#include "board/seal.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NAME OFFSET LENGTH, a newline, the line's bytes. */
static const char record_name[] = ".sealing";
enum { NAME_BYTES = 64, RECORD_BYTES = 68 * 1024 };

struct record {
	char name[NAME_BYTES];
	uintmax_t offset, length;
	const char *line;
};

/* ---- files of the folder ---- */

static enum status path_of(const struct seal *s, const char *name, const char *suffix,
	char path[PATH_MAX], struct why *why)
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s", s->folder, name, suffix);

	if (n < 0 || n >= PATH_MAX)
		return fail(why, STATUS_BAD_DATA, "folder '%.100s...': the path is too long",
			s->folder);
	return STATUS_OK;
}

static enum status write_file(
	const struct seal *s, const char *path, const char *bytes, size_t length, struct why *why)
{
	int fd;

	/* What an earlier power cut left. */
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_errno(why, STATUS_IO, "remove '%s'", path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0)
		return fail_errno(why, STATUS_IO, "create '%s'", path);

	bool good = fchown(fd, s->owner, s->group) == 0 &&
		    write(fd, bytes, length) == (ssize_t)length;
	int failed = errno;

	close(fd);
	if (good)
		return STATUS_OK;
	unlink(path);
	errno = failed;
	return fail_errno(why, STATUS_IO, "write '%s'", path);
}

static enum status verify(const char *path, const char *bytes, size_t length, struct why *why)
{
	char *read = NULL;
	size_t read_length = 0;
	enum status status = file_read(path, length, &read, &read_length, why);

	if (status == STATUS_OK && (read_length != length || memcmp(read, bytes, length) != 0))
		status = fail(why, STATUS_IO, "'%s' does not read as it was written", path);
	if (read)
		explicit_bzero(read, read_length);
	free(read);
	return status;
}

static enum status put(
	const struct seal *s, const char *name, const char *bytes, size_t length, struct why *why)
{
	char temporary[PATH_MAX], path[PATH_MAX];
	enum status status = path_of(s, name, ".tmp", temporary, why);

	if (status == STATUS_OK)
		status = path_of(s, name, "", path, why);
	if (status == STATUS_OK)
		status = write_file(s, temporary, bytes, length, why);
	if (status == STATUS_OK)
		status = file_publish(temporary, path, why);
	return status == STATUS_OK ? verify(path, bytes, length, why) : status;
}

static enum status forget(const struct seal *s, struct why *why)
{
	char path[PATH_MAX];
	enum status status = path_of(s, record_name, "", path, why);

	if (status != STATUS_OK)
		return status;
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_errno(why, STATUS_IO, "remove '%s'", path);
	return file_sync_folder(s->folder, why);
}

/* ---- the line ---- */

static void comment(const char *name, char *out, size_t length)
{
	char text[NAME_BYTES + 32];
	size_t n = (size_t)snprintf(text, sizeof text, "# %s is sealed on the card", name);

	memset(out, ' ', length);
	memcpy(out, text, n < length ? n : length);
}

/* Ends when the comment is on the card and the record gone. */
static enum status overwrite(
	const struct seal *s, const char *text, size_t length, off_t offset, struct why *why)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = pwrite(s->fd, text + done, length - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_errno(why, STATUS_IO, "overwrite a line of the settings file");
		done += (size_t)n;
	}
	if (fsync(s->fd) != 0)
		return fail_errno(why, STATUS_IO, "sync the settings file");
	return forget(s, why);
}

enum status seal_store(const struct seal *s, const char *name, const char *value, struct why *why)
{
	return put(s, name, value, strlen(value), why);
}

enum status seal_blot(const struct seal *s, const char *name, const char *line, size_t length,
	off_t offset, struct why *why)
{
	char *record = malloc(RECORD_BYTES);
	enum status status;
	int head;

	if (!record)
		return fail(why, STATUS_NO_MEMORY, "out of memory");
	head = snprintf(record, RECORD_BYTES, "%s %jd %zu\n", name, (intmax_t)offset, length);
	if ((size_t)head + length > RECORD_BYTES) {
		free(record);
		return fail(why, STATUS_FULL, "the line of %s is too long", name);
	}
	memcpy(record + head, line, length);
	status = put(s, record_name, record, (size_t)head + length, why);
	if (status == STATUS_OK) {
		comment(name, record + head, length);
		status = overwrite(s, record + head, length, offset, why);
	}
	explicit_bzero(record, RECORD_BYTES);
	free(record);
	return status;
}

/* ---- what a power cut left ---- */

/* False: it is none of ours. */
static bool read_record(const char *bytes, size_t length, struct record *out)
{
	int head = 0;

	if (sscanf(bytes, "%63s %ju %ju%n", out->name, &out->offset, &out->length, &head) != 3 ||
		bytes[head] != '\n')
		return false;
	out->line = bytes + head + 1;
	return out->length == length - (size_t)head - 1;
}

/* A card may have written any of the line's sectors, and none of the others. Another byte: somebody has edited
 * the file since. */
static bool is_remains(const char *text, const char *before, const char *after, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != before[i] && text[i] != after[i])
			return false;
	return true;
}

static enum status resume(const struct seal *s, const char *bytes, size_t bytes_length, char *text,
	size_t length, bool *waits, struct why *why)
{
	struct record r;
	char *after;
	enum status status = STATUS_OK;

	if (!read_record(bytes, bytes_length, &r) || r.offset > length ||
		r.length > length - r.offset)
		return forget(s, why);
	after = malloc(r.length + 1);
	if (!after)
		return fail(why, STATUS_NO_MEMORY, "out of memory");
	comment(r.name, after, r.length);
	if (!is_remains(text + r.offset, r.line, after, r.length)) {
		status = forget(s, why);
	} else {
		memcpy(text + r.offset, after, r.length);
		*waits = s->fd < 0;
		if (!*waits)
			status = overwrite(s, after, r.length, (off_t)r.offset, why);
	}
	free(after);
	return status;
}

static enum status look_for_record(
	const struct seal *s, char *text, size_t length, bool *waits, struct why *why)
{
	char path[PATH_MAX], *bytes = NULL;
	size_t bytes_length = 0;
	enum status status = path_of(s, record_name, "", path, why);

	if (status == STATUS_OK)
		status = file_read(path, RECORD_BYTES, &bytes, &bytes_length, why);
	if (status == STATUS_NOT_FOUND)
		return STATUS_OK;
	if (status != STATUS_OK)
		return status;
	status = resume(s, bytes, bytes_length, text, length, waits, why);
	explicit_bzero(bytes, bytes_length);
	free(bytes);
	return status;
}

enum status seal_open(struct seal *out, const char *folder, const char *file, char *text,
	size_t length, bool *waits, struct why *why)
{
	struct seal s = {.folder = folder, .fd = -1};
	struct stat st;
	enum status status;

	*waits = false;
	if (stat(folder, &st) != 0)
		return fail_errno(why, STATUS_NOT_FOUND, "folder '%s'", folder);
	s.owner = st.st_uid;
	s.group = st.st_gid;
	s.fd = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	status = look_for_record(&s, text, length, waits, why);
	if (status == STATUS_OK)
		*out = s;
	else
		seal_close(&s);
	return status;
}

void seal_close(struct seal *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
