/* verb_board_run.c - the supervisor of the SD image, and what it is told of the settings. */
#include "app/setting.h"
#include "app/values.h"
#include "app/verb.h"
#include "board/supervisor.h"

int verb_board_run(struct call *call)
{
	const char *secrets[SETTINGS_MAX + 1];
	size_t count = 0;

	for (size_t i = 0; i < settings_count; i++)
		if (settings_table[i].type == SETTING_SECRET)
			secrets[count++] = settings_table[i].name;
	secrets[count] = NULL;

	const struct supervisor_setup setup = {
		.root = call->options.root, .secrets = secrets, .duration = value_duration};

	return supervisor_run(&setup);
}
