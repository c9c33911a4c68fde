/* card_seal.c - secrets of the card's settings file that move to a folder of the data partition, and those that
 * are there. */
#include "app/card_private.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool card_has_sealed(const struct card *c, const char *name, char path[PATH_MAX])
{
	return c->seal_open && file_join(c->request->folder, name, path, PATH_MAX) == STATUS_OK &&
	       access(path, F_OK) == 0;
}

enum status card_check_secret_file(
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
		card_say(c, line, "%s is not sealed: %s; nothing is lost, it stays where it is",
			s->name, why.text);
		return;
	}
	c->sealed[s - settings_table] = true;
	if (blot_lines(c, s, &why) != STATUS_OK)
		card_say(c, line,
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
	int place = card_last_of(c, "SCOREBOX_SEAL");

	return c->request->folder && place >= 0 && c->value[place] && !strcmp(c->value[place], "1");
}

void card_seal_secrets(struct card *c)
{
	bool told = false;

	for (size_t i = 0; i < settings_count && wants_sealing(c); i++) {
		const struct setting *s = &settings_table[i];
		int place = s->type == SETTING_SECRET ? card_last_of(c, s->name) : -1;

		if (place < 0 || !c->value[place])
			continue;
		if (c->seal_open && c->seal.fd >= 0) {
			seal_one(c, s, c->file.entry[place].line, c->value[place]);
			continue;
		}
		c->waits = c->waits || c->seal_open;
		if (!told && c->seal_open)
			card_say(c, 0,
				"'%s' cannot be written: its secrets are not sealed and stay where they are; nothing is lost",
				c->request->file);
		told = true;
	}
}

void card_open_seal(struct card *c)
{
	struct why why;
	enum status status;

	if (!c->request->folder)
		return;
	status = seal_open(&c->seal, c->request->folder, c->request->file, c->text, c->length,
		&c->waits, &why);
	c->seal_open = status == STATUS_OK;
	if (status != STATUS_OK)
		card_say(c, 0, "sealed secrets cannot be used: %s; those in '%s' count", why.text,
			c->request->file);
}

/* A sealed secret that the file does not speak of is named by its file. One that is not to be used is said to be
 * empty, as whoever reads the lines may look into the folder too. */
void card_put_sealed(struct card *c, const struct setting *s)
{
	char path[PATH_MAX], by_file[80];
	int place = card_last_of(c, s->name), file_place;
	bool given = place >= 0 && c->value[place];
	bool emptied = place >= 0 && !*c->file.entry[place].value;
	bool there = card_has_sealed(c, s->name, path);
	struct why why;

	snprintf(by_file, sizeof by_file, "%s_FILE", s->name);
	file_place = card_last_of(c, by_file);
	if ((file_place >= 0 && c->value[file_place]) || (given && !c->sealed[s - settings_table]))
		return;
	if (emptied) {
		if (there)
			card_say(c, c->file.entry[place].line,
				"%s is empty, so that the sealed one is not used; to use it take the line away",
				s->name);
		card_put_line(c, s->name, "", "");
	} else if (there && !given && card_check_secret_file(c, s, path, &why) != STATUS_OK) {
		card_say(c, 0, "the sealed %s cannot be used; write it into '%s' again", s->name,
			c->request->file);
		card_put_line(c, s->name, "", "");
	} else if (there) {
		card_put_line(c, s->name, "_FILE", path);
	}
}
