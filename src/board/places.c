/* places.c - the box's paths. */
#include "board/places.h"

#include <stdlib.h>
#include <string.h>

static const char *const on_the_box[PLACE_COUNT] = {
	[PLACE_PROGRAM] = "/bin/scorebox",
	[PLACE_PASSWD] = "/etc/passwd",
	[PLACE_RELEASE] = "/etc/scorebox/release",
	[PLACE_CMDLINE] = "/proc/cmdline",
	[PLACE_MEMINFO] = "/proc/meminfo",
	[PLACE_CONSOLE] = "/dev/console",
	[PLACE_SCREEN] = "/dev/tty1",
	[PLACE_WATCHDOG] = "/dev/watchdog",
	[PLACE_LEDS] = "/sys/class/leds",
	[PLACE_RUN] = "/run/scorebox",
	[PLACE_SETTINGS] = "/run/scorebox/settings",
	[PLACE_SETTINGS_LOG] = "/run/scorebox/settings.log",
	[PLACE_TROUBLE] = "/run/scorebox/trouble",
	[PLACE_CARD_ERRORS] = "/run/scorebox/card-errors",
	[PLACE_CARD_ERRORS_BEFORE] = "/run/scorebox/card-errors.before",
	[PLACE_NET] = "/run/scorebox/net",
	[PLACE_CLOCK] = "/run/scorebox/clock",
	[PLACE_STICK_NOTE] = "/run/scorebox/stick",
	[PLACE_UPDATE_NOTE] = "/run/scorebox/update",
	[PLACE_STATUS] = "/run/scorebox/status.txt",
	[PLACE_NOTIFY] = "/run/scorebox/notify",
	[PLACE_REBOOT] = "/run/scorebox/reboot",
	[PLACE_BOOT] = "/boot",
	[PLACE_STATE] = "/data/scorebox",
	[PLACE_SECRETS] = "/data/secrets",
	[PLACE_BOX] = "/data/box",
	[PLACE_BOX_LOG] = "/data/box/log",
	[PLACE_BOX_LOG_OLD] = "/data/box/log.old",
	[PLACE_BOX_CLOCK] = "/data/box/clock",
	[PLACE_BOX_DEATHS] = "/data/box/deaths",
	[PLACE_BOX_GOOD_A] = "/data/box/good-a",
	[PLACE_BOX_GOOD_B] = "/data/box/good-b",
	[PLACE_STICK] = "/media/stick",
	[PLACE_OUTPUT] = "/media/stick/scorebox",
};

static char *below(const char *root, const char *path)
{
	size_t root_length = strlen(root), length = strlen(path);
	char *joined = malloc(root_length + length + 1);

	if (joined) {
		memcpy(joined, root, root_length);
		memcpy(joined + root_length, path, length + 1);
	}
	return joined;
}

enum status places_init(struct places *out, const char *root, struct why *why)
{
	struct places p = {.root = root ? root : ""};

	if (*p.root && (*p.root != '/' || strlen(p.root) >= PLACES_ROOT_BYTES))
		return fail(why, STATUS_BAD_DATA,
			"'%.60s': expected an absolute path of less than %d bytes", p.root,
			PLACES_ROOT_BYTES);
	for (int i = 0; i < PLACE_COUNT; i++) {
		p.at[i] = *p.root ? below(p.root, on_the_box[i]) : on_the_box[i];
		if (!p.at[i]) {
			places_done(&p);
			return fail(why, STATUS_NO_MEMORY, "no memory for paths");
		}
	}
	*out = p;
	return STATUS_OK;
}

void places_done(struct places *p)
{
	union {
		const char *ours;
		void *its;
	} view;

	for (int i = 0; p->root && *p->root && i < PLACE_COUNT; i++) {
		view.ours = p->at[i];
		free(view.its);
	}
	*p = (struct places){0};
}
