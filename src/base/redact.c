/* redact.c - the one place where secrets and unprintable characters leave a text. */
#include "base/redact.h"

#include "base/log.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* A secret over SECRET_BYTES is known by its first ones; what follows them up to a delimiter goes
 * too. A beginning of PART_BYTES is taken for a secret that somebody has cut: a reason has a
 * length of its own. Shorter ones would take words like the program's name out of every line. */
enum { SECRETS = 16, SECRET_MIN = 4, SECRET_BYTES = 512, PART_BYTES = 12 };

struct secret {
	size_t length;
	bool cut;
	char bytes[SECRET_BYTES];
};

/* Process-wide, as the log is. A seventeenth secret takes the place of the oldest. */
static pthread_mutex_t secrets_lock = PTHREAD_MUTEX_INITIALIZER;
static struct secret secrets[SECRETS];
static size_t secrets_seen;

void log_secret(const char *text)
{
	size_t length = text ? strlen(text) : 0;
	size_t kept = length < SECRET_BYTES ? length : SECRET_BYTES;

	if (length < SECRET_MIN)
		return;
	pthread_mutex_lock(&secrets_lock);
	for (size_t i = 0; i < SECRETS; i++) {
		const struct secret *s = &secrets[i];

		if (s->length == kept && s->cut == (length > kept) &&
			memcmp(s->bytes, text, kept) == 0) {
			pthread_mutex_unlock(&secrets_lock);
			return;
		}
	}

	struct secret *slot = &secrets[secrets_seen++ % SECRETS];

	memcpy(slot->bytes, text, kept);
	slot->length = kept;
	slot->cut = length > kept;
	pthread_mutex_unlock(&secrets_lock);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte at p and how many bytes write it: 3 for %41, 1 for A. */
static size_t decode_byte(const char *p, const char *end, bool percent, char *byte)
{
	*byte = *p;
	if (percent && *p == '%' && end - p >= 3) {
		int high = hex_value(p[1]);
		int low = hex_value(p[2]);

		if (high >= 0 && low >= 0) {
			*byte = (char)(high << 4 | low);
			return 3;
		}
	}
	return 1;
}

/* How many bytes at p write the secret; 0: none do. A secret's beginning counts when it is long, or
 * when the text ends within it. */
static size_t match(const struct secret *s, const char *p, const char *end, bool percent)
{
	const char *at = p;
	size_t matched = 0;
	char byte;

	while (matched < s->length && at < end) {
		size_t step = decode_byte(at, end, percent, &byte);

		if (byte != s->bytes[matched])
			break;
		at += step;
		matched++;
	}
	if (matched == s->length) {
		while (s->cut && at < end && !strchr(" \"'&,;<>", *at))
			at++;
		return (size_t)(at - p);
	}
	/* "%4" at the end is the beginning of an escape. */
	if (percent && end - at > 0 && end - at <= 2 && *at == '%')
		at = end;
	if (matched >= PART_BYTES || (matched >= SECRET_MIN && at == end))
		return (size_t)(at - p);
	return 0;
}

/* The longest secret that stands at p. The lock is held. */
static size_t secret_at(const char *p, const char *end)
{
	size_t longest = 0;

	for (size_t i = 0; i < SECRETS && secrets[i].length > 0; i++) {
		size_t raw = match(&secrets[i], p, end, false);
		size_t encoded = match(&secrets[i], p, end, true);

		if (raw > longest)
			longest = raw;
		if (encoded > longest)
			longest = encoded;
	}
	return longest;
}

/* Characters that move a terminal's cursor or turn the reading direction, and the separators that
 * some readers take for a new line. */
static bool is_unprintable(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0x061C || cp == 0x200E ||
	       cp == 0x200F || (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) ||
	       cp == 0xFEFF;
}

/* Writes the piece at *p, at most 10 bytes, and moves *p on. */
static size_t clean_piece(const char **p, const char *end, char piece[16])
{
	uint32_t cp;
	int length = text_utf8_next(*p, end, &cp);

	if (length == 0) {
		int n = snprintf(piece, 16, "\\x%02x", (unsigned)(unsigned char)**p);

		(*p)++;
		return (size_t)n;
	}

	const char *start = *p;

	*p += length;
	if (cp == '\n' || cp == '\r' || cp == '\t')
		return (size_t)snprintf(piece, 16, "\\%c",
			cp == '\n'   ? 'n'
			: cp == '\r' ? 'r'
				     : 't');
	if (is_unprintable(cp))
		return (size_t)snprintf(
			piece, 16, cp < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)cp);
	memcpy(piece, start, (size_t)length);
	return (size_t)length;
}

/* The shape of every replaced secret, whatever its length. */
static const char stars[] = "***";

void log_redact(const char *text, size_t length, char *out, size_t out_bytes)
{
	const char *p = text;
	const char *end = text + length;
	size_t used = 0;

	if (out_bytes == 0)
		return;
	pthread_mutex_lock(&secrets_lock);
	while (p < end) {
		char piece[16];
		size_t secret = secret_at(p, end);
		size_t piece_length;

		if (secret > 0) {
			p += secret;
			piece_length = sizeof stars - 1;
			memcpy(piece, stars, sizeof stars);
		} else {
			piece_length = clean_piece(&p, end, piece);
		}
		if (used + piece_length >= out_bytes)
			break;
		memcpy(out + used, piece, piece_length);
		used += piece_length;
	}
	pthread_mutex_unlock(&secrets_lock);
	out[used] = '\0';
}

size_t redact_cut(char *text, size_t length, size_t max_bytes)
{
	if (length <= max_bytes)
		return length;
	length = max_bytes;
	/* Continuation bytes that follow the cut belong to a character that began before it. */
	while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
		length--;
	text[length] = '\0';
	return length;
}
