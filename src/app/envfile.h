/* envfile.h - a file of NAME=value lines, read by us and never by a shell:
 *
 *	# a comment
 *	SCOREBOX_API_KEY = abc-123		# blanks around, a comment after a blank
 *	SCOREBOX_MATCHES="India, England"	# \" and \\ within double quotes
 *	export SCOREBOX_KAFKA_TOPIC='a b$c'	# nothing is special within single quotes
 *
 * CR LF line ends and a UTF-8 byte order mark are fine. A value ends with its line; nothing is ever
 * expanded. A line that is none of this is reported with its number, and the others still count. */
#pragma once
#include "base/status.h"
#include <stddef.h>

enum { ENVFILE_BYTES = 64 * 1024, ENVFILE_LINES = 512 };

struct envfile_entry {
	const char *name, *value; /* into `text` */
	unsigned line;
};
struct envfile {
	char *text; /* owned */
	size_t length;
	struct envfile_entry *entry; /* owned */
	unsigned count;
};
/* One complaint: `line` 1 and up, 0 where it is about the whole file. Never holds a value. */
typedef void envfile_complaint(void *context, unsigned line, const char *text);

/* Reads PATH. STATUS_IO, STATUS_NOT_FOUND, ... as file_read tells. */
enum status envfile_read(struct envfile *out, const char *path, envfile_complaint *complain,
	void *context, struct why *why) MUST_CHECK;
/* The same from memory; `text` is copied. */
enum status envfile_parse(struct envfile *out, const char *text, size_t length,
	envfile_complaint *complain, void *context, struct why *why) MUST_CHECK;
void envfile_done(struct envfile *f); /* wipes and frees; a zeroed one is fine */

/* The value of `name`, the last line wins; NULL where there is none. */
const char *envfile_find(const struct envfile *f, const char *name);
