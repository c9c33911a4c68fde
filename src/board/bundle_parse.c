/* bundle_parse.c - the head of a bundle, line by line. */
#include "board/bundle.h"

#include <stdbool.h>
#include <string.h>

static const char magic[] = "scorebox update\n";

/* What is left of the head. */
struct rest {
	const char *at, *end;
};

/* The value of the next line, which must be `name=value`, of 1 to max_bytes printable characters. */
static enum status take(
	struct rest *r, const char *name, size_t max_bytes, struct view *value, struct why *why)
{
	size_t name_bytes = strlen(name);
	size_t left = (size_t)(r->end - r->at);

	if (left <= name_bytes || memcmp(r->at, name, name_bytes) != 0 || r->at[name_bytes] != '=')
		return fail(why, STATUS_BAD_DATA,
			"its description has no line %s= where one belongs", name);

	const char *from = r->at + name_bytes + 1, *to = from;

	while (to<r->end && * to> ' ' && *to <= '~')
		to++;
	if (to == r->end || *to != '\n' || to == from || (size_t)(to - from) > max_bytes)
		return fail(why, STATUS_BAD_DATA, "its description's line %s= is malformed", name);
	*value = view_of(from, (size_t)(to - from));
	r->at = to + 1;
	return STATUS_OK;
}

static bool read_size(struct view v, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v.length; i++) {
		if (v.bytes[i] < '0' || v.bytes[i] > '9' || (i == 0 && v.bytes[i] == '0'))
			return false;
		n = 10 * n + (uint64_t)(v.bytes[i] - '0');
	}
	*out = n;
	return n % BUNDLE_PAGE_BYTES == 0 && n <= BUNDLE_MAX_BYTES;
}

static bool read_hash(struct view v, struct manifest *out)
{
	static const char digits[] = "0123456789abcdef";

	if (v.length != 2 * DIGEST_WHOLE_BYTES)
		return false;
	for (size_t i = 0; i < v.length; i++) {
		const char *digit = strchr(digits, v.bytes[i]);

		if (!digit)
			return false;
		if (i % 2 == 0)
			out->sha256[i / 2] = (uint8_t)((digit - digits) << 4);
		else
			out->sha256[i / 2] |= (uint8_t)(digit - digits);
	}
	memcpy(out->hash, v.bytes, v.length);
	out->hash[v.length] = '\0';
	return true;
}

static void copy(struct view v, char *out)
{
	memcpy(out, v.bytes, v.length);
	out[v.length] = '\0';
}

static enum status take_format(struct rest *r, struct why *why)
{
	struct view v;
	enum status s = take(r, "format", 8, &v, why);

	if (s == STATUS_OK && !view_equals(v, "1"))
		s = fail(why, STATUS_BAD_DATA, "its format is %.*s; this version knows format 1",
			(int)v.length, v.bytes);
	return s;
}

static enum status take_signed(struct rest *r, struct manifest *out, struct why *why)
{
	struct view board, version, size, hash;
	enum status s = take_format(r, why);

	if (s == STATUS_OK)
		s = take(r, "board", BOARD_BYTES - 1, &board, why);
	if (s == STATUS_OK)
		s = take(r, "version", VERSION_BYTES - 1, &version, why);
	if (s == STATUS_OK)
		s = take(r, "size", 12, &size, why);
	if (s == STATUS_OK)
		s = take(r, "sha256", 2 * DIGEST_WHOLE_BYTES, &hash, why);
	if (s != STATUS_OK)
		return s;
	copy(board, out->board);
	copy(version, out->version);
	if (!version_is_valid(out->version))
		return fail(why, STATUS_BAD_DATA, "its version '%s' is malformed", out->version);
	if (!read_size(size, &out->bytes))
		return fail(why, STATUS_BAD_DATA,
			"its payload's size is not one of 4096 to 1073741824 bytes in whole pages");
	if (!read_hash(hash, out))
		return fail(why, STATUS_BAD_DATA, "its payload's SHA-256 is malformed");
	return STATUS_OK;
}

enum status manifest_parse(
	const char head[BUNDLE_HEAD_BYTES], struct manifest *out, struct why *why)
{
	struct rest r = {head + sizeof magic - 1, head + BUNDLE_HEAD_BYTES};
	struct manifest found = {.bytes = 0};

	if (memcmp(head, magic, sizeof magic - 1) != 0)
		return fail(why, STATUS_BAD_DATA, "it is no update bundle");

	enum status s = take_signed(&r, &found, why);

	if (s != STATUS_OK)
		return s;
	found.signed_part = view_of(head, (size_t)(r.at - head));
	s = take(&r, "signature", 128, &found.signature, why);
	for (; s == STATUS_OK && r.at < r.end; r.at++)
		if (*r.at != '\n')
			s = fail(why, STATUS_BAD_DATA, "something stands behind its signature");
	if (s == STATUS_OK)
		*out = found;
	return s;
}
