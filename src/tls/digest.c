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

struct digest_stream {
	mbedtls_sha256_context context;
};

/* As above: no step of it can fail. */
static void begin(struct digest_stream *d)
{
	if (mbedtls_sha256_starts(&d->context, 0) != 0)
		abort();
}

enum status digest_stream_open(struct digest_stream **out, struct why *why)
{
	struct digest_stream *d = calloc(1, sizeof *d);

	if (!d)
		return fail(why, STATUS_NO_MEMORY, "no memory for a digest");
	mbedtls_sha256_init(&d->context);
	begin(d);
	*out = d;
	return STATUS_OK;
}

void digest_stream_add(struct digest_stream *d, const void *bytes, size_t length)
{
	if (length && mbedtls_sha256_update(&d->context, bytes, length) != 0)
		abort();
}

void digest_stream_end(struct digest_stream *d, uint8_t out[DIGEST_WHOLE_BYTES])
{
	if (mbedtls_sha256_finish(&d->context, out) != 0)
		abort();
	begin(d);
}

void digest_stream_close(struct digest_stream *d)
{
	if (!d)
		return;
	mbedtls_sha256_free(&d->context);
	free(d);
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
