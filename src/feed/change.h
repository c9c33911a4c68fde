/* change.h - is this state new, given the one directly before it? Pure. A digest is only ever
 * compared with the state before: A, B, A are three states. */
#pragma once
#include "tls/digest.h"
#include <stdbool.h>

/* `before` NULL: the match was never seen. `publish_all`: every sighting counts as new. */
bool change_is_new(const struct digest *before, const struct digest *now, bool publish_all);
