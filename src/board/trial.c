/* trial.c - the records of updates. */
#include "board/trial.h"

#include "base/file.h"
#include "board/lines.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RECORD_MAX_BYTES = 4096,
	REFUSED_MAX = 32,
	REFUSED_LINE_BYTES = 2 * DIGEST_WHOLE_BYTES + 1 + VERSION_BYTES,
	REFUSED_MAX_BYTES = 16384,
};

static enum status path_of(const char *box, const char *name, char *out, struct why *why)
{
	if (file_join(box, name, out, PATH_MAX) != STATUS_OK)
		return fail(why, STATUS_BAD_DATA, "folder '%.100s...': the path is too long", box);
	return STATUS_OK;
}

static enum status write_text(const char *path, const char *text, struct why *why)
{
	return file_replace(path, text, strlen(text), 0644, why);
}

/* ---- one bundle ---- */

static void parse(const char *text, struct trial *out)
{
	struct view name, value;

	while (lines_next(&text, &name, &value)) {
		if (view_equals(name, "slot"))
			out->slot = value.length ? *value.bytes : 0;
		else if (view_equals(name, "due"))
			out->due = view_equals(value, "1");
		else if (view_equals(name, "version"))
			lines_copy(value, out->version, sizeof out->version);
		else if (view_equals(name, "sha256"))
			lines_copy(value, out->hash, sizeof out->hash);
	}
}

static bool is_whole(const struct trial *t)
{
	return (t->slot == 'a' || t->slot == 'b') && strlen(t->hash) == sizeof t->hash - 1 &&
	       version_is_valid(t->version);
}

enum status trial_read(const char *box, const char *name, struct trial *out, struct why *why)
{
	char path[PATH_MAX], *text;
	struct trial found = {.slot = 0};
	size_t length;
	enum status s = path_of(box, name, path, why);

	if (s == STATUS_OK)
		s = file_read(path, RECORD_MAX_BYTES, &text, &length, why);
	if (s != STATUS_OK)
		return s == STATUS_FULL ? STATUS_NOT_FOUND : s;
	parse(text, &found);
	free(text);
	if (!is_whole(&found))
		return fail(why, STATUS_NOT_FOUND, "'%s' is damaged", path);
	*out = found;
	return STATUS_OK;
}

enum status trial_write(const char *box, const char *name, const struct trial *t, struct why *why)
{
	char path[PATH_MAX], text[256];
	enum status s = path_of(box, name, path, why);

	snprintf(text, sizeof text, "slot=%c\ndue=%d\nversion=%s\nsha256=%s\n", t->slot, t->due,
		t->version, t->hash);
	return s == STATUS_OK ? write_text(path, text, why) : s;
}

enum status trial_remove(const char *box, const char *name, struct why *why)
{
	char path[PATH_MAX];
	enum status s = path_of(box, name, path, why);

	if (s != STATUS_OK)
		return s;
	if (unlink(path) != 0)
		return errno == ENOENT ? STATUS_OK
				       : fail_errno(why, STATUS_IO, "remove '%s'", path);
	return file_sync_folder(box, why);
}

/* ---- the bundles that are refused ---- */

struct refused {
	unsigned count;
	struct {
		char hash[2 * DIGEST_WHOLE_BYTES + 1], version[VERSION_BYTES];
	} rows[REFUSED_MAX];
};

static void drop(struct refused *r, unsigned at)
{
	r->count--;
	memmove(&r->rows[at], &r->rows[at + 1], (r->count - at) * sizeof r->rows[0]);
}

static void append(struct refused *r, struct view hash, struct view version)
{
	if (r->count == REFUSED_MAX)
		drop(r, 0);
	if (lines_copy(hash, r->rows[r->count].hash, sizeof r->rows[0].hash) &&
		lines_copy(version, r->rows[r->count].version, sizeof r->rows[0].version))
		r->count++;
}

/* A file that cannot be ours counts as empty: it must not keep a box from all updates. */
static enum status load(const char *box, struct refused *out, struct why *why)
{
	char path[PATH_MAX], *text;
	const char *at;
	struct view hash, version;
	size_t length;
	enum status s = path_of(box, "refused", path, why);

	out->count = 0;
	if (s == STATUS_OK)
		s = file_read(path, REFUSED_MAX_BYTES, &text, &length, why);
	if (s == STATUS_NOT_FOUND || s == STATUS_FULL)
		return STATUS_OK;
	if (s != STATUS_OK)
		return s;
	at = text;
	while (lines_next(&at, &hash, &version))
		append(out, hash, version);
	free(text);
	return STATUS_OK;
}

static enum status save(const char *box, const struct refused *r, struct why *why)
{
	char path[PATH_MAX], text[REFUSED_MAX * REFUSED_LINE_BYTES + 1];
	size_t used = 0;
	enum status s = path_of(box, "refused", path, why);

	text[0] = '\0';
	for (unsigned i = 0; i < r->count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s=%s\n",
			r->rows[i].hash, r->rows[i].version);
	return s == STATUS_OK ? write_text(path, text, why) : s;
}

/* r->count where it is not there. */
static unsigned find(const struct refused *r, const char *hash)
{
	unsigned at = 0;

	while (at < r->count && strcmp(r->rows[at].hash, hash) != 0)
		at++;
	return at;
}

enum status refused_has(const char *box, const char *hash, bool *out, struct why *why)
{
	struct refused r;
	enum status s = load(box, &r, why);

	if (s == STATUS_OK)
		*out = find(&r, hash) < r.count;
	return s;
}

enum status refused_add(const char *box, const char *hash, const char *version, struct why *why)
{
	struct refused r;
	enum status s = load(box, &r, why);

	if (s != STATUS_OK || find(&r, hash) < r.count)
		return s;
	append(&r, view_of(hash, strlen(hash)), view_of(version, strlen(version)));
	return save(box, &r, why);
}

enum status refused_remove(const char *box, const char *hash, struct why *why)
{
	struct refused r;
	enum status s = load(box, &r, why);
	unsigned at;

	if (s != STATUS_OK || (at = find(&r, hash)) == r.count)
		return s;
	drop(&r, at);
	return save(box, &r, why);
}
