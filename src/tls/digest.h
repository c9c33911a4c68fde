/* digest.h - SHA-256 and random bytes, by mbedTLS. */
#pragma once
#include "base/status.h"
#include <stdint.h>

enum { DIGEST_BYTES = 16 }; /* SHA-256 cut to 128 bits: telling states apart, not signing them */

struct digest {
	uint8_t bytes[DIGEST_BYTES];
};

void digest_of(const void *bytes, size_t length, struct digest *out);
/* The whole SHA-256 of a stream, piece by piece. */
enum { DIGEST_WHOLE_BYTES = 32 };
struct digest_stream;
enum status digest_stream_open(struct digest_stream **out, struct why *why) MUST_CHECK;
void digest_stream_add(struct digest_stream *d, const void *bytes, size_t length);
/* The digest of all that was added; `d` begins anew. */
void digest_stream_end(struct digest_stream *d, uint8_t out[DIGEST_WHOLE_BYTES]);
void digest_stream_close(struct digest_stream *d); /* NULL is fine */

/* From the system's generator; never fails (aborts where the kernel has none). */
void digest_random(void *out, size_t length);
/* Lower-case hex of n bytes, terminated: out holds 2n + 1. */
void digest_hex(const void *bytes, size_t n, char *out);
