/* card.c - the lines of the card's settings file, each judged for itself: a wrong one costs only itself. */
#include "app/card.h"

#include "app/card_private.h"
#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES_BYTES = 3 * ENVFILE_BYTES, SAID_BYTES = 256 * 1024 };

/* ---- what is said ---- */

void card_say(struct card *c, unsigned line, const char *format, ...)
{
	char text[1000], clean[1200], where[32] = "";
	enum status status;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (line) {
		snprintf(where, sizeof where, "line %u: ", line);
		log_warn("settings.line", "'%s' %s%s", c->request->file, where, text);
	} else {
		log_warn("settings.file", "%s", text);
	}
	log_redact(text, strlen(text), clean, sizeof clean);
	status = buffer_format(&c->said, "%s%s\n", where, clean);
	c->no_memory = c->no_memory || status == STATUS_NO_MEMORY;
}

static void unreadable_line(void *context, unsigned line, const char *text)
{
	struct card *c = context;
	unsigned i = c->unreadable_count++;

	if (i >= UNREADABLE)
		return;
	c->unreadable[i].line = line;
	snprintf(c->unreadable[i].text, sizeof c->unreadable[i].text, "%s", text);
}

/* Everything is said in the order of the lines. */
static void say_unreadable(struct card *c, unsigned before_line)
{
	while (c->unreadable_said < c->unreadable_count && c->unreadable_said < UNREADABLE &&
		c->unreadable[c->unreadable_said].line < before_line) {
		unsigned i = c->unreadable_said++;

		card_say(c, c->unreadable[i].line, "%s; the line is left out",
			c->unreadable[i].text);
	}
}

static void say_unknown(struct card *c, const struct envfile_entry *e)
{
	bool ours = !strncmp(e->name, SETTINGS_PREFIX, strlen(SETTINGS_PREFIX));
	char near[80];

	if (setting_nearest(e->name, near, sizeof near))
		card_say(c, e->line, "%.80s is no setting and is left out; did you mean %s?",
			e->name, near);
	else if (ours)
		card_say(c, e->line,
			"%.80s is no setting and is left out; the README lists them all", e->name);
	else /* it may be the end of a key that was wrapped: not shown */
		card_say(c, e->line,
			"this is no setting and is left out; all begin with " SETTINGS_PREFIX);
}

static void say_wrong(struct card *c, const struct envfile_entry *e, const struct setting *s,
	bool as_file, const char *text, const char *reason)
{
	const char *fallback = setting_default(s);
	char path[PATH_MAX], shown[80] = "", instead[200] = "";

	/* Somebody may have put the secret itself where its file's name belongs. */
	if (s->type != SETTING_SECRET && !s->hide && !setting_has_control(text))
		snprintf(shown, sizeof shown, "=\"%.60s%s\"", text, strlen(text) > 60 ? "..." : "");
	if (s->type == SETTING_SECRET && card_has_sealed(c, s->name, path))
		snprintf(instead, sizeof instead, "; the sealed one counts");
	else if (*fallback)
		snprintf(instead, sizeof instead, "; the default counts: %s", fallback);
	card_say(c, e->line, "%s%s%s: %s; the line is left out%s", s->name, as_file ? "_FILE" : "",
		shown, reason, instead);
}

/* ---- one line ---- */

int card_last_of(const struct card *c, const char *name)
{
	for (unsigned i = c->file.count; i-- > 0;)
		if (!strcmp(c->file.entry[i].name, name))
			return (int)i;
	return -1;
}

static enum status check_value(
	struct card *c, const struct setting *s, bool as_file, const char *text, struct why *why)
{
	int direct = as_file ? card_last_of(c, s->name) : -1;

	if (direct >= 0 && *c->file.entry[direct].value)
		return fail(why, STATUS_BAD_DATA, "%s is set too, in line %u, and counts", s->name,
			c->file.entry[direct].line);
	if (setting_has_control(text))
		return fail(why, STATUS_BAD_DATA, "it holds a control character");
	return as_file ? card_check_secret_file(c, s, text, why)
		       : setting_store(&c->scratch, s, text, why);
}

static void judge(struct card *c, unsigned i)
{
	const struct envfile_entry *e = &c->file.entry[i];
	bool as_file;
	const struct setting *s = setting_of_name(e->name, &as_file);
	unsigned last = (unsigned)card_last_of(c, e->name);
	struct why why;

	say_unreadable(c, e->line);
	if (!s) {
		say_unknown(c, e);
		return;
	}
	if (last != i) {
		card_say(c, e->line, "%s is set again in line %u, which counts", e->name,
			c->file.entry[last].line);
		return;
	}

	char *text = arena_copy(&c->arena, e->value, strlen(e->value));

	c->no_memory = c->no_memory || !text;
	if (!text)
		return;
	setting_trim(text);
	if (!*text) /* as if it were not there */
		return;
	if (check_value(c, s, as_file, text, &why) == STATUS_OK)
		c->value[i] = text;
	else
		say_wrong(c, e, s, as_file, text, why.text);
}

/* ---- what comes out ---- */

void card_put_line(struct card *c, const char *name, const char *suffix, const char *value)
{
	enum status status = buffer_format(&c->lines, "%s%s=%s\n", name, suffix, value);

	c->no_memory = c->no_memory || status != STATUS_OK;
}

static bool put_lines(struct card *c)
{
	bool usable = false;

	for (unsigned i = 0; i < c->file.count; i++) {
		bool as_file;
		const struct setting *s = c->value[i]
						  ? setting_of_name(c->file.entry[i].name, &as_file)
						  : NULL;

		usable = usable || s;
		if (s && (as_file || !c->sealed[s - settings_table]))
			card_put_line(c, c->file.entry[i].name, "", c->value[i]);
	}
	for (size_t i = 0; i < settings_count && usable; i++)
		if (settings_table[i].type == SETTING_SECRET)
			card_put_sealed(c, &settings_table[i]);
	return usable;
}

static enum status write_out(const struct card *c, struct why *why)
{
	char path[PATH_MAX];
	enum status status = file_replace(
		c->request->out, c->lines.bytes, c->lines.length, 0600, why);

	if (snprintf(path, sizeof path, "%s.seal", c->request->out) >= (int)sizeof path)
		return fail(why, STATUS_BAD_DATA, "path '%.100s...' is too long", c->request->out);
	if (status == STATUS_OK && c->waits)
		status = file_replace(path, "", 0, 0600, why);
	else if (status == STATUS_OK)
		(void)unlink(path);
	snprintf(path, sizeof path, "%s.log", c->request->out);
	return status == STATUS_OK ? file_replace(path, c->said.bytes, c->said.length, 0644, why)
				   : status;
}

/* ---- the whole ---- */

static bool read_file(struct card *c)
{
	struct why why;
	enum status status = file_read(c->request->file, ENVFILE_BYTES, &c->text, &c->length, &why);

	if (status == STATUS_OK) {
		card_open_seal(c);
		status = envfile_parse(&c->file, c->text, c->length, unreadable_line, c, &why);
	}
	if (status != STATUS_OK)
		card_say(c, 0, "'%s' cannot be used: %s", c->request->file, why.text);
	c->no_memory = c->no_memory || status == STATUS_NO_MEMORY;
	return status == STATUS_OK;
}

static void register_secrets(const struct card *c)
{
	for (unsigned i = 0; i < c->file.count; i++) {
		bool as_file;
		const struct setting *s = setting_of_name(c->file.entry[i].name, &as_file);

		if (s && s->type == SETTING_SECRET && !as_file)
			log_secret(c->file.entry[i].value);
	}
}

static bool take_up(struct card *c)
{
	bool usable = false;

	if (read_file(c)) {
		register_secrets(c);
		for (unsigned i = 0; i < c->file.count; i++)
			judge(c, i);
		say_unreadable(c, UINT_MAX);
		if (c->unreadable_count > UNREADABLE)
			card_say(c, 0, "'%s' has %u further lines that are no settings",
				c->request->file, c->unreadable_count - UNREADABLE);
		card_seal_secrets(c);
		usable = put_lines(c);
	}
	if (!usable && !c->no_memory)
		log_error("settings.none",
			"'%s' sets nothing that can be used; nothing can be started; write the settings "
			"into it",
			c->request->file);
	return usable;
}

static void done(struct card *c)
{
	if (c->lines.length)
		explicit_bzero(c->lines.bytes, c->lines.length);
	buffer_done(&c->lines);
	buffer_done(&c->said);
	arena_done(&c->arena);
	envfile_done(&c->file);
	if (c->text)
		explicit_bzero(c->text, c->length);
	free(c->text);
	if (c->seal_open)
		seal_close(&c->seal);
	free(c);
}

enum status card_settings(const struct card_request *request, bool *usable, struct why *why)
{
	struct card *c = calloc(1, sizeof *c);
	enum status status;

	if (!c)
		return fail(why, STATUS_NO_MEMORY, "out of memory");
	c->request = request;
	buffer_init(&c->lines, LINES_BYTES);
	buffer_init(&c->said, SAID_BYTES);
	*usable = take_up(c);
	status = c->no_memory ? fail(why, STATUS_NO_MEMORY, "out of memory") : write_out(c, why);
	done(c);
	return status;
}
