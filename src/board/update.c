/* update.c - a bundle into the other slot. */
#include "board/update.h"

#include "base/file.h"
#include "board/boot_folder.h"
#include "board/boot_state.h"
#include "board/bundle.h"
#include "board/slot.h"
#include "board/trial.h"
#include "board/update_private.h"

#include <string.h>
#include <unistd.h>

/* What a small file and its directory entries take at most on the card's FAT. */
enum { BOOT_ROOM_BYTES = 16384 };

struct update {
	const struct update_paths *paths;
	const struct update_request *request;
	struct release running;
	struct boot_line line;
	struct bundle bundle;
	struct trial trial; /* what will be on trial */
	int lock;
	bool touched; /* the other slot holds neither what it did, nor the new version */
	bool left;    /* there is nothing to do */
};

/* ---- the machine ---- */

static enum status not_the_image(struct why *why, const char *reason)
{
	return fail(why, STATUS_NOT_FOUND,
		"this machine does not run the SD image, which alone can be updated like this: %s",
		reason);
}

static enum status look_at_slots(struct update *u, struct why *why)
{
	const struct update_paths *p = u->paths;
	struct why reason;
	uint64_t bytes;
	enum status s = STATUS_OK;

	if (!u->line.slot)
		return not_the_image(why, "its kernel was not told which slot it runs from");
	for (int i = 0; i < 2 && s == STATUS_OK; i++)
		s = slot_bytes(p->slots[i], &bytes, &reason);
	if (s == STATUS_NOT_FOUND)
		return not_the_image(why, reason.text);
	if (s != STATUS_OK)
		return fail(why, s, "%s", reason.text);
	if (slot_same(p->slots[0], p->slots[1]))
		return not_the_image(why, "its two slots are one");
	return STATUS_OK;
}

static enum status look_at_machine(struct update *u, struct why *why)
{
	struct why reason;
	enum status s = release_read(u->paths->release, &u->running, &reason);

	if (s == STATUS_NOT_FOUND)
		return not_the_image(why, reason.text);
	if (s == STATUS_OK)
		s = boot_line_read(u->paths->line, &u->line, &reason);
	if (s != STATUS_OK)
		return fail(why, s == STATUS_BAD_DATA ? STATUS_IO : s, "%s", reason.text);
	return look_at_slots(u, why);
}

static enum status take_lock(struct update *u, struct why *why)
{
	pid_t holder = 0;
	enum status s = file_make_folder(u->paths->run, 0755, why);

	if (s == STATUS_OK)
		s = file_lock_instance(u->paths->run, &u->lock, &holder, why);
	if (s == STATUS_BUSY)
		return fail(why, s, "another update runs (pid %ld)", (long)holder);
	return s == STATUS_OK ? file_make_folder(u->paths->box, 0755, why) : s;
}

/* ---- is it wanted? ---- */

static enum status leave(struct update *u)
{
	u->left = true;
	return STATUS_OK;
}

/* One that is at least as new was written and not tried yet: by itself it is not replaced. */
static bool is_waiting(const struct update *u)
{
	struct boot_state state;
	struct trial trial;

	return boot_state_read(u->paths->boot, &state, NULL) == STATUS_OK &&
	       trial_read(u->paths->box, "trial", &trial, NULL) == STATUS_OK && trial.due &&
	       state.try == trial.slot &&
	       version_compare(u->bundle.manifest.version, trial.version) <= 0;
}

static enum status judge_history(struct update *u, struct why *why)
{
	const struct manifest *m = &u->bundle.manifest;
	bool refused;
	enum status s = refused_has(u->paths->box, m->hash, &refused, why);

	if (s != STATUS_OK)
		return s;
	if (u->request->if_newer && refused) {
		update_say(u->paths, LOG_INFO, "update.failed-before",
			"version %s of '%s' failed its trial on this box; nothing to do; by hand it is tried again: "
			"scorebox update FILE",
			m->version, u->request->file);
		return leave(u);
	}
	if (u->request->if_newer && is_waiting(u)) {
		update_say(u->paths, LOG_INFO, "update.waits",
			"'%s' is version %s; that, or a newer one, waits for its trial at the next start; "
			"nothing to do",
			u->request->file, m->version);
		return leave(u);
	}
	if (refused)
		log_warn("update.again",
			"version %s failed its trial on this box; it is tried again as asked",
			m->version);
	return STATUS_OK;
}

static enum status judge_version(struct update *u, struct why *why)
{
	const struct manifest *m = &u->bundle.manifest;
	int order = version_compare(m->version, u->running.version);

	if (strcmp(m->board, u->running.board) != 0)
		return fail(why, STATUS_BAD_DATA, "'%s' is for a board '%s', this is '%s'",
			u->request->file, m->board, u->running.board);
	if (order > 0 || (u->request->downgrade && !u->request->if_newer))
		return judge_history(u, why);
	if (u->request->if_newer) {
		update_say(u->paths, LOG_INFO, "update.current",
			"'%s' is version %s, this box runs %s; nothing to do", u->request->file,
			m->version, u->running.version);
		return leave(u);
	}
	return fail(why, STATUS_BAD_DATA,
		"'%s' is version %s, %s %s, which runs; --downgrade takes it all the same",
		u->request->file, m->version, order ? "older than" : "the same as",
		u->running.version);
}

/* The trial's boot goes on until the next one: whether it was confirmed stands in state.txt. */
static enum status judge_trial(struct update *u, struct why *why)
{
	struct boot_state state;

	if (!u->line.trial || (boot_state_read(u->paths->boot, &state, NULL) == STATUS_OK &&
				      state.slot == u->line.slot))
		return STATUS_OK;
	return fail(why, STATUS_BUSY,
		"version %s in slot %c is on trial and not confirmed yet; try again when it is",
		u->running.version, u->line.slot);
}

static enum status judge_size(struct update *u, struct why *why)
{
	const char *slot = update_slot(u->paths, u->trial.slot);
	uint64_t room;
	enum status s = slot_bytes(slot, &room, why);

	if (s == STATUS_OK && u->bundle.manifest.bytes > room)
		s = fail(why, STATUS_BAD_DATA, "'%s' holds %llu bytes, slot %c has room for %llu",
			u->request->file, (unsigned long long)u->bundle.manifest.bytes,
			u->trial.slot, (unsigned long long)room);
	return s;
}

static enum status judge(struct update *u, struct why *why)
{
	enum status s = bundle_open(&u->bundle, u->request->file, u->paths->key, why);

	if (s == STATUS_OK)
		s = judge_version(u, why);
	if (s != STATUS_OK || u->left)
		return s;
	u->trial.slot = boot_slot_other(u->line.slot);
	strcpy(u->trial.version, u->bundle.manifest.version);
	strcpy(u->trial.hash, u->bundle.manifest.hash);
	s = judge_trial(u, why);
	if (s == STATUS_OK)
		s = judge_size(u, why);
	return s == STATUS_OK ? bundle_check_payload(&u->bundle, why) : s;
}

/* ---- into the slot ---- */

static enum status read_payload(
	void *context, uint64_t offset, void *out, size_t length, struct why *why)
{
	struct update *u = context;

	return bundle_read(&u->bundle, offset, out, length, why);
}

static void tell_progress(void *context, unsigned percent)
{
	struct update *u = context;

	update_say(u->paths, LOG_INFO, "update.progress",
		"slot %c: %u %% of version %s is written%s", u->trial.slot, percent,
		u->trial.version, percent == 100 ? "; it is read back" : "");
}

static enum status write_slot(struct update *u, struct why *why)
{
	const struct slot_image image = {
		.bytes = u->bundle.manifest.bytes,
		.sha256 = u->bundle.manifest.sha256,
		.read = read_payload,
		.progress = tell_progress,
		.context = u,
	};

	update_say(u->paths, LOG_INFO, "update.begin",
		"'%s' is whole and signed: version %s is written to slot %c; this box goes on "
		"running %s from slot %c",
		u->request->file, u->trial.version, u->trial.slot, u->running.version,
		u->line.slot);
	u->touched = true;

	enum status s = slot_write(update_slot(u->paths, u->trial.slot), &image, why);

	u->touched = s != STATUS_OK;
	return s;
}

/* Found out before a slot is emptied for nothing. */
static enum status look_at_boot(struct update *u, struct why *why)
{
	struct boot_folder boot;
	uint64_t room, all;
	enum status s = boot_folder_open(&boot, u->paths->boot, why);

	if (s != STATUS_OK)
		return s == STATUS_NOT_FOUND ? STATUS_IO : s;
	s = file_space(u->paths->boot, &room, &all, why);
	if (s == STATUS_OK && room < BOOT_ROOM_BYTES)
		s = fail(why, STATUS_FULL, "'%s' has no room for a new state.txt: make some",
			u->paths->boot);
	boot_folder_close(&boot);
	return s;
}

/* A slot that is about to be emptied is not to be tried; and a trial is on record before it can begin. */
static enum status begin(struct update *u, struct why *why)
{
	enum status s = look_at_boot(u, why);

	if (s == STATUS_OK)
		s = boot_state_confirm(u->paths->boot, u->line.slot, why);
	return s == STATUS_OK ? trial_write(u->paths->box, "trial", &u->trial, why) : s;
}

static enum status put_on_trial(struct update *u, struct why *why)
{
	enum status s = boot_state_try(u->paths->boot, u->line.slot, u->trial.slot, why);

	if (s != STATUS_OK) {
		(void)!trial_remove(u->paths->box, "trial", NULL);
		return why_prefix(why, s,
			"version %s is in slot %c, but its trial could not be "
			"arranged",
			u->trial.version, u->trial.slot);
	}
	u->trial.due = true;
	return trial_write(u->paths->box, "trial", &u->trial, why);
}

static enum status apply(struct update *u, struct why *why)
{
	enum status s = begin(u, why);

	if (s != STATUS_OK)
		return s;
	s = write_slot(u, why);
	if (s != STATUS_OK) {
		(void)!trial_remove(u->paths->box, "trial", NULL);
		return s;
	}
	return put_on_trial(u, why);
}

static enum status run(struct update *u, struct why *why)
{
	enum status s = look_at_machine(u, why);

	if (s == STATUS_OK)
		s = take_lock(u, why);
	if (s == STATUS_OK)
		s = update_trial_failed(u->paths, why);
	if (s == STATUS_OK)
		s = judge(u, why);
	return s == STATUS_OK && !u->left ? apply(u, why) : s;
}

static void say_failure(struct update *u, enum status s, const struct why *why)
{
	const char *code = s == STATUS_BAD_DATA ? "update.refused"
			   : s == STATUS_BUSY	? "update.busy"
						: "update.failed";

	if (!u->running.version[0] || !u->line.slot)
		log_error(code, "%s; nothing was changed", why->text);
	else if (u->touched)
		update_say(u->paths, LOG_ERROR, code,
			"%s; slot %c is empty now; this box goes on with version %s from slot %c",
			why->text, u->trial.slot, u->running.version, u->line.slot);
	else
		update_say(u->paths, LOG_ERROR, code,
			"%s; this box goes on with version %s from slot %c", why->text,
			u->running.version, u->line.slot);
}

enum status update_run(const struct update_paths *paths, const struct update_request *request,
	enum update_outcome *out)
{
	struct update u = {.paths = paths, .request = request, .bundle.fd = -1, .lock = -1};
	struct why why;
	enum status s = run(&u, &why);

	if (s != STATUS_OK)
		say_failure(&u, s, &why);
	else if (!u.left)
		update_say(paths, LOG_INFO, "update.written",
			"version %s is in slot %c and was read back; the next start tries it; it stays if "
			"it proves itself, else this box is back with %s; reboot to try it",
			u.trial.version, u.trial.slot, u.running.version);
	if (s == STATUS_OK)
		*out = u.left ? UPDATE_LEFT : UPDATE_WRITTEN;
	bundle_close(&u.bundle);
	if (u.lock >= 0)
		close(u.lock);
	return s;
}
