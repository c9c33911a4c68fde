/* boot_state.h - which slot boots: FOLDER/state.txt, which the boot script reads and a person may look at.
 *     slot=a       the slot that is known to be good
 *     try=b        only while a trial is due: booted once; the script takes the line out before it boots
 * And what the script told the kernel about this boot:
 *     ... scorebox.slot=a scorebox.trial=0 [scorebox.watchdog=off] ... */
#pragma once
#include "base/status.h"
#include <stdbool.h>

struct boot_state {
	char slot; /* 'a' or 'b' */
	char try;  /* 'a', 'b', or 0: no trial is due */
};

/* CR, blanks, a byte order mark and lines it does not know are passed over. STATUS_BAD_DATA: no slot is named;
 * STATUS_NOT_FOUND: there is no such file. */
enum status boot_state_read(const char *folder, struct boot_state *out, struct why *why) MUST_CHECK;

/* The next boot tries `slot`, those after it boot `good` unless boot_state_confirm() comes first. On the card when it
 * returns STATUS_OK; on failure the file is as it was. */
enum status boot_state_try(const char *folder, char good, char slot, struct why *why) MUST_CHECK;
/* `slot` is the good one from now on, and no trial is due. Nothing is written where the file says so already. */
enum status boot_state_confirm(const char *folder, char slot, struct why *why) MUST_CHECK;

struct boot_line {
	char slot;     /* 'a', 'b', or 0: not named, so that this machine has no slots */
	bool trial;    /* this boot is the trial of that slot */
	bool watchdog; /* false: it is not to be armed */
};

/* Reads the text of a kernel command line; of a name that stands there twice the last one counts. */
void boot_line_parse(const char *text, struct boot_line *out);
enum status boot_line_read(const char *path, struct boot_line *out, struct why *why) MUST_CHECK;
/* The other slot. */
char boot_slot_other(char slot);
