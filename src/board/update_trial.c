/* update_trial.c - what came of a trial. */
#include "board/update.h"

#include "board/boot_state.h"
#include "board/slot.h"
#include "board/trial.h"
#include "board/update_private.h"

struct here {
	struct boot_line line;
	struct boot_state state; /* all 0 where it cannot be read */
	struct trial trial;
	bool recorded; /* there is a trial */
};

static enum status look(const struct update_paths *paths, struct here *h, struct why *why)
{
	enum status s = boot_line_read(paths->line, &h->line, why);

	if (s == STATUS_OK && !h->line.slot)
		s = fail(why, STATUS_NOT_FOUND, "the kernel was not told which slot it runs from");
	if (s != STATUS_OK)
		return s;
	h->state = (struct boot_state){0};
	(void)!boot_state_read(paths->boot, &h->state, NULL);
	s = trial_read(paths->box, "trial", &h->trial, why);
	h->recorded = s == STATUS_OK;
	return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

/* The record goes last: what a power cut leaves undone is done at the next start. */
static enum status settle(const struct update_paths *paths, const struct trial *t, struct why *why)
{
	enum status s = refused_remove(paths->box, t->hash, why);

	if (s == STATUS_OK)
		s = trial_write(paths->box, "installed", t, why);
	if (s == STATUS_OK)
		s = trial_remove(paths->box, "trial", why);
	if (s == STATUS_OK)
		update_say(paths, LOG_INFO, "update.confirmed",
			"version %s in slot %c has proved itself; it starts from now on",
			t->version, t->slot);
	return s;
}

static enum status refuse(const struct update_paths *paths, const struct here *h, struct why *why)
{
	const struct trial *t = &h->trial;
	enum status s = refused_add(paths->box, t->hash, t->version, why);

	if (s == STATUS_OK)
		s = trial_remove(paths->box, "trial", why);
	if (s == STATUS_OK)
		update_say(paths, LOG_WARN, "update.trial-failed",
			"version %s in slot %c did not prove itself; nothing is lost, this box is back in "
			"slot %c; that bundle is tried again only by hand: scorebox update FILE",
			t->version, t->slot, h->line.slot);
	return s;
}

static enum status forget(const struct update_paths *paths, const struct here *h, struct why *why)
{
	enum status s = trial_remove(paths->box, "trial", why);

	if (s == STATUS_OK)
		update_say(paths, LOG_WARN, "update.unfinished",
			"an update to version %s was cut short before slot %c was due for a trial; nothing "
			"is lost; begin it anew",
			h->trial.version, h->trial.slot);
	return s;
}

/* The boot script passed over files that are not what their sums say. */
static void tell_damage(const struct update_paths *paths, const struct here *h)
{
	if (h->line.trial || !h->state.slot || h->state.slot == h->line.slot)
		return;
	update_say(paths, LOG_WARN, "update.other-slot",
		"slot %c is the one in use, but could not be booted; nothing is lost, this box runs from "
		"slot %c; an update mends that slot, so does the image written anew",
		h->state.slot, h->line.slot);
}

enum status update_trial_failed(const struct update_paths *paths, struct why *why)
{
	struct here h;
	enum status s = look(paths, &h, why);

	if (s == STATUS_OK)
		tell_damage(paths, &h);
	/* It runs, or is yet to come. */
	if (s != STATUS_OK || !h.recorded || h.line.trial || h.state.try == h.trial.slot)
		return s;
	if (h.line.slot == h.trial.slot && h.state.slot == h.trial.slot)
		return settle(paths, &h.trial, why);
	if (!h.trial.due)
		return forget(paths, &h, why);
	return refuse(paths, &h, why);
}

/* The slot that was left for this one had died: its bundle is not to come again from the stick. */
static enum status refuse_left(const struct update_paths *paths, char slot, struct why *why)
{
	struct trial installed;
	enum status s = trial_read(paths->box, "installed", &installed, why);

	if (s == STATUS_OK && installed.slot != slot)
		s = refused_add(paths->box, installed.hash, installed.version, why);
	return s == STATUS_NOT_FOUND ? STATUS_OK : s;
}

enum status update_trial_confirmed(const struct update_paths *paths, struct why *why)
{
	struct here h;
	enum status s = look(paths, &h, why);

	if (s != STATUS_OK || !h.line.trial)
		return s;
	/* Confirmed before: the file may tell of the next trial by now. */
	if (h.state.slot != h.line.slot)
		s = boot_state_confirm(paths->boot, h.line.slot, why);
	if (s == STATUS_OK && h.recorded && h.trial.slot == h.line.slot)
		s = settle(paths, &h.trial, why);
	else if (s == STATUS_OK && !h.recorded)
		s = refuse_left(paths, h.line.slot, why);
	return s;
}

enum status update_fall_back(const struct update_paths *paths, struct why *why)
{
	struct here h = {.recorded = false};
	enum status s = look(paths, &h, why);
	char other = boot_slot_other(h.line.slot);

	if (s == STATUS_OK)
		s = slot_is_filled(update_slot(paths, other), why);
	if (s == STATUS_OK)
		s = boot_state_try(paths->boot, h.line.slot, other, why);
	if (s == STATUS_OK)
		update_say(paths, LOG_WARN, "update.fall-back",
			"slot %c does not work; nothing is lost; the next start tries slot %c",
			h.line.slot, other);
	return s;
}
