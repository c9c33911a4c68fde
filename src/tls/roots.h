/* roots.h - private to tls/: the CA certificates compiled in, PEM; none where the build had no
 * bundle. */
#pragma once
#include <stddef.h>

/* Points at the PEM text (not terminated); returns its length, 0 for none. */
size_t roots_compiled_in(const char **pem);
