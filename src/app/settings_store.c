/* settings_store.c - a setting's text as the value of its field in struct config. */
#include "app/settings_private.h"
#include "app/values.h"

#include <string.h>
#include <unistd.h>

void setting_trim(char *text)
{
	static const char blanks[] = " \t\r\n";
	size_t length = strlen(text);
	size_t leading = strspn(text, blanks);

	while (length > leading && strchr(blanks, text[length - 1]))
		length--;
	memmove(text, text + leading, length - leading);
	text[length - leading] = '\0';
}

bool setting_has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7F)
			return true;
	return false;
}

static enum status within(int64_t n, const struct setting *s, struct why *why)
{
	char least[32], most[32];

	if (n >= s->least && n <= s->most)
		return STATUS_OK;
	if (s->type == SETTING_SIZE) {
		value_size_text((uint64_t)s->least, least, sizeof least);
		value_size_text((uint64_t)s->most, most, sizeof most);
	} else {
		value_duration_text(s->least, least, sizeof least);
		value_duration_text(s->most, most, sizeof most);
	}
	return fail(why, STATUS_BAD_DATA, "expected %s to %s", least, most);
}

static enum status store_duration(
	void *field, const struct setting *s, const char *text, struct why *why)
{
	int64_t ms;
	enum status status = value_duration(text, &ms, why);

	if (status == STATUS_OK)
		status = within(ms, s, why);
	if (status == STATUS_OK)
		memcpy(field, &ms, sizeof ms);
	return status;
}

static enum status store_size(
	void *field, const struct setting *s, const char *text, struct why *why)
{
	uint64_t bytes;
	enum status status = value_size(text, &bytes, why);

	if (status == STATUS_OK)
		status = within((int64_t)bytes, s, why);
	if (status == STATUS_OK)
		memcpy(field, &bytes, sizeof bytes);
	return status;
}

static enum status store_word(
	void *field, const struct setting *s, const char *text, struct why *why)
{
	int place;
	enum status status = value_word(text, s->words, &place, why);

	if (status == STATUS_OK)
		memcpy(field, &place, sizeof place);
	return status;
}

static enum status store_poll(
	struct config *config, const struct setting *s, const char *text, struct why *why)
{
	struct why unused;

	config->poll_auto = !strcmp(text, "auto");
	if (config->poll_auto)
		return STATUS_OK;
	if (store_duration(&config->poll_fixed_ms, s, text, &unused) != STATUS_OK)
		return fail(why, STATUS_BAD_DATA,
			"expected auto or a duration such as 15s, at most 168h");
	return STATUS_OK;
}

static enum status store_text(
	void *field, const struct setting *s, const char *text, struct why *why)
{
	if (s->check && *text) {
		enum status status = s->check(text, why);

		if (status != STATUS_OK)
			return status;
	}
	if (s->type == SETTING_FILE && *text && access(text, R_OK) != 0)
		return fail_errno(why, STATUS_BAD_DATA, "the file cannot be read");
	memcpy(field, &text, sizeof text);
	return STATUS_OK;
}

enum status setting_store(
	struct config *config, const struct setting *s, const char *text, struct why *why)
{
	void *field = (char *)config + s->offset;

	switch (s->type) {
	case SETTING_DURATION:
		return store_duration(field, s, text, why);
	case SETTING_SIZE:
		return store_size(field, s, text, why);
	case SETTING_WORD:
		return store_word(field, s, text, why);
	case SETTING_POLL:
		return store_poll(config, s, text, why);
	case SETTING_TEXT:
	case SETTING_FILE:
	case SETTING_SECRET:
		break;
	}
	return store_text(field, s, text, why);
}
