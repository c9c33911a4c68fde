/* verb_board_run.c - the supervisor of the SD image, and what it is told of the settings. */
#include "app/setting.h"
#include "app/values.h"
#include "app/verb.h"
#include "board/supervisor.h"
#include "board/update.h"

/* What the supervisor decides about slots is done to those that updates are written to. */
typedef enum status slots_step(const struct update_paths *paths, struct why *why);

static enum status below(const char *root, slots_step *step, struct why *why)
{
	struct update_paths paths;
	enum status s = update_paths_at(&paths, root ? root : "", why);

	return s == STATUS_OK ? step(&paths, why) : s;
}

static enum status settle(const char *root, struct why *why)
{
	return below(root, update_trial_failed, why);
}

static enum status confirm(const char *root, struct why *why)
{
	return below(root, update_trial_confirmed, why);
}

static enum status fall_back(const char *root, struct why *why)
{
	return below(root, update_fall_back, why);
}

int verb_board_run(struct call *call)
{
	const char *secrets[SETTINGS_MAX + 1];
	size_t count = 0;

	for (size_t i = 0; i < settings_count; i++)
		if (settings_table[i].type == SETTING_SECRET)
			secrets[count++] = settings_table[i].name;
	secrets[count] = NULL;

	const struct supervisor_setup setup = {.root = call->options.root,
		.secrets = secrets,
		.duration = value_duration,
		.slots = {.settle = settle, .confirm = confirm, .fall_back = fall_back}};

	return supervisor_run(&setup);
}
