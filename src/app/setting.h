/* setting.h - private to app/: the one table of settings. It parses them, makes `help`, the
 * README's table and the example file. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SETTING_TEXT,	  /* const char * */
	SETTING_FILE,	  /* const char *, a file that we must be able to read */
	SETTING_SECRET,	  /* const char *, also as NAME_FILE, never shown */
	SETTING_WORD,	  /* an enum: the place in `words` */
	SETTING_DURATION, /* int64_t, ms */
	SETTING_SIZE,	  /* uint64_t, bytes */
	SETTING_POLL,	  /* "auto" or a duration */
};

enum setting_section {
	SECTION_PROCESS,
	SECTION_SOURCE,
	SECTION_POLLING,
	SECTION_KAFKA,
	SECTION_REGISTRY,
	SECTION_STORAGE,
	SECTION_BOOKS,
	SECTION_BOARD,
	SECTION_COUNT,
};

struct setting {
	const char *name;
	enum setting_section section;
	enum setting_type type;
	const char *fallback; /* the default as it would be written; "" none */
	size_t offset;	      /* in struct config */
	const char *shown;    /* the default in words, where `fallback` does not tell it, or NULL */
	const char *words;    /* of SETTING_WORD, in the order of the enum */
	int64_t least, most;  /* of durations (ms) and sizes (bytes) */
	enum status (*check)(const char *text, struct why *why); /* of texts; NULL none */
	bool hide;	     /* a wrong value is not repeated: it may hold a password */
	const char *meaning; /* one sentence, plain text */
};

enum { SETTINGS_MAX = 80 };
extern const struct setting settings_table[];
extern const size_t settings_count;
extern const char *const setting_sections[SECTION_COUNT];

/* The default as `help` and the README show it. */
const char *setting_default(const struct setting *s);
/* The place of a name in the table, -1 where it has none. */
int setting_place(const char *name);
/* The setting that `name` is of; *as_file: it is a secret's NAME_FILE. NULL: of none. */
const struct setting *setting_of_name(const char *name, bool *as_file);
/* The name (NAME_FILE of secrets too) nearest to a misspelt one; NULL where none is near. */
const char *setting_nearest(const char *name, char *out, size_t out_bytes);

/* Checks of single texts (checks.c). */
enum status check_url(const char *text, struct why *why) MUST_CHECK;
enum status check_registry_url(const char *text, struct why *why) MUST_CHECK;
enum status check_user(const char *text, struct why *why) MUST_CHECK;
enum status check_password(const char *text, struct why *why) MUST_CHECK;
enum status check_oauth_url(const char *text, struct why *why) MUST_CHECK;
enum status check_proxy(const char *text, struct why *why) MUST_CHECK;
enum status check_key(const char *text, struct why *why) MUST_CHECK;
enum status check_param(const char *text, struct why *why) MUST_CHECK;
enum status check_header(const char *text, struct why *why) MUST_CHECK;
enum status check_source_name(const char *text, struct why *why) MUST_CHECK;
enum status check_timezone(const char *text, struct why *why) MUST_CHECK;
enum status check_brokers(const char *text, struct why *why) MUST_CHECK;
enum status check_group(const char *text, struct why *why) MUST_CHECK;
enum status check_folder(const char *text, struct why *why) MUST_CHECK;
/* Of the SD image (checks_board.c). Lists are separated by commas, blanks or both. */
enum status check_hostname(const char *text, struct why *why) MUST_CHECK;
enum status check_servers(const char *text, struct why *why) MUST_CHECK;
enum status check_net_address(const char *text, struct why *why) MUST_CHECK;
enum status check_addresses(const char *text, struct why *why) MUST_CHECK;
