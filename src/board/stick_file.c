#include "board/stick_file.h"

#include "base/file.h"
#include "board/service_status.h"
#include "board/situation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FINAL_NAME  "scorebox-status.txt"
#define BESIDE_NAME "scorebox-status.tmp"

/* ---- the stick ---- */

static bool is_mount_point(const char *folder)
{
	char real_path[PATH_MAX];
	struct file_mount mount;

	return realpath(folder, real_path) && file_mount_of(real_path, FILE_MOUNTINFO, &mount) &&
	       !strcmp(mount.point, real_path);
}

enum status stick_folder_open(int *out_fd, const char *folder, struct why *why)
{
	struct stat here, above;

	if (!is_mount_point(folder))
		return fail(why, STATUS_NOT_FOUND, "nothing is mounted at '%s'", folder);

	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(why, STATUS_IO, "open '%s'", folder);
	/* It may have been pulled since: what is open now must be the stick, not the card below it. */
	if (fstat(fd, &here) || fstatat(fd, "..", &above, 0) || here.st_dev == above.st_dev) {
		close(fd);
		return fail(why, STATUS_NOT_FOUND, "nothing is mounted at '%s'", folder);
	}
	*out_fd = fd;
	return STATUS_OK;
}

/* ---- the text ---- */

struct out {
	int fd;
	bool failed;
	size_t length;
	char bytes[4096];
};

static void flush(struct out *o)
{
	for (size_t done = 0; done < o->length && !o->failed;) {
		ssize_t n = write(o->fd, o->bytes + done, o->length - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			o->failed = true;
	}
	o->length = 0;
}

static void put_byte(struct out *o, char c)
{
	if (o->length + 2 > sizeof o->bytes)
		flush(o);
	if (c == '\n')
		o->bytes[o->length++] = '\r';
	o->bytes[o->length++] = c;
}

static void put(struct out *o, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != '\r')
			put_byte(o, text[i]);
}

static void heading(struct out *o, const char *text)
{
	put(o, "\n", 1);
	put(o, text, strlen(text));
	put(o, "\n", 1);
}

static void new_line(struct out *o, int depth)
{
	put_byte(o, '\n');
	while (depth-- > 0)
		put(o, "  ", 2);
}

/* JSON with a member a line. What is no JSON comes out whole as well. */
static void put_json(struct out *o, const char *text)
{
	bool quoted = false;
	int depth = 0;

	for (const char *p = text; *p; p++) {
		if (quoted || !strchr("{}[],\"\n", *p)) {
			put_byte(o, *p);
			quoted &= *p != '"';
			if (quoted && *p == '\\' && p[1])
				put_byte(o, *++p);
		} else if (*p == '{' || *p == '[') {
			put_byte(o, *p);
			new_line(o, ++depth);
		} else if (*p == '}' || *p == ']') {
			new_line(o, --depth);
			put_byte(o, *p);
		} else if (*p == ',') {
			put_byte(o, *p);
			new_line(o, depth);
		} else if (*p == '"') {
			quoted = true;
			put_byte(o, *p);
		}
	}
	put_byte(o, '\n');
}

static void put_all(struct out *o, const struct stick_file *f)
{
	char text[SERVICE_STATUS_BYTES + 1];
	const char *tail = log_tail_last(f->tail, STICK_LOG_LINES);

	put(o, f->screen, strlen(f->screen));
	if (note_read(f->places->at[PLACE_TROUBLE], false, text, sizeof text) > 0) {
		heading(o, "What was found wrong with the card at the start");
		put(o, text, strlen(text));
	}
	if (note_read(f->places->at[PLACE_SETTINGS_LOG], false, text, sizeof text) > 0) {
		heading(o, "Lines of scorebox.env that were passed over");
		put(o, text, strlen(text));
	}
	if (note_read(f->status_path, true, text, sizeof text) > 0) {
		heading(o, "What the service says of itself (scorebox status)");
		put_json(o, text);
	}
	heading(o, "The last lines of the log (times are UTC)");
	put(o, tail, f->tail->length - (size_t)(tail - f->tail->text));
	flush(o);
}

/* ---- the file ---- */

static enum status status_of_errno(void)
{
	return errno == ENOSPC					     ? STATUS_FULL
	       : errno == EROFS || errno == EACCES || errno == EPERM ? STATUS_DENIED
								     : STATUS_IO;
}

/* The order of file_replace (base/file.c), and for its reason: FAT's new name leads to what was written only once the
 * file itself is synced after the rename; until then to the old content, which is kept by holding it open. */
static enum status put_in_place(int folder, int fd, struct why *why)
{
	int before = openat(folder, FINAL_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum status s = STATUS_OK;

	if (renameat(folder, BESIDE_NAME, folder, FINAL_NAME)) {
		s = fail_errno(why, status_of_errno(), "replace '%s'", FINAL_NAME);
	} else {
		(void)fsync(folder); /* some file systems cannot; the next time tells */
		if (fsync(fd))
			s = fail_errno(why, status_of_errno(), "sync '%s'", FINAL_NAME);
	}
	if (before >= 0)
		close(before);
	return s;
}

static enum status write_file(int folder, const struct stick_file *f, struct why *why)
{
	struct out o = {.failed = false};

	if (unlinkat(folder, BESIDE_NAME, 0) && errno != ENOENT)
		return fail_errno(why, status_of_errno(), "remove '%s'", BESIDE_NAME);
	o.fd = openat(
		folder, BESIDE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (o.fd < 0)
		return fail_errno(why, status_of_errno(), "create '%s'", BESIDE_NAME);
	put_all(&o, f);

	enum status s = STATUS_OK;

	if (o.failed || fsync(o.fd))
		s = fail_errno(why, status_of_errno(), "write '%s'", BESIDE_NAME);
	if (s == STATUS_OK)
		s = put_in_place(folder, o.fd, why);
	close(o.fd);
	if (s != STATUS_OK)
		unlinkat(folder, BESIDE_NAME, 0);
	return s;
}

enum status stick_file_write(const struct stick_file *f, struct why *why)
{
	int folder;
	enum status s = stick_folder_open(&folder, f->places->at[PLACE_STICK], why);

	if (s != STATUS_OK)
		return s;
	s = write_file(folder, f, why);
	close(folder);
	return s == STATUS_OK ? s : why_prefix(why, s, "%s", f->places->at[PLACE_STICK]);
}
