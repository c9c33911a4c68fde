/* digest.h - SHA-256 and random bytes, by mbedTLS. */
#pragma once
#include "base/status.h"
#include <stdint.h>

enum { DIGEST_BYTES = 16 }; /* SHA-256 cut to 128 bits: telling states apart, not signing them */

struct digest {
	uint8_t bytes[DIGEST_BYTES];
};

void digest_of(const void *bytes, size_t length, struct digest *out);
/* From the system's generator; never fails (aborts where the kernel has none). */
void digest_random(void *out, size_t length);
/* Lower-case hex of n bytes, terminated: out holds 2n + 1. */
void digest_hex(const void *bytes, size_t n, char *out);
