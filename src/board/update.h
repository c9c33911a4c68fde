/* update.h - a signed bundle into the slot that does not run, its one trial boot, and what comes of it.
 *
 *     running a ── update_run() ──► b written, read back, try=b ── reboot ──► b on trial
 *        ▲                                                                     │      │
 *        └──────── update_trial_failed(): the bundle is refused ◄── reboot ────┘      ▼
 *                  from now on                            update_trial_confirmed(): slot=b
 *
 * At any power cut the running slot and its entry in state.txt are whole. Settings, spool and journal are not touched.
 * All functions say what they did in the log and in `said`, one line each. As root. */
#pragma once
#include "base/status.h"
#include <stdbool.h>

enum { UPDATE_PATH_BYTES = 1024 };

struct update_paths {
	char boot[UPDATE_PATH_BYTES];	  /* /boot: state.txt */
	char box[UPDATE_PATH_BYTES];	  /* /data/box: trial, installed, refused */
	char run[UPDATE_PATH_BYTES];	  /* /run/scorebox/updating: the lock of who updates */
	char said[UPDATE_PATH_BYTES];	  /* /run/scorebox/update: the last thing said */
	char key[UPDATE_PATH_BYTES];	  /* /etc/scorebox/update.pub */
	char release[UPDATE_PATH_BYTES];  /* /etc/scorebox/release */
	char line[UPDATE_PATH_BYTES];	  /* /proc/cmdline */
	char slots[2][UPDATE_PATH_BYTES]; /* /dev/slot-a, /dev/slot-b */
};

/* The paths above, each below `root` ("": this machine's own). STATUS_BAD_DATA: root is too long. */
enum status update_paths_at(struct update_paths *out, const char *root, struct why *why) MUST_CHECK;

struct update_request {
	const char *file;
	bool downgrade; /* an equal or older version too */
	bool if_newer; /* not asked by a person: what is not newer, or failed before, is left alone, and that is no error */
};

enum update_outcome {
	UPDATE_WRITTEN, /* a reboot tries it */
	UPDATE_LEFT,	/* with if_newer: there was nothing to do */
};

/* *out on STATUS_OK only. All was said. STATUS_BAD_DATA: the bundle is refused; STATUS_NOT_FOUND: there is no such
 * bundle, or this machine is not the image; STATUS_BUSY: another update runs, or a trial is not confirmed yet;
 * STATUS_IO, _FULL, _DENIED: slot, boot folder or data partition could not be written. */
enum status update_run(const struct update_paths *paths, const struct update_request *request,
	enum update_outcome *out) MUST_CHECK;

/* To be called once at each start. Where a trial was due and this is not it, it has failed: its bundle is refused from
 * now on. Also finishes a confirmation, and clears away an update, that a power cut ended; and tells of a slot in use
 * that the boot script passed over. */
enum status update_trial_failed(const struct update_paths *paths, struct why *why) MUST_CHECK;
/* To be called when this start is a trial and has proved itself: the running slot is the good one from now on.
 * At any other time, and the second time, nothing happens. */
enum status update_trial_confirmed(const struct update_paths *paths, struct why *why) MUST_CHECK;
/* To be called when the running slot, confirmed as it was, does not work: the next start is a trial of the other slot,
 * which has to prove itself as any other: power that comes and goes makes every slot die early. Once it has, the bundle
 * that brought the one that was left is refused. STATUS_NOT_FOUND: the other slot is empty; nothing happened. */
enum status update_fall_back(const struct update_paths *paths, struct why *why) MUST_CHECK;
