/* card.h - the settings file of the SD image: from what a person with a laptop wrote on the card's FAT to lines that
 * a shell can grep and the supervisor can split at their first '='. */
#pragma once
#include "base/status.h"
#include <stdbool.h>

struct card_request {
	const char *file; /* the person's; read as an env file (envfile.h) */
	/* OUT: NAME=value lines, each name once, values as they count, mode 0600.
	 * OUT.log: what is wrong with the file, `line 7: ...`, a line each; empty when nothing is.
	 * OUT.seal: is there while a secret waits for a file that can be written. */
	const char *out;
	/* Folder of the sealed secrets; NULL: none. A secret that is there and neither by its name nor by
	 * NAME_FILE in the file comes as NAME_FILE=FOLDER/NAME. With SCOREBOX_SEAL=1 in the file the secrets
	 * that stand in it are moved there (seal.h). */
	const char *folder;
};

/* Lines that are wrong are left out, logged and in OUT.log; never the value of a secret. *usable: the file sets
 * something. Another status than OK: OUT or its companions could not be written. */
enum status card_settings(
	const struct card_request *request, bool *usable, struct why *why) MUST_CHECK;
