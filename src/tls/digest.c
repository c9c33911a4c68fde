/* digest.c - SHA-256 and random bytes. */
#include "tls/digest.h"

#include <errno.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void digest_of(const void *bytes, size_t length, struct digest *out)
{
	unsigned char whole[32];

	/* Fails only in builds with hardware engines of their own; ours is plain C. */
	if (mbedtls_sha256(length ? bytes : "", length, whole, 0) != 0)
		abort();
	memcpy(out->bytes, whole, DIGEST_BYTES);
}

void digest_random(void *out, size_t length)
{
	unsigned char *to = out;

	while (length > 0) {
		ssize_t n = getrandom(to, length, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort();
		to += n;
		length -= (size_t)n;
	}
}

void digest_hex(const void *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[from[i] >> 4];
		out[2 * i + 1] = digits[from[i] & 15];
	}
	out[2 * n] = '\0';
}
