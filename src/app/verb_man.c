/* verb_man.c - `help --man`: scorebox(8), from the tables of verbs and settings. */
#include "app/setting.h"
#include "app/verb.h"

/* roff: a hyphen is a minus, a backslash is written \e, and a line must not begin as a request. */
static void print_text(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else if (*text == '~')
			fputs("\\(ti", out);
		else if (*text == '\n')
			fputc(' ', out);
		else
			fputc(*text, out);
	}
}

static void print_item(FILE *out, const char *name, const char *more, const char *text)
{
	fputs(".TP\n\\fB", out);
	print_text(out, name);
	fputs("\\fR", out);
	if (*more) {
		fputc(' ', out);
		print_text(out, more);
	}
	fputc('\n', out);
	print_text(out, text);
	fputc('\n', out);
}

static void print_verbs(FILE *out)
{
	fputs(".SH VERBS\n", out);
	for (const struct verb *v = verbs; v->name; v++)
		print_item(out, v->name, v->usage, v->help);
}

static void print_setting(FILE *out, const struct setting *s)
{
	print_item(out, s->name, s->type == SETTING_SECRET ? "(or NAME_FILE)" : "", s->meaning);
	if (s->type == SETTING_WORD) {
		fputs("One of: ", out);
		print_text(out, s->words);
		fputs(".\n", out);
	}
	if (*setting_default(s)) {
		fputs("Default: ", out);
		print_text(out, setting_default(s));
		fputs(".\n", out);
	}
}

static void print_settings(FILE *out)
{
	int section = -1;

	fputs(".SH SETTINGS\nEnvironment variables, or NAME=value lines of an env file; the "
	      "environment wins. Sizes take KiB, MiB, GiB; durations ms, s, m, h.\n",
		out);
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		if ((int)s->section != section)
			fprintf(out, ".SS %s\n", setting_sections[s->section]);
		section = (int)s->section;
		print_setting(out, s);
	}
}

static void print_files(FILE *out)
{
	fputs(".SH FILES\n", out);
	print_item(out, "/etc/default/scorebox", "",
		"Settings of both services; all of them stand in it, commented, with their defaults. "
		"Only root and the user scorebox read it.");
	print_item(out, "/etc/scorebox/", "",
		"A place for keys and passwords that the settings name by NAME_FILE: files of mode 0640 "
		"and group scorebox.");
	print_item(out, "scorebox-produce.service, scorebox-consume.service", "",
		"The verbs produce and consume as services, which run as the user scorebox. They are "
		"installed neither enabled nor started.");
	print_item(out, "/var/lib/scorebox/produce/, /var/lib/scorebox/consume/", "",
		"State of the two services: spool, journal, and what status prints.");
}

static void print_examples(FILE *out)
{
	fputs(".SH EXAMPLES\n", out);
	print_item(out, "scorebox demo", "",
		"The whole path on this machine; neither a key nor Kafka is needed.");
	print_item(out, "scorebox --env-file /etc/default/scorebox check --online", "",
		"What is wrong with the services' settings, tried for real. As root.");
	print_item(out, "systemctl enable --now scorebox-produce scorebox-consume", "",
		"Starts the services, now and at each boot.");
	print_item(out, "systemctl reload scorebox-produce", "",
		"Settings, secrets and certificates are read again.");
}

void print_man(FILE *out)
{
	fputs(".TH SCOREBOX 8 \"\" \"scorebox " SCOREBOX_VERSION "\" \"System administration\"\n"
	      ".SH NAME\n"
	      "scorebox \\- cricket scores from an HTTPS API through Kafka into Excel workbooks\n"
	      ".SH SYNOPSIS\n"
	      ".B scorebox\n"
	      "[\\fB\\-\\-env\\-file\\fR \\fIFILE\\fR] [\\fIVERB\\fR [\\fIOPTIONS\\fR]]\n"
	      ".SH DESCRIPTION\n"
	      "Polls a live cricket score API over TLS, publishes every change of every match to\n"
	      "Kafka, and keeps one Excel workbook per match. Without a verb it runs what\n"
	      "SCOREBOX_MODE says.\n",
		out);
	print_verbs(out);
	print_settings(out);
	fputs(".SH SIGNALS\n"
	      "SIGTERM and SIGINT end it within 10 s. SIGHUP reads the settings, secrets and\n"
	      "certificates again and polls at once; it names what counts only after a restart.\n"
	      ".SH EXIT STATUS\n"
	      "0 done; 64 usage; 69 a peer could not be reached; 70 internal, or out of memory; 74\n"
	      "storage; 75 another instance runs here; 78 settings, or fenced by another box.\n",
		out);
	print_files(out);
	print_examples(out);
	fputs(".SH SEE ALSO\n"
	      "systemd.exec(5) for LoadCredential=, fstab(5), journalctl(1);\n"
	      "/usr/share/doc/scorebox/README.md.gz.\n",
		out);
}
