/* boot_state.c - state.txt and the kernel command line. */
#include "board/boot_state.h"

#include "base/file.h"
#include "board/boot_folder.h"
#include "board/lines.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_MAX_BYTES = 4096, LINE_MAX_BYTES = 65536 };

static char slot_of(struct view value)
{
	return value.length == 1 && (*value.bytes == 'a' || *value.bytes == 'b') ? *value.bytes : 0;
}

char boot_slot_other(char slot)
{
	return slot == 'a' ? 'b' : 'a';
}

static enum status state_path(const char *folder, char *out, struct why *why)
{
	if (file_join(folder, "state.txt", out, PATH_MAX) != STATUS_OK)
		return fail(
			why, STATUS_BAD_DATA, "folder '%.100s...': the path is too long", folder);
	return STATUS_OK;
}

static void parse_state(const char *text, struct boot_state *out)
{
	struct view name, value;

	*out = (struct boot_state){0};
	while (lines_next(&text, &name, &value)) {
		if (view_equals(name, "slot"))
			out->slot = slot_of(value);
		else if (view_equals(name, "try"))
			out->try = slot_of(value);
	}
}

enum status boot_state_read(const char *folder, struct boot_state *out, struct why *why)
{
	char path[PATH_MAX], *text;
	struct boot_state found;
	size_t length;
	enum status s = state_path(folder, path, why);

	if (s == STATUS_OK)
		s = file_read(path, STATE_MAX_BYTES, &text, &length, why);
	if (s != STATUS_OK)
		return s == STATUS_FULL ? STATUS_BAD_DATA : s;
	parse_state(text, &found);
	free(text);
	if (!found.slot)
		return fail(why, STATUS_BAD_DATA, "'%s' names no slot (slot=a or slot=b)", path);
	*out = found;
	return STATUS_OK;
}

/* On FAT a file replaced this way changes by one directory entry in one sector. */
static enum status write_state(const char *folder, struct boot_state state, struct why *why)
{
	char path[PATH_MAX], text[] = "slot=x\ntry=x\n";
	struct boot_folder open;
	enum status s = state_path(folder, path, why);

	if (s == STATUS_OK)
		s = boot_folder_open(&open, folder, why);
	if (s != STATUS_OK)
		return s;
	text[5] = state.slot;
	text[11] = state.try;
	s = file_replace(path, text, state.try ? 13 : 7, 0644, why);
	boot_folder_close(&open);
	return s;
}

enum status boot_state_try(const char *folder, char good, char slot, struct why *why)
{
	return write_state(folder, (struct boot_state){.slot = good, .try = slot}, why);
}

enum status boot_state_confirm(const char *folder, char slot, struct why *why)
{
	struct boot_state now;

	if (boot_state_read(folder, &now, NULL) == STATUS_OK && now.slot == slot && !now.try)
		return STATUS_OK;
	return write_state(folder, (struct boot_state){.slot = slot}, why);
}

/* The value of `name=` at `word`, or NULL; it ends at a blank. */
static const char *value_of(const char *word, const char *name)
{
	size_t length = strlen(name);

	return strncmp(word, name, length) == 0 ? word + length : NULL;
}

static bool is_word(const char *value, const char *word)
{
	size_t length = strcspn(value, " \t\r\n");

	return length == strlen(word) && memcmp(value, word, length) == 0;
}

void boot_line_parse(const char *text, struct boot_line *out)
{
	*out = (struct boot_line){.watchdog = true};
	while (*text) {
		const char *value;

		if ((value = value_of(text, "scorebox.slot=")))
			out->slot = slot_of(view_of(value, strcspn(value, " \t\r\n")));
		else if ((value = value_of(text, "scorebox.trial=")))
			out->trial = is_word(value, "1");
		else if ((value = value_of(text, "scorebox.watchdog=")))
			out->watchdog = !is_word(value, "off");
		text += strcspn(text, " \t\r\n");
		text += strspn(text, " \t\r\n");
	}
}

enum status boot_line_read(const char *path, struct boot_line *out, struct why *why)
{
	char *text;
	size_t length;
	enum status s = file_read(path, LINE_MAX_BYTES, &text, &length, why);

	if (s != STATUS_OK)
		return s;
	boot_line_parse(text, out);
	free(text);
	return STATUS_OK;
}
