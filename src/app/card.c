/* card.c - the lines of the card's settings file, each judged for itself: a wrong one costs only itself. */
#include "app/card.h"

#include "app/arena.h"
#include "app/envfile.h"
#include "app/settings_private.h"
#include "base/buffer.h"
#include "base/file.h"
#include "board/seal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that is something else altogether need not be complained of line by line. */
enum { UNREADABLE = 30 };
enum { LINES_BYTES = 3 * ENVFILE_BYTES, SAID_BYTES = 256 * 1024 };

struct card {
	const struct card_request *request;
	char *text; /* the file's bytes */
	size_t length;
	struct envfile file;
	struct arena arena;
	struct config scratch; /* where values go to be checked */
	const char
		*value[ENVFILE_LINES]; /* of an entry whose value counts, in the arena; else NULL */
	struct seal seal;
	bool seal_open, waits, no_memory;
	bool sealed[SETTINGS_MAX]; /* moved just now */
	/* Lines that are none of settings, until their turn comes. */
	struct {
		unsigned line;
		char text[80];
	} unreadable[UNREADABLE];
	unsigned unreadable_count, unreadable_said;
	struct buffer lines, said;
};

/* ---- what is said ---- */

/* Line 0: of no line; the text says of what. */
static void PRINTF_LIKE(3, 4) say(struct card *c, unsigned line, const char *format, ...)
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

		say(c, c->unreadable[i].line, "%s; the line is left out", c->unreadable[i].text);
	}
}

static void say_unknown(struct card *c, const struct envfile_entry *e)
{
	bool ours = !strncmp(e->name, SETTINGS_PREFIX, strlen(SETTINGS_PREFIX));
	char near[80];

	if (setting_nearest(e->name, near, sizeof near))
		say(c, e->line, "%.80s is no setting and is left out; did you mean %s?", e->name,
			near);
	else
		say(c, e->line, "%.80s is no setting and is left out; %s", e->name,
			ours ? "the README lists them all" : "all begin with " SETTINGS_PREFIX);
}

static bool is_there(const struct card *c, const char *name, char path[PATH_MAX])
{
	return c->seal_open && file_join(c->request->folder, name, path, PATH_MAX) == STATUS_OK &&
	       access(path, F_OK) == 0;
}

static void say_wrong(struct card *c, const struct envfile_entry *e, const struct setting *s,
	bool as_file, const char *text, const char *reason)
{
	const char *fallback = setting_default(s);
	char path[PATH_MAX], shown[80] = "", instead[200] = "";

	/* Somebody may have put the secret itself where its file's name belongs. */
	if (s->type != SETTING_SECRET && !s->hide && !setting_has_control(text))
		snprintf(shown, sizeof shown, "=\"%.60s%s\"", text, strlen(text) > 60 ? "..." : "");
	if (s->type == SETTING_SECRET && is_there(c, s->name, path))
		snprintf(instead, sizeof instead, "; the sealed one counts");
	else if (*fallback)
		snprintf(instead, sizeof instead, "; the default counts: %s", fallback);
	say(c, e->line, "%s%s%s: %s; the line is left out%s", s->name, as_file ? "_FILE" : "",
		shown, reason, instead);
}

/* ---- one line ---- */

/* The file's last entry of this name, behind or before `i`; -1: none. */
static int last_of(const struct card *c, const char *name)
{
	for (unsigned i = c->file.count; i-- > 0;)
		if (!strcmp(c->file.entry[i].name, name))
			return (int)i;
	return -1;
}

static enum status check_secret_file(
	struct card *c, const struct setting *s, const char *path, struct why *why)
{
	char *bytes;
	bool loose;
	enum status status = file_read_secret(path, &bytes, &loose, why);

	if (status != STATUS_OK)
		return fail(why, status,
			"expected the path of a file that can be read and holds the "
			"secret, such as /boot/api.key");
	status = setting_store(&c->scratch, s, bytes, why);
	explicit_bzero(bytes, strlen(bytes));
	free(bytes);
	return status == STATUS_OK ? status : why_prefix(why, status, "what the file holds");
}

static enum status check_value(
	struct card *c, const struct setting *s, bool as_file, const char *text, struct why *why)
{
	int direct = as_file ? last_of(c, s->name) : -1;

	if (direct >= 0 && *c->file.entry[direct].value)
		return fail(why, STATUS_BAD_DATA, "%s is set too, in line %u, and counts", s->name,
			c->file.entry[direct].line);
	if (setting_has_control(text))
		return fail(why, STATUS_BAD_DATA, "it holds a control character");
	return as_file ? check_secret_file(c, s, text, why)
		       : setting_store(&c->scratch, s, text, why);
}

static void judge(struct card *c, unsigned i)
{
	const struct envfile_entry *e = &c->file.entry[i];
	bool as_file;
	const struct setting *s = setting_of_name(e->name, &as_file);
	unsigned last = (unsigned)last_of(c, e->name);
	struct why why;

	say_unreadable(c, e->line);
	if (!s) {
		say_unknown(c, e);
		return;
	}
	if (last != i) {
		say(c, e->line, "%s is set again in line %u, which counts", e->name,
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

/* ---- sealing ---- */

/* The whole line that an entry stands in; a byte order mark is not of it. */
static size_t line_of(const struct card *c, const struct envfile_entry *e, size_t *length)
{
	size_t least = c->length >= 3 && !memcmp(c->text, "\xEF\xBB\xBF", 3) ? 3 : 0;
	size_t start = (size_t)(e->name - c->file.text), end = start;

	while (start > least && c->text[start - 1] != '\n' && c->text[start - 1] != '\r')
		start--;
	while (end < c->length && c->text[end] != '\n' && c->text[end] != '\r')
		end++;
	*length = end - start;
	return start;
}

/* In the file's order: were a later line gone first, a power cut would let an older value count. */
static enum status blot_lines(struct card *c, const struct setting *s, struct why *why)
{
	enum status status = STATUS_OK;

	for (unsigned i = 0; i < c->file.count && status == STATUS_OK; i++) {
		const struct envfile_entry *e = &c->file.entry[i];
		size_t length, start;

		if (strcmp(e->name, s->name) != 0 || !*e->value)
			continue;
		start = line_of(c, e, &length);
		status = seal_blot(&c->seal, s->name, c->text + start, length, (off_t)start, why);
	}
	return status;
}

static void seal_one(struct card *c, const struct setting *s, unsigned line, const char *value)
{
	struct why why;

	if (seal_store(&c->seal, s->name, value, &why) != STATUS_OK) {
		say(c, line, "%s is not sealed: %s; nothing is lost, it stays where it is", s->name,
			why.text);
		return;
	}
	c->sealed[s - settings_table] = true;
	if (blot_lines(c, s, &why) != STATUS_OK)
		say(c, line,
			"%s is sealed, but can still be read here: %s; the next start tries again",
			s->name, why.text);
	else
		log_info("settings.sealed",
			"%s is in '%s' now; its line in '%s' is overwritten; to change it write it there "
			"again",
			s->name, c->request->folder, c->request->file);
}

static bool wants_sealing(const struct card *c)
{
	int place = last_of(c, "SCOREBOX_SEAL");

	return c->request->folder && place >= 0 && c->value[place] && !strcmp(c->value[place], "1");
}

static void seal_secrets(struct card *c)
{
	bool told = false;

	for (size_t i = 0; i < settings_count && wants_sealing(c); i++) {
		const struct setting *s = &settings_table[i];
		int place = s->type == SETTING_SECRET ? last_of(c, s->name) : -1;

		if (place < 0 || !c->value[place])
			continue;
		if (c->seal_open && c->seal.fd >= 0) {
			seal_one(c, s, c->file.entry[place].line, c->value[place]);
			continue;
		}
		c->waits = c->waits || c->seal_open;
		if (!told && c->seal_open)
			say(c, 0,
				"'%s' cannot be written: its secrets are not sealed and stay where they are; nothing is lost",
				c->request->file);
		told = true;
	}
}

static void open_seal(struct card *c)
{
	struct why why;
	enum status status;

	if (!c->request->folder)
		return;
	status = seal_open(&c->seal, c->request->folder, c->request->file, c->text, c->length,
		&c->waits, &why);
	c->seal_open = status == STATUS_OK;
	if (status != STATUS_OK)
		say(c, 0, "sealed secrets cannot be used: %s; those in '%s' count", why.text,
			c->request->file);
}

/* ---- what comes out ---- */

static void put_line(struct card *c, const char *name, const char *suffix, const char *value)
{
	enum status status = buffer_format(&c->lines, "%s%s=%s\n", name, suffix, value);

	c->no_memory = c->no_memory || status != STATUS_OK;
}

/* A sealed secret that the file does not speak of is named by its file. One that is not to be used is said to be
 * empty, as whoever reads the lines may look into the folder too. */
static void put_sealed(struct card *c, const struct setting *s)
{
	char path[PATH_MAX], by_file[80];
	int place = last_of(c, s->name), file_place;
	bool given = place >= 0 && c->value[place];
	bool emptied = place >= 0 && !*c->file.entry[place].value;
	bool there = is_there(c, s->name, path);
	struct why why;

	snprintf(by_file, sizeof by_file, "%s_FILE", s->name);
	file_place = last_of(c, by_file);
	if ((file_place >= 0 && c->value[file_place]) || (given && !c->sealed[s - settings_table]))
		return;
	if (emptied) {
		if (there)
			say(c, c->file.entry[place].line,
				"%s is empty, so that the sealed one is not used; to use it take the line away",
				s->name);
		put_line(c, s->name, "", "");
	} else if (there && !given && check_secret_file(c, s, path, &why) != STATUS_OK) {
		say(c, 0, "the sealed %s cannot be used; write it into '%s' again", s->name,
			c->request->file);
		put_line(c, s->name, "", "");
	} else if (there) {
		put_line(c, s->name, "_FILE", path);
	}
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
			put_line(c, c->file.entry[i].name, "", c->value[i]);
	}
	for (size_t i = 0; i < settings_count && usable; i++)
		if (settings_table[i].type == SETTING_SECRET)
			put_sealed(c, &settings_table[i]);
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
		open_seal(c);
		status = envfile_parse(&c->file, c->text, c->length, unreadable_line, c, &why);
	}
	if (status != STATUS_OK)
		say(c, 0, "'%s' cannot be used: %s", c->request->file, why.text);
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
			say(c, 0, "'%s' has %u further lines that are no settings",
				c->request->file, c->unreadable_count - UNREADABLE);
		seal_secrets(c);
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
