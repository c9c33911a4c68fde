/* bundle.c - a bundle's file: is it what its maker signed? */
#include "board/bundle.h"

#include "tls/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status read_at(struct bundle *b, uint64_t at, char *out, size_t length, struct why *why)
{
	while (length > 0) {
		ssize_t n = pread(b->fd, out, length, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(why, STATUS_IO, "read it");
		if (n == 0)
			return fail(
				why, STATUS_BAD_DATA, "it ends too early: it was not copied whole");
		out += n;
		at += (uint64_t)n;
		length -= (size_t)n;
	}
	return STATUS_OK;
}

enum status bundle_read(
	struct bundle *b, uint64_t offset, void *out, size_t length, struct why *why)
{
	enum status s = read_at(b, BUNDLE_HEAD_BYTES + offset, out, length, why);

	return s == STATUS_OK ? s : why_prefix(why, s, "'%s'", b->path);
}

static enum status check_length(struct bundle *b, struct why *why)
{
	uint64_t wanted = BUNDLE_HEAD_BYTES + b->manifest.bytes;
	struct stat st;

	if (fstat(b->fd, &st) != 0)
		return fail_errno(why, STATUS_IO, "look at it");
	if ((uint64_t)st.st_size == wanted)
		return STATUS_OK;
	return fail(why, STATUS_BAD_DATA,
		"it has %llu bytes instead of %llu: it was not copied whole",
		(unsigned long long)st.st_size, (unsigned long long)wanted);
}

static enum status open_file(struct bundle *b, struct why *why)
{
	struct stat st;

	/* A named pipe must not hold us. */
	b->fd = open(b->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (b->fd < 0)
		return fail_errno(why,
			errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND
			: errno == EACCES		    ? STATUS_DENIED
							    : STATUS_IO,
			"open it");
	if (fstat(b->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fail(why, STATUS_BAD_DATA, "it is no file");
	return STATUS_OK;
}

enum status bundle_open(struct bundle *b, const char *path, const char *key_file, struct why *why)
{
	struct manifest *m = &b->manifest;

	b->path = path;

	enum status s = open_file(b, why);

	if (s == STATUS_OK)
		s = read_at(b, 0, b->head, sizeof b->head, why);
	if (s == STATUS_OK)
		s = manifest_parse(b->head, m, why);
	if (s == STATUS_OK)
		s = signature_check(key_file, m->signed_part.bytes, m->signed_part.length,
			m->signature.bytes, m->signature.length, why);
	if (s == STATUS_OK)
		s = check_length(b, why);
	if (s == STATUS_OK)
		return s;
	bundle_close(b);
	return why_prefix(why, s, "'%s'", path);
}

static enum status hash_payload(
	struct bundle *b, struct digest_stream *digest, char *step, struct why *why)
{
	uint8_t hash[DIGEST_WHOLE_BYTES];

	for (uint64_t at = 0; at < b->manifest.bytes;) {
		uint64_t left = b->manifest.bytes - at;
		size_t n = left < BUNDLE_STEP_BYTES ? (size_t)left : BUNDLE_STEP_BYTES;
		enum status s = bundle_read(b, at, step, n, why);

		if (s != STATUS_OK)
			return s;
		digest_stream_add(digest, step, n);
		at += n;
	}
	digest_stream_end(digest, hash);
	if (memcmp(hash, b->manifest.sha256, sizeof hash) != 0)
		return fail(why, STATUS_BAD_DATA, "'%s': its payload is damaged", b->path);
	return STATUS_OK;
}

enum status bundle_check_payload(struct bundle *b, struct why *why)
{
	struct digest_stream *digest = NULL;
	char *step = malloc(BUNDLE_STEP_BYTES);
	enum status s = step ? digest_stream_open(&digest, why)
			     : fail(why, STATUS_NO_MEMORY, "no memory to read '%s'", b->path);

	if (s == STATUS_OK)
		s = hash_payload(b, digest, step, why);
	digest_stream_close(digest);
	free(step);
	return s;
}

void bundle_close(struct bundle *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}
