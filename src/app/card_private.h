/* card_private.h - private to app/: what the files of card share. */
#pragma once
#include "app/arena.h"
#include "app/card.h"
#include "app/envfile.h"
#include "app/settings_private.h"
#include "base/buffer.h"
#include "board/seal.h"
#include <limits.h>

/* A file that is something else altogether need not be complained of line by line. */
enum { UNREADABLE = 30 };

/* One reading under way. */
struct card {
	const struct card_request *request;
	char *text; /* the file's bytes */
	size_t length;
	struct envfile file;
	struct arena arena;
	struct config scratch; /* where values go to be checked */
	/* Of each entry whose value counts, in the arena; else NULL. */
	const char *value[ENVFILE_LINES];
	struct seal seal;
	bool seal_open, waits, no_memory;
	bool sealed[SETTINGS_MAX]; /* moved just now */
	/* Lines that are none of settings, until their turn comes. */
	struct {
		unsigned line;
		char text[80];
	} unreadable[UNREADABLE];
	unsigned unreadable_count, unreadable_said;
	struct buffer lines, said;
};

/* Line 0: of no line; the text says of what. */
void card_say(struct card *c, unsigned line, const char *format, ...) PRINTF_LIKE(3, 4);
/* The place of the file's last entry of this name; -1: none. */
int card_last_of(const struct card *c, const char *name);
void card_put_line(struct card *c, const char *name, const char *suffix, const char *value);

/* card_seal.c: what is sealed, and what is to be. */
void card_open_seal(struct card *c);
void card_seal_secrets(struct card *c);
void card_put_sealed(struct card *c, const struct setting *s);
/* *path: of the sealed secret, where there is one. */
bool card_has_sealed(const struct card *c, const char *name, char path[PATH_MAX]);
enum status card_check_secret_file(
	struct card *c, const struct setting *s, const char *path, struct why *why) MUST_CHECK;
