/* options.h - what stands on the command line behind a verb. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Which options a verb takes. --env-file and --help are always taken. */
enum option {
	OPTION_SWEEPS = 1,    /* --sweeps N, --once */
	OPTION_TIMEOUT = 2,   /* --timeout DURATION */
	OPTION_UNTIL_END = 4, /* --until-end */
	OPTION_ONLINE =
		8, /* --online, --create-topic, --partitions N, --replication N, --register-schema */
	OPTION_BROKER = 16,  /* --partitions N, --topic T */
	OPTION_FORMS = 32,   /* --markdown, --env, --card, --leds, --man, --completion, --schema */
	OPTION_WORD = 64,    /* one word, such as VERB of `help VERB` */
	OPTION_UPDATE = 128, /* --downgrade, --if-newer, --reboot, --root DIR */
	OPTION_ROOT = 256,   /* --root DIR */
	OPTION_WORDS = 512,  /* two words, such as FILE OUT */
	OPTION_SEAL = 1024,  /* --seal DIR */
};

struct options {
	const char *env_file; /* NULL: none */
	bool help, until_end, online, create_topic, register_schema, markdown, example, card, leds,
		man, completion, schema, downgrade, if_newer, reboot;
	unsigned sweeps;		 /* 0: not given */
	int64_t timeout_ms;		 /* 0: not given */
	unsigned partitions;		 /* 0: not given */
	unsigned replication;		 /* 0: not given */
	const char *topic, *word, *root; /* NULL: not given */
	const char *second_word;	 /* NULL: not given */
	const char *seal;		 /* NULL: not given */
};

/* Reads argv[0..argc) into *out, adding to what is there. "--name value" and "--name=value". With
 * `stop_at_word` it ends at the first word that is no option. *used is how many were read.
 * STATUS_BAD_DATA: usage. */
enum status options_parse(struct options *out, unsigned taken, bool stop_at_word, int argc,
	char **argv, int *used, struct why *why) MUST_CHECK;
/* Some options only count with another one. STATUS_BAD_DATA: usage. */
enum status options_agree(const struct options *o, unsigned taken, struct why *why) MUST_CHECK;
/* The options of `taken`, a line each; --env-file too where settings are read. */
void options_print(FILE *out, unsigned taken, bool settings);
