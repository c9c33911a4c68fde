/* verb_update.c - `update`: a signed bundle into the other slot of the SD image. */
#include "app/verb.h"

#include "base/log.h"
#include "board/update.h"

#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static int reboot_now(void)
{
	log_info("update.reboot", "this box reboots now");
	sync();
	reboot(RB_AUTOBOOT);
	log_error("update.reboot", "reboot: %s; the next start tries the new version all the same",
		strerror(errno));
	return EXIT_INTERNAL;
}

int verb_update(struct call *call)
{
	const struct options *o = &call->options;
	const struct update_request request = {o->word, o->downgrade, o->if_newer};
	struct update_paths paths;
	enum update_outcome outcome;
	struct why why;

	if (update_paths_at(&paths, o->root ? o->root : "", &why) != STATUS_OK)
		return usage_error("update: --root: %s", why.text);

	enum status s = update_run(&paths, &request, &outcome);

	/* What was named is not what can be put on this machine. */
	if (s == STATUS_BAD_DATA || s == STATUS_NOT_FOUND)
		return EXIT_WRONG_USAGE;
	if (s != STATUS_OK)
		return exit_code_of(s);
	return outcome == UPDATE_WRITTEN && o->reboot ? reboot_now() : EXIT_DONE;
}
