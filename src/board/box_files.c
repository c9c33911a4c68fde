#include "board/box_files.h"

#include "base/clock.h"
#include "base/file.h"
#include "board/situation.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status append(
	int fd, const char *path, const char *lines, size_t length, struct why *why)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = write(fd, lines + done, length - done);

		if (n <= 0)
			return fail_errno(why, STATUS_IO, "write '%s'", path);
		done += (size_t)n;
	}
	return STATUS_OK;
}

static int open_log(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
}

enum status box_log_append(
	const struct places *p, const char *lines, size_t length, struct why *why)
{
	const char *path = p->at[PLACE_BOX_LOG];
	int fd = open_log(path);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size + (off_t)length > BOX_LOG_BYTES) {
		close(fd);
		if (rename(path, p->at[PLACE_BOX_LOG_OLD]))
			return fail_errno(why, STATUS_IO, "rename '%s'", path);
		fd = open_log(path);
	}
	if (fd < 0)
		return fail_errno(why, STATUS_IO, "open '%s'", path);

	enum status s = append(fd, path, lines, length, why);

	/* What was said before a reset is what is wanted after it. */
	if (s == STATUS_OK && fdatasync(fd))
		s = fail_errno(why, STATUS_IO, "sync '%s'", path);
	close(fd);
	return s;
}

enum status box_save_clock(const struct places *p, struct why *why)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld\n", (long long)(clock_wall_us() / 1000000));

	return file_replace(p->at[PLACE_BOX_CLOCK], text, (size_t)n, 0644, why);
}

void box_read_deaths(const struct places *p, struct deaths *out)
{
	char text[32];

	note_read(p->at[PLACE_BOX_DEATHS], false, text, sizeof text);
	deaths_read(out, text);
}

enum status box_save_deaths(const struct places *p, const struct deaths *d, struct why *why)
{
	char text[32];

	deaths_text(d, text, sizeof text);
	return file_replace(p->at[PLACE_BOX_DEATHS], text, strlen(text), 0644, why);
}

static const char *good_mark(const struct places *p, char slot)
{
	return slot == 'a' ? p->at[PLACE_BOX_GOOD_A] : slot == 'b' ? p->at[PLACE_BOX_GOOD_B] : NULL;
}

bool box_was_good(const struct places *p, char slot)
{
	const char *path = good_mark(p, slot);

	return path && access(path, F_OK) == 0;
}

enum status box_mark_good(const struct places *p, char slot, struct why *why)
{
	const char *path = good_mark(p, slot);

	/* Cards wear: a mark that is there stays as it is. */
	return !path || box_was_good(p, slot) ? STATUS_OK : file_replace(path, "", 0, 0644, why);
}

void box_unmark_good(const struct places *p, char slot)
{
	const char *path = good_mark(p, slot);

	if (path)
		unlink(path); /* one that stays costs a trial of that slot at worst */
}
