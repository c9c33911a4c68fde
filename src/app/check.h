/* check.h - private to app/: the parts of the verb `check`. */
#pragma once
#include "app/options.h"
#include "feed/pace.h"
#include "service/config.h"
#include <stdio.h>

/* What the poller last knew of quota and blocks, from the spool's notes or from the status of the
 * daemon that runs. False: it never polled here. */
bool check_pace(const struct config *config, struct pace *out);
/* Looks at the peers and the storage, a line each to `out`; makes the topic where the options say so.
 * Returns an exit code, the first failure's; what is only warned of is none. */
int check_online(const struct config *config, const struct pace *pace,
	const struct options *options, FILE *out);
