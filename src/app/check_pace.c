/* check_pace.c - what the poller knows of quota and blocks: from the spool, or, where a daemon runs
 * on it or it is another user's, from the status that the daemon writes. */
#include "app/check.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "service/poller.h"
#include "service/service.h"
#include "store/spool.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_BYTES = 64 * 1024 };

static enum status read_note(
	const struct config *config, const char *path, char *out, size_t out_bytes)
{
	static const uint8_t no_run[RUN_BYTES];
	struct spool_opening opening;
	struct spool *spool;
	struct why why;
	enum status s = spool_open(&spool, path, service_spool_cap(config), config->spool_full,
		no_run, &opening, &why);

	if (s != STATUS_OK) {
		log_warn("spool.unread", "%s; the poller's memory is not shown", why.text);
		return s;
	}
	if (*opening.set_aside)
		log_error("spool.damaged",
			"the spool was damaged and is set aside as '%s'; what waited in it was not "
			"sent; a new one is begun",
			opening.set_aside);
	s = spool_note_get(spool, POLLER_PACE_NOTE, out, out_bytes, &why);
	spool_close(spool);
	return s;
}

static bool is(struct view v, const char *name)
{
	return v.length == strlen(name) && !memcmp(v.bytes, name, v.length);
}

static void take_number(struct pace *p, struct view key, struct view text)
{
	int64_t n = strtoll(text.bytes, NULL, 10); /* a NUL ends the file's text */

	if (is(key, "hits_today"))
		p->hits_today = n;
	else if (is(key, "hits_limit"))
		p->hits_limit = n;
	else if (is(key, "pages_per_sweep") && n > 0 && n <= UINT32_MAX)
		p->pages_per_sweep = (unsigned)n;
}

static void take_string(struct pace *p, struct view key, struct view text)
{
	int64_t us;

	if (is(key, "blocked_until") && clock_parse(text.bytes, text.length, &us) == STATUS_OK)
		p->blocked_until_us = us;
	else if (is(key, "blocked_why"))
		snprintf(p->blocked_why, sizeof p->blocked_why, "%.*s", (int)text.length,
			text.bytes);
}

/* False: that is no status. */
static bool read_status_text(struct pace *p, const char *text, size_t length)
{
	struct view key = {0};
	struct json j;
	enum json_event e;

	json_start(&j);
	json_feed(&j, text, length);
	while ((e = json_next(&j)) != JSON_MORE && e != JSON_BAD) {
		if (e == JSON_KEY)
			key = j.text;
		else if (e == JSON_NUMBER)
			take_number(p, key, j.text);
		else if (e == JSON_STRING)
			take_string(p, key, j.text);
	}
	return e == JSON_MORE;
}

static bool read_status(const char *folder, struct pace *p)
{
	char path[PATH_MAX], *text;
	size_t length;
	struct why why;
	bool known;

	if (file_join(folder, SERVICE_STATUS_FILE, path, sizeof path) != STATUS_OK ||
		file_read(path, STATUS_BYTES, &text, &length, &why) != STATUS_OK)
		return false;
	known = read_status_text(p, text, length) && p->hits_limit > 0;
	free(text);
	return known;
}

static bool has_spool(const char *folder, char *path, size_t path_bytes)
{
	return file_join(folder, SERVICE_SPOOL_FILE, path, path_bytes) == STATUS_OK &&
	       access(path, R_OK | W_OK) == 0;
}

/* Opening a spool may set a damaged one aside and begin another, and takes the lock that a daemon wants which
 * starts right then: for its own user alone. */
static bool is_anothers(const char *folder)
{
	struct stat st;

	return stat(folder, &st) == 0 && st.st_uid != geteuid();
}

static bool read_anothers(const char *folder, struct pace *p)
{
	char path[PATH_MAX];

	if (file_join(folder, SERVICE_STATUS_FILE, path, sizeof path) != STATUS_OK ||
		access(path, R_OK) != 0)
		log_warn("spool.unread",
			"'%s' is another user's and has no " SERVICE_STATUS_FILE
			"; the poller's memory is not shown before its daemon has run",
			folder);
	return read_status(folder, p);
}

/* The service of the Debian package has its folder below the usual one. */
bool check_pace(const struct config *config, struct pace *out)
{
	char path[PATH_MAX], below[PATH_MAX], note[512];
	const char *folder = config->state_dir;
	struct why why;
	pid_t holder;
	int lock;

	pace_init(out);
	if (!has_spool(folder, path, sizeof path)) {
		if (file_join(folder, "produce", below, sizeof below) != STATUS_OK ||
			!has_spool(below, path, sizeof path))
			return false;
		folder = below;
	}
	if (is_anothers(folder))
		return read_anothers(folder, out);

	enum status s = file_lock_instance(folder, &lock, &holder, &why);

	if (s == STATUS_BUSY)
		return read_status(folder, out);
	if (s != STATUS_OK)
		return false;
	s = read_note(config, path, note, sizeof note);
	close(lock);
	if (s == STATUS_OK)
		pace_load(out, note);
	return s == STATUS_OK && out->hits_limit > 0;
}
