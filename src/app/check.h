/* check.h - private to app/: the parts of the verb `check`. */
#pragma once
#include "service/config.h"
#include <stdio.h>

/* Looks at the peers and the storage, a line each to `out`; returns an exit code, the first failure's. */
int check_online(const struct config *config, FILE *out);
