/* matchfile.c - reads the facts of a match from the project's own text form. */
#include "replay/matchfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line being read, its end marked by a NUL: comment and trailing blanks are gone. */
enum { LINE_MAX_BYTES = 400 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *skip_blanks(char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* Cuts the next word off; "" at the end. */
static char *next_word(char **p)
{
	char *word = skip_blanks(*p);
	char *end = word;

	while (*end && !is_blank(*end))
		end++;
	*p = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static bool read_count(const char *text, unsigned limit, unsigned *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || value > limit)
		return false;
	*out = (unsigned)value;
	return true;
}

static enum status set_text(char *out, size_t out_bytes, const char *rest, struct why *why)
{
	size_t length = strlen(rest);

	if (length == 0)
		return fail(why, STATUS_BAD_DATA, "nothing follows the key");
	if (length >= out_bytes)
		return fail(why, STATUS_BAD_DATA, "longer than %zu bytes", out_bytes - 1);
	memcpy(out, rest, length + 1);
	return STATUS_OK;
}

static enum status find_team(
	const struct matchfile *m, const char *short_name, unsigned *out, struct why *why)
{
	for (unsigned i = 0; i < m->teams; i++)
		if (strcmp(m->short_name[i], short_name) == 0) {
			*out = i;
			return STATUS_OK;
		}
	return fail(why, STATUS_BAD_DATA, "no team '%s' (teams come first)", short_name);
}

static enum status read_team(struct matchfile *m, char *rest, struct why *why)
{
	char *short_name = next_word(&rest);

	if (m->teams == 2)
		return fail(why, STATUS_BAD_DATA, "a third team");

	enum status s = set_text(m->short_name[m->teams], sizeof m->short_name[0], short_name, why);

	if (s == STATUS_OK)
		s = set_text(m->team[m->teams], sizeof m->team[0], skip_blanks(rest), why);
	if (s == STATUS_OK)
		m->teams++;
	return s;
}

/* "20 of 6" */
static enum status read_overs(struct matchfile *m, char *rest, struct why *why)
{
	char *overs = next_word(&rest);
	char *of = next_word(&rest);

	if (!read_count(overs, 60, &m->overs) || strcmp(of, "of") != 0 ||
		!read_count(next_word(&rest), 10, &m->over_balls) || m->over_balls == 0)
		return fail(why, STATUS_BAD_DATA, "not 'overs 20 of 6'");
	return STATUS_OK;
}

static enum status read_toss(struct matchfile *m, char *rest, struct why *why)
{
	enum status s = find_team(m, next_word(&rest), &m->toss_team, why);
	char *choice = next_word(&rest);

	if (s != STATUS_OK)
		return s;
	if (strcmp(choice, "bat") != 0 && strcmp(choice, "bowl") != 0)
		return fail(why, STATUS_BAD_DATA, "the toss is for 'bat' or 'bowl'");
	m->tossed = true;
	m->toss_bowl = strcmp(choice, "bowl") == 0;
	return STATUS_OK;
}

static enum status read_innings(struct matchfile *m, char *rest, bool super_over, struct why *why)
{
	unsigned team = 0;
	enum status s = find_team(m, next_word(&rest), &team, why);

	if (s != STATUS_OK)
		return s;
	if (m->teams < 2 || m->over_balls == 0)
		return fail(why, STATUS_BAD_DATA,
			"both teams and 'overs' come before the first innings");
	if (m->count == MATCHFILE_INNINGS)
		return fail(why, STATUS_BAD_DATA, "more than %d innings", MATCHFILE_INNINGS);
	if (!super_over && m->count > 0 && m->innings[m->count - 1].super_over)
		return fail(why, STATUS_BAD_DATA, "an innings after a super over");

	struct matchfile_innings *i = &m->innings[m->count++];

	i->team = team;
	i->super_over = super_over;
	i->limit = m->overs * m->over_balls;
	return STATUS_OK;
}

static struct matchfile_innings *last_innings(struct matchfile *m)
{
	return m->count > 0 ? &m->innings[m->count - 1] : NULL;
}

/* "189 in 20", "81 in 7.4" (overs and balls). */
static enum status read_target(struct matchfile *m, char *rest, struct why *why)
{
	struct matchfile_innings *i = last_innings(m);
	char *runs = next_word(&rest);
	char *in = next_word(&rest);
	char *overs = next_word(&rest);
	char *dot = strchr(overs, '.');
	unsigned whole = 0, balls = 0;

	if (dot)
		*dot++ = '\0';
	if (!i || !read_count(runs, 9999, &i->target) || strcmp(in, "in") != 0 ||
		!read_count(overs, 60, &whole) || (dot && !read_count(dot, 9, &balls)))
		return fail(why, STATUS_BAD_DATA, "not 'target 189 in 20' within an innings");
	i->limit = whole * m->over_balls + balls;
	return STATUS_OK;
}

static enum status read_penalty(struct matchfile *m, char *rest, struct why *why)
{
	struct matchfile_innings *i = last_innings(m);
	unsigned runs;

	if (!i || !read_count(next_word(&rest), 99, &runs))
		return fail(why, STATUS_BAD_DATA, "not 'penalty 5' within an innings");
	if (i->count == 0)
		i->before += runs;
	else
		i->after += runs;
	return STATUS_OK;
}

/* "4", ".", "2wd", "nb", "4lb", "1W", "W", "wdW" */
static bool read_ball(const char *word, struct matchfile_ball *out)
{
	static const struct {
		const char *name;
		bool legal, counts; /* counts: one run by itself */
	} kinds[] = {
		{"wd", false, true}, {"nb", false, true}, {"lb", true, false}, {"b", true, false}};
	const char *p = word;
	bool digits = *p >= '0' && *p <= '9';

	*out = (struct matchfile_ball){.legal = true};
	if (*p == '.')
		p++;
	for (; *p >= '0' && *p <= '9' && out->runs < 10; p++)
		out->runs = (uint8_t)(out->runs * 10 + (*p - '0'));
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t length = strlen(kinds[i].name);

		if (strncmp(p, kinds[i].name, length) != 0)
			continue;
		out->legal = kinds[i].legal;
		if (!digits && kinds[i].counts)
			out->runs = 1;
		p += length;
		break;
	}
	if (*p == 'W') {
		out->wicket = true;
		p++;
	}
	return p > word && *p == '\0';
}

/* "7: . 1 4": the number is for the reader of the file, but must be the right one. */
static enum status read_over(struct matchfile *m, char *line, struct why *why)
{
	struct matchfile_innings *i = last_innings(m);
	char *colon = strchr(line, ':');
	bool first = true;
	unsigned over, wanted = 1;

	if (!i || !colon)
		return fail(why, STATUS_BAD_DATA, "not an over '7: . 1 4' within an innings");
	*colon = '\0';
	for (unsigned b = 0; b < i->count; b++)
		wanted += i->balls[b].first;
	if (!read_count(line, 99, &over) || over != wanted)
		return fail(why, STATUS_BAD_DATA, "over %u is wanted here", wanted);
	for (char *rest = colon + 1, *word; *(word = next_word(&rest)); first = false) {
		if (i->count == MATCHFILE_BALLS)
			return fail(why, STATUS_BAD_DATA, "more than %d balls", MATCHFILE_BALLS);
		if (!read_ball(word, &i->balls[i->count]))
			return fail(why, STATUS_BAD_DATA, "no ball: '%s'", word);
		i->balls[i->count++].first = first;
	}
	return first ? fail(why, STATUS_BAD_DATA, "an over without a ball") : STATUS_OK;
}

static enum status read_key(struct matchfile *m, const char *key, char *rest, struct why *why)
{
	const struct {
		const char *key;
		char *out;
		size_t bytes;
	} texts[] = {
		{"id", m->id, sizeof m->id},
		{"series", m->series, sizeof m->series},
		{"name", m->name, sizeof m->name},
		{"type", m->type, sizeof m->type},
		{"venue", m->venue, sizeof m->venue},
		{"start", m->start, sizeof m->start},
		{"result", m->result, sizeof m->result},
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strcmp(texts[i].key, key) == 0)
			return set_text(texts[i].out, texts[i].bytes, skip_blanks(rest), why);
	if (strcmp(key, "team") == 0)
		return read_team(m, rest, why);
	if (strcmp(key, "overs") == 0)
		return read_overs(m, rest, why);
	if (strcmp(key, "toss") == 0)
		return read_toss(m, rest, why);
	if (strcmp(key, "innings") == 0)
		return read_innings(m, rest, false, why);
	if (strcmp(key, "super") == 0)
		return read_innings(m, rest, true, why);
	if (strcmp(key, "target") == 0)
		return read_target(m, rest, why);
	if (strcmp(key, "penalty") == 0)
		return read_penalty(m, rest, why);
	return fail(why, STATUS_BAD_DATA, "no such key: '%s'", key);
}

static enum status read_line(struct matchfile *m, const char *bytes, size_t length, struct why *why)
{
	char line[LINE_MAX_BYTES];

	while (length > 0 && is_blank(bytes[length - 1]))
		length--;
	if (length >= sizeof line || memchr(bytes, '\0', length))
		return fail(why, STATUS_BAD_DATA, "over-long, or no text");
	memcpy(line, bytes, length);
	line[length] = '\0';

	char *rest = skip_blanks(line);

	if (*rest == '\0' || *rest == '#')
		return STATUS_OK;
	if (*rest >= '0' && *rest <= '9')
		return read_over(m, rest, why);

	char *key = next_word(&rest);

	return read_key(m, key, rest, why);
}

static enum status check_whole(const struct matchfile *m, struct why *why)
{
	if (!m->id[0] || !m->name[0] || !m->result[0])
		return fail(why, STATUS_BAD_DATA, "id, name and result are needed");
	if (m->teams < 2 || m->over_balls == 0)
		return fail(why, STATUS_BAD_DATA, "two teams and 'overs' are needed");
	if (strlen(m->start) != strlen("2025-04-16T14:00:00"))
		return fail(why, STATUS_BAD_DATA, "'start' is no 2025-04-16T14:00:00");
	return STATUS_OK;
}

enum status matchfile_read(struct matchfile *out, const char *text, size_t length, struct why *why)
{
	const char *end = text + length;
	unsigned number = 0;

	memset(out, 0, sizeof *out);
	for (const char *line = text; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = end;
		number++;

		enum status s = read_line(out, line, (size_t)(stop - line), why);

		if (s != STATUS_OK)
			return why_prefix(why, s, "line %u", number);
		line = stop + 1;
	}
	return check_whole(out, why);
}
