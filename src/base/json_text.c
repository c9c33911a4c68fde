/* json_text.c - the text that a raw JSON string stands for. */
#include "base/json.h"
#include "base/text.h"

#include <string.h>

/* The scanner has seen to it that only hexadecimal digits come here. */
static uint32_t hex_unit(const char *p)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t c = (unsigned char)p[i];

		unit = unit << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return unit;
}

/* Reads the \u escape at p (behind the backslash), with its second half where it is a pair of
 * surrogates. Returns how many bytes it took. */
static size_t decode_unicode(const char *p, size_t left, uint32_t *cp)
{
	uint32_t unit = hex_unit(p + 1), low;

	*cp = unit;
	if (unit < 0xD800 || unit > 0xDFFF)
		return 5;
	*cp = 0xFFFD;
	if (unit > 0xDBFF || left < 11 || p[5] != '\\' || p[6] != 'u')
		return 5;
	low = hex_unit(p + 7);
	if (low < 0xDC00 || low > 0xDFFF)
		return 5;
	*cp = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
	return 11;
}

static char decode_letter(char letter)
{
	static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *at = strchr(letters, letter);

	return at ? bytes[at - letters] : letter;
}

size_t json_decode(struct view raw, char *out, unsigned *lone)
{
	const char *p = raw.bytes, *end = raw.bytes + raw.length;
	char *to = out;
	unsigned replaced = 0;

	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((slash ? slash : end) - p);
		uint32_t cp;

		memmove(to, p, plain);
		to += plain;
		p += plain;
		if (!slash)
			break;
		p++;
		if (*p != 'u') {
			*to++ = decode_letter(*p++);
			continue;
		}

		size_t taken = decode_unicode(p, (size_t)(end - p), &cp);

		replaced += cp == 0xFFFD && hex_unit(p + 1) != 0xFFFD;
		to += text_utf8_put(cp, to);
		p += taken;
	}
	if (lone)
		*lone = replaced;
	return (size_t)(to - out);
}
