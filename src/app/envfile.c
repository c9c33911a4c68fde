/* envfile.c - NAME=value lines, cut up in place. */
#include "app/envfile.h"

#include "base/file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *p)
{
	while (blank(*p))
		p++;
	return p;
}

static bool name_char(char c, bool first)
{
	return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (!first && c >= '0' && c <= '9');
}

/* `p` stands behind the opening quote. Unescapes in place; NULL where the quote does not close or
 * something follows it. */
static const char *quoted(char *p, char quote, const char **problem)
{
	char *start = p, *to = p;

	for (; *p != quote; p++) {
		if (!*p) {
			*problem = "the quote is not closed";
			return NULL;
		}
		if (quote == '"' && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		*to++ = *p;
	}
	char *after = skip_blanks(p + 1);

	if (*after && *after != '#') {
		*problem = "text stands behind the closing quote";
		return NULL;
	}
	*to = '\0';
	return start;
}

/* Without quotes a comment begins at a # behind a blank. */
static const char *plain(char *start)
{
	char *end = start;

	if (*start == '#')
		*start = '\0';
	for (char *p = start; *p; p++) {
		if (*p == '#' && blank(p[-1]))
			break;
		if (!blank(*p))
			end = p + 1;
	}
	*end = '\0';
	return start;
}

/* Returns the problem, NULL when the line is fine; `out->name` stays NULL on an empty line. */
static const char *read_line(char *line, struct envfile_entry *out)
{
	const char *problem = NULL;
	char *p = skip_blanks(line);

	out->name = NULL;
	if (!*p || *p == '#')
		return NULL;
	if (!strncmp(p, "export", 6) && blank(p[6]))
		p = skip_blanks(p + 6);

	char *name = p;

	while (name_char(*p, p == name))
		p++;
	char *name_end = p;

	p = skip_blanks(p);
	if (p == name || *p != '=')
		return "expected NAME=value";
	p = skip_blanks(p + 1);
	*name_end = '\0';
	out->value = *p == '"' || *p == '\'' ? quoted(p + 1, *p, &problem) : plain(p);
	if (!problem)
		out->name = name;
	return problem;
}

/* Editors on other systems save other encodings: say so instead of complaining about every line. */
static const char *wrong_encoding(const char *text, size_t length)
{
	if (length >= 2 && (!memcmp(text, "\xFF\xFE", 2) || !memcmp(text, "\xFE\xFF", 2)))
		return "it is UTF-16; save it as UTF-8";
	if (memchr(text, '\0', length))
		return "it holds NUL bytes; save it as plain text";
	return NULL;
}

static void read_lines(struct envfile *f, char *p, envfile_complaint *complain, void *context)
{
	for (unsigned line = 1; *p; line++) {
		size_t length = strcspn(p, "\r\n");
		char *next = p + length;

		if (next[0] == '\r' && next[1] == '\n')
			next++;
		if (*next)
			*next++ = '\0';
		p[length] = '\0';

		struct envfile_entry entry = {.line = line};
		const char *problem = read_line(p, &entry);

		if (!problem && entry.name && f->count == ENVFILE_LINES)
			problem = "more settings than the file may hold";
		if (problem)
			complain(context, line, problem);
		else if (entry.name)
			f->entry[f->count++] = entry;
		p = next;
	}
}

/* Takes `text`, which ends with a NUL. */
static enum status take(struct envfile *out, char *text, size_t length, envfile_complaint *complain,
	void *context, struct why *why)
{
	const char *wrong = wrong_encoding(text, length);
	struct envfile f = {.text = text, .length = length};

	if (wrong) {
		free(text);
		return fail(why, STATUS_BAD_DATA, "%s", wrong);
	}
	f.entry = calloc(ENVFILE_LINES, sizeof *f.entry);
	if (!f.entry) {
		free(text);
		return fail(why, STATUS_NO_MEMORY, "out of memory");
	}
	read_lines(&f, !strncmp(text, "\xEF\xBB\xBF", 3) ? text + 3 : text, complain, context);
	*out = f;
	return STATUS_OK;
}

enum status envfile_parse(struct envfile *out, const char *text, size_t length,
	envfile_complaint *complain, void *context, struct why *why)
{
	char *copy = length <= ENVFILE_BYTES ? malloc(length + 1) : NULL;

	if (length > ENVFILE_BYTES)
		return fail(why, STATUS_FULL, "it is longer than 64 KiB");
	if (!copy)
		return fail(why, STATUS_NO_MEMORY, "out of memory");
	memcpy(copy, text, length);
	copy[length] = '\0';
	return take(out, copy, length, complain, context, why);
}

enum status envfile_read(struct envfile *out, const char *path, envfile_complaint *complain,
	void *context, struct why *why)
{
	char *text;
	size_t length;
	enum status s = file_read(path, ENVFILE_BYTES, &text, &length, why);

	return s == STATUS_OK ? take(out, text, length, complain, context, why) : s;
}

void envfile_done(struct envfile *f)
{
	if (f->text)
		explicit_bzero(f->text, f->length);
	free(f->text);
	free(f->entry);
	*f = (struct envfile){0};
}

const char *envfile_find(const struct envfile *f, const char *name)
{
	for (unsigned i = f->count; i-- > 0;)
		if (!strcmp(f->entry[i].name, name))
			return f->entry[i].value;
	return NULL;
}
