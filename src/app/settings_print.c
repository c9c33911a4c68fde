/* settings_print.c - the table of settings in its four forms. */
#include "app/settings_private.h"

#include <string.h>

static void print_wrapped(FILE *out, const char *indent, const char *text, size_t width)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column && column + 1 + word > width) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, "%s%.*s", column ? " " : indent, (int)word, text);
		column += (column ? 1 : 0) + word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

/* The words of a list belong to what is known of a setting; its sentence need not repeat them. */
static void choices(const struct setting *s, char *out, size_t out_bytes)
{
	size_t length = 0;

	out[0] = '\0';
	if (s->type == SETTING_WORD)
		length = (size_t)snprintf(out, out_bytes, "%s", s->words);
	for (size_t i = 0; i < length; i++)
		if (out[i] == ' ')
			out[i] = '|';
}

static void each_section(
	FILE *out, void (*head)(FILE *, const char *), void (*row)(FILE *, const struct setting *))
{
	int section = -1;

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		if ((int)s->section != section) {
			section = (int)s->section;
			head(out, setting_sections[section]);
		}
		row(out, s);
	}
}

/* ---- help ---- */

static void help_head(FILE *out, const char *name)
{
	fprintf(out, "\n%s\n", name);
}

static void help_row(FILE *out, const struct setting *s)
{
	const char *fallback = setting_default(s);
	char words[80], text[400];

	choices(s, words, sizeof words);
	fprintf(out, "  %s%s%s%s\n", s->name, s->type == SETTING_SECRET ? " or " : "",
		s->type == SETTING_SECRET ? s->name : "", s->type == SETTING_SECRET ? "_FILE" : "");
	snprintf(text, sizeof text, "%s%s%s%s%s%s%s", s->meaning, *words ? " One of " : "", words,
		*words ? "." : "", *fallback ? " Default: " : "", fallback, *fallback ? "." : "");
	print_wrapped(out, "      ", text, 84);
}

void settings_print_help(FILE *out)
{
	fputs("Settings (environment variables, or NAME=value lines of --env-file; the environment wins).\n"
	      "Sizes take KiB, MiB, GiB; durations ms, s, m, h.\n",
		out);
	each_section(out, help_head, help_row);
}

/* ---- the README's table ---- */

static void print_cell(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|' || *text == '<' || *text == '~' || *text == '*')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void markdown_head(FILE *out, const char *name)
{
	fprintf(out, "\n**%s**\n\n| name | default | meaning |\n|---|---|---|\n", name);
}

static void markdown_row(FILE *out, const struct setting *s)
{
	const char *fallback = setting_default(s);
	char words[80];

	choices(s, words, sizeof words);
	fprintf(out, "| `%s` | ", s->name);
	print_cell(out, *fallback ? fallback : "–");
	fputs(" | ", out);
	print_cell(out, s->meaning);
	if (*words) {
		fputs(" One of ", out);
		for (const char *word = words; *word;) {
			size_t n = strcspn(word, "|");

			fprintf(out, "`%.*s`%s", (int)n, word, word[n] ? ", " : ".");
			word += n + (word[n] == '|');
		}
	}
	if (s->type == SETTING_SECRET)
		fprintf(out, " Better: `%s_FILE`, a file that holds it.", s->name);
	fputs(" |\n", out);
}

void settings_print_markdown(FILE *out)
{
	each_section(out, markdown_head, markdown_row);
}

/* ---- the example file ---- */

static void example_head(FILE *out, const char *name)
{
	fprintf(out, "\n# ---- %s ----\n", name);
}

static void example_row(FILE *out, const struct setting *s)
{
	char words[80];

	choices(s, words, sizeof words);
	fputc('\n', out);
	print_wrapped(out, "# ", s->meaning, 94);
	if (*words)
		fprintf(out, "# One of %s.\n", words);
	if (s->shown || !*s->fallback)
		fprintf(out, "# Default: %s\n", s->shown ? s->shown : "none");
	fprintf(out, "#%s%s=%s\n", s->name, s->type == SETTING_SECRET ? "_FILE" : "", s->fallback);
}

void settings_print_example(FILE *out)
{
	fputs("# Settings of scorebox: NAME=value lines, never run by a shell. What is commented out has its default.\n"
	      "# Secrets are best named by file (NAME_FILE). As /etc/default/scorebox it is what both services read;\n"
	      "# they take the verb from their unit, and each has a state folder of its own. After a change:\n"
	      "#   scorebox --env-file /etc/default/scorebox check\n"
	      "#   systemctl enable --now scorebox-produce scorebox-consume    (reload, where they run already)\n",
		out);
	each_section(out, example_head, example_row);
}

/* ---- as they count ---- */

/* A text's field tells more than its default does: pointers come from the source's profile. */
static const char *value_text(const struct settings *s, size_t i)
{
	const struct setting *setting = &settings_table[i];
	const char *text = s->value[i].text;

	if (setting->type == SETTING_TEXT || setting->type == SETTING_FILE)
		memcpy(&text, (const char *)&s->config + setting->offset, sizeof text);
	return *text || setting->type == SETTING_SECRET ? text : setting_default(setting);
}

static void shown_value(const struct settings *s, size_t i, char *out, size_t out_bytes)
{
	const char *text = value_text(s, i);

	if (!*text)
		snprintf(out, out_bytes, "-");
	else if (settings_table[i].type == SETTING_SECRET)
		snprintf(out, out_bytes, "*** (%zu characters)", strlen(text));
	else
		log_redact(text, strlen(text), out, out_bytes);
}

void settings_print_effective(const struct settings *s, FILE *out)
{
	static const char *const origins[] = {"default", "environment", "env file"};

	for (size_t i = 0; i < settings_count; i++) {
		char text[600];

		shown_value(s, i, text, sizeof text);
		fprintf(out, "  %-30s %-44s %s%s\n", settings_table[i].name, text,
			origins[s->value[i].origin], s->value[i].by_file ? ", by _FILE" : "");
	}
}
