/* settings.h - the settings read, checked and shown. They come from the environment and from an
 * --env-file, where the environment wins; secrets also from NAME_FILE. Everything wrong is
 * reported at once; nothing here touches the network or writes a file. */
#pragma once
#include "service/config.h"
#include <stdbool.h>
#include <stdio.h>

/* What the caller is going to do with them: it decides what must be set. */
enum settings_purpose {
	SETTINGS_POLL = 1,	  /* the API */
	SETTINGS_PUBLISH = 2,	  /* Kafka, writing */
	SETTINGS_READ = 4,	  /* Kafka, reading */
	SETTINGS_RENDER = 8,	  /* the output folder */
	SETTINGS_STATE_ONLY = 16, /* just the state folder: nothing else is looked at */
};

/* One line without its end: `text` names the setting and what is expected, never a secret. */
typedef void settings_report(void *context, bool wrong, const char *text);

struct settings_request {
	const char *env_file; /* NULL: none */
	char **environment;   /* ends with NULL; NULL: none */
	bool mode_given;      /* `mode` is of the command line, else SCOREBOX_MODE's */
	enum config_mode mode;
	bool any_purpose; /* take the purpose from the mode */
	unsigned purpose; /* of enum settings_purpose, or'ed */
	settings_report *report;
	void *context;
};

struct settings;
/* STATUS_BAD_DATA: something is wrong, all of it was reported. Level and format of the log are
 * set up first, so that the reports come in the form asked for. Secrets are registered with the
 * log. */
enum status settings_load(
	struct settings **out, const struct settings_request *request, struct why *why) MUST_CHECK;
void settings_free(struct settings *s); /* NULL is fine */
/* The caller may fill in the fields of the command line. Lives as long as `s`. */
struct config *settings_config(struct settings *s);
/* True when neither the environment nor the file names any setting of ours. */
bool settings_none_given(const struct settings_request *request);

/* Reports each setting of `made` that differs from what runs and cannot change while it does. */
void settings_report_fixed(
	const struct settings *running, const struct settings *made, settings_report *report);

/* The table in its four forms, and a few of its rows. */
void settings_print_help(FILE *out);
void settings_print_markdown(FILE *out);
void settings_print_example(FILE *out);
/* The few that a new card's settings file names; lines end in CR LF. */
void settings_print_card(FILE *out);
void settings_print_effective(const struct settings *s, FILE *out);

/* The memory budget of this configuration, as the services share it out. */
enum status settings_budget(
	const struct config *config, struct budget *out, struct why *why) MUST_CHECK;
