/* places.h - where things are on the SD image. Below another root for tests: every path here, and nothing
 * else, gets that folder's name in front. */
#pragma once
#include "base/status.h"

enum place {
	PLACE_PROGRAM, /* /bin/scorebox */
	PLACE_PASSWD,
	PLACE_RELEASE,
	PLACE_CMDLINE,
	PLACE_MEMINFO,
	PLACE_CONSOLE,
	PLACE_SCREEN, /* tty1: HDMI */
	PLACE_WATCHDOG,
	PLACE_LEDS,
	PLACE_RUN, /* folder of what lasts as long as the power does */
	PLACE_SETTINGS,
	PLACE_SETTINGS_LOG,
	PLACE_TROUBLE,		  /* what is wrong with the card, a line each */
	PLACE_CARD_ERRORS,	  /* ext4's count of them, of the data partition */
	PLACE_CARD_ERRORS_BEFORE, /* as it was at the start */
	PLACE_NET,
	PLACE_CLOCK,
	PLACE_STICK_NOTE,
	PLACE_UPDATE_NOTE,
	PLACE_STATUS,
	PLACE_NOTIFY,
	PLACE_REBOOT, /* with another root: made in place of a reboot */
	PLACE_BOOT,
	PLACE_STATE, /* the daemon's, unless the settings name another one */
	PLACE_SECRETS,
	PLACE_BOX,
	PLACE_BOX_LOG,
	PLACE_BOX_LOG_OLD,
	PLACE_BOX_CLOCK,
	PLACE_BOX_DEATHS,
	PLACE_BOX_GOOD_A,
	PLACE_BOX_GOOD_B,
	PLACE_STICK,
	PLACE_OUTPUT,
	PLACE_COUNT,
};

enum { PLACES_ROOT_BYTES = 160 }; /* the longest other root */

struct places {
	const char *root; /* "" on the box; lent */
	const char *at[PLACE_COUNT];
};

/* `root`: NULL or "" for the box's own. STATUS_BAD_DATA: too long, or not absolute. */
enum status places_init(struct places *out, const char *root, struct why *why) MUST_CHECK;
void places_done(struct places *p); /* zeroed is fine */
