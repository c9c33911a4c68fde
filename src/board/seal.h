/* seal.h - secrets that move from a settings file on the card's FAT, which any laptop shows, to a folder of the
 * data partition. Whenever the power goes out a secret is whole in the file, in the folder, or in both:
 *
 *	seal_store	FOLDER/NAME is on the disk, and was read back
 *	seal_blot	FOLDER/.sealing remembers the line and its place; the line is overwritten in the
 *			file's own clusters by a comment of the same length; .sealing goes
 *	seal_open	ends what a .sealing of before tells of, whatever mixture the line is by then
 *
 * One process at a time. Nothing here knows what the names mean. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <sys/types.h>

struct seal {
	const char *folder; /* lent */
	int fd;		    /* of the settings file, for writing; -1: it cannot be written */
	uid_t owner;	    /* of the folder, and of what is put there */
	gid_t group;
};

/* Takes up `folder`; `text` of `length` bytes is what was read of `file`, and comes out as the file is once an
 * overwriting that was cut off is ended. *waits: the file cannot be written though that is needed; the next
 * start does it. A file that cannot be written is no failure by itself. */
enum status seal_open(struct seal *out, const char *folder, const char *file, char *text,
	size_t length, bool *waits, struct why *why) MUST_CHECK;
void seal_close(struct seal *s);

/* FOLDER/NAME holds `value`, for its owner to read and nobody to write; takes an older one's place. */
enum status seal_store(
	const struct seal *s, const char *name, const char *value, struct why *why) MUST_CHECK;
/* The line of `length` bytes at `offset` of the file, which reads `line`, becomes a comment. */
enum status seal_blot(const struct seal *s, const char *name, const char *line, size_t length,
	off_t offset, struct why *why) MUST_CHECK;
