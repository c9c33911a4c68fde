/* settings_names.c - names that look like ours and are none. */
#include "app/settings_private.h"

#include <string.h>

static void look_at_name(struct loading *l, const char *name)
{
	char near[80];
	bool as_file;

	if (strncmp(name, SETTINGS_PREFIX, strlen(SETTINGS_PREFIX)) ||
		setting_of_name(name, &as_file))
		return;
	if (setting_nearest(name, near, sizeof near))
		loading_warn(
			l, "%.80s is no setting and has no effect; did you mean %s?", name, near);
	else
		loading_warn(l,
			"%.80s is no setting and has no effect; `scorebox help` lists them all",
			name);
}

void settings_look_at_names(struct loading *l)
{
	for (char **entry = l->request->environment; entry && *entry; entry++) {
		char name[128];
		size_t length = strcspn(*entry, "=");

		if (strncmp(*entry, SETTINGS_PREFIX, strlen(SETTINGS_PREFIX)))
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(length < 127 ? length : 127), *entry);
		look_at_name(l, name);
	}
	for (unsigned i = 0; i < l->file.count; i++)
		look_at_name(l, l->file.entry[i].name);
}
