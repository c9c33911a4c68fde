/* verb_help.c - help and version. */
#include "app/schema.h"
#include "app/verb.h"
#include "board/led.h"

#include <stdio.h>
#include <string.h>

static void print_verbs(FILE *out)
{
	fputs("scorebox - polls a live cricket score API, publishes every change to Kafka, keeps an Excel\n"
	      "workbook per match.\n\n"
	      "  scorebox [--env-file FILE] VERB [OPTIONS]     without a verb: what SCOREBOX_MODE says\n\n"
	      "Verbs\n",
		out);
	for (const struct verb *v = verbs; v->name; v++)
		fprintf(out, "  %-14s %s\n", v->name, v->help);
	fputs("\n`scorebox help VERB` tells a verb's options. Exit codes: 0 done, 64 usage, 69 a peer could not be\n"
	      "reached, 70 internal, 74 storage, 75 another instance runs here, 78 settings.\n\n",
		out);
}

static int print_verb(const char *name)
{
	bool found = false;
	size_t length = strlen(name);

	for (const struct verb *v = verbs; v->name; v++) {
		if (strncmp(v->name, name, length) || (v->name[length] && v->name[length] != ' '))
			continue;
		printf("%sscorebox %s%s%s\n  %s\n", found ? "\n" : "", v->name,
			*v->usage ? " " : "", v->usage, v->help);
		options_print(stdout, v->options, v->needs != NEEDS_NOTHING);
		found = true;
	}
	return found ? EXIT_DONE : usage_error("there is no verb '%s'", name);
}

int verb_help(struct call *call)
{
	int code = EXIT_DONE;

	if (call->options.markdown)
		settings_print_markdown(stdout);
	else if (call->options.example)
		settings_print_example(stdout);
	else if (call->options.leds)
		led_print_markdown(stdout);
	else if (call->options.card)
		settings_print_card(stdout);
	else if (call->options.man)
		print_man(stdout);
	else if (call->options.completion)
		print_completion(stdout);
	else if (call->options.schema)
		fwrite(schema_match, 1, schema_match_bytes, stdout);
	else if (call->options.word)
		code = print_verb(call->options.word);
	else {
		print_verbs(stdout);
		settings_print_help(stdout);
	}
	return fflush(stdout) ? EXIT_STORAGE : code;
}
