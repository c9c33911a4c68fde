/* settings_private.h - private to app/: what the files of settings share. */
#pragma once
#include "app/arena.h"
#include "app/envfile.h"
#include "app/setting.h"
#include "app/settings.h"

#define SETTINGS_PREFIX "SCOREBOX_"

enum setting_origin { FROM_DEFAULT, FROM_ENVIRONMENT, FROM_FILE };

struct setting_value {
	const char *text; /* as it counts, in the arena or the table; never NULL */
	enum setting_origin origin;
	bool by_file; /* a secret that came by NAME_FILE */
	bool bad;     /* its own text is wrong: it is not complained of twice */
};

struct settings {
	struct config config;
	struct arena arena;
	struct setting_value value[SETTINGS_MAX];
};

/* One load under way. */
struct loading {
	struct settings *made;
	const struct settings_request *request;
	struct envfile file;
	unsigned wrong; /* complaints so far */
	bool no_memory;
	unsigned purpose;
};

void loading_wrong(struct loading *l, const char *format, ...) PRINTF_LIKE(2, 3);
void loading_warn(struct loading *l, const char *format, ...) PRINTF_LIKE(2, 3);
/* Copies into the arena; "" and `no_memory` when that fails. */
char *loading_keep(struct loading *l, const char *text);
bool loading_given(
	const struct loading *l, const char *name); /* set, by the environment or the file */
bool loading_bad(const struct loading *l, const char *name);

/* settings_store.c. Blanks and line ends around a value are never meant. */
void setting_trim(char *text);
bool setting_has_control(const char *text);
/* Reads `text` into the field of `s`. */
enum status setting_store(struct config *config, const struct setting *s, const char *text,
	struct why *why) MUST_CHECK;
/* settings_names.c: warns of every SCOREBOX_ name that is no setting. */
void settings_look_at_names(struct loading *l);
/* settings_cross.c: what must be set, and what must fit together. */
void settings_cross_check(struct loading *l);
/* settings_registry.c: the part of it that is about the schema registry. */
void settings_check_registry(struct loading *l);
