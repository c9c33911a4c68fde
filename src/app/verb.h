/* verb.h - private to app/: the verbs of the command line, and what each is given. */
#pragma once
#include "app/options.h"
#include "app/settings.h"
#include "service/service.h"

/* Which settings a verb wants. */
enum verb_needs {
	NEEDS_NOTHING,
	NEEDS_MODE, /* of SCOREBOX_MODE */
	NEEDS_PRODUCE,
	NEEDS_CONSUME,
	NEEDS_BOTH,
	NEEDS_DRAIN,	 /* Kafka, writing */
	NEEDS_BOOKS,	 /* the output folder */
	NEEDS_STORE,	 /* all must be right, nothing must be set */
	NEEDS_STATE_DIR, /* nothing but the state folder is looked at */
};

struct call;
struct verb {
	const char *name; /* one word, or two; "": none was given */
	enum verb_needs needs;
	unsigned options;  /* of enum option */
	bool raw;	   /* reads its own arguments */
	const char *usage; /* behind the name */
	const char *help;  /* one line */
	int (*run)(struct call *call);
};
extern const struct verb verbs[]; /* ends with name NULL */

struct call {
	const struct verb *verb;
	struct options options;
	struct settings_request request; /* how the settings are read: again on SIGHUP */
	struct settings *settings;	 /* NULL with NEEDS_NOTHING */
	const struct config *config;	 /* of `settings` */
	int argc;			 /* of raw verbs: argv[0] is the verb */
	char **argv;
};

/* Reads the command line. EXIT_DONE: call->verb is to be run; another code: all was said. */
int call_read(struct call *call, int argc, char **argv);
/* Reads the settings that the verb wants; all that is wrong goes to the log. An exit code. */
int call_settings(struct call *call);
/* Puts the command line's options into a config. */
void call_apply(const struct call *call, struct config *config);

/* A usage error: one line on stderr; returns EXIT_WRONG_USAGE. */
int usage_error(const char *format, ...) PRINTF_LIKE(1, 2);
/* The exit code that tells what `s` was about. */
int exit_code_of(enum status s);

int verb_run(struct call *call); /* produce, consume, both */
int verb_drain(struct call *call);
int verb_books(struct call *call);
int verb_check(struct call *call);
int verb_status(struct call *call);
int verb_demo(struct call *call);
int verb_serve(struct call *call);
int verb_broker(struct call *call);
int verb_spool_ls(struct call *call);
int verb_spool_verify(struct call *call);
int verb_board_run(struct call *call);
int verb_update(struct call *call);
int verb_version(struct call *call);
int verb_help(struct call *call);
/* The manual page, scorebox(8). */
void print_man(FILE *out);
/* A script for bash that completes verbs, options and files. */
void print_completion(FILE *out);
