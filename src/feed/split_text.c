/* split_text.c - what the texts that the splitter meets are good for. */
#include "feed/split_text.h"
#include "base/text.h"

const char split_id_too_long[] = "id is longer than 256 bytes";

const char *split_id_complaint(struct view id)
{
	const char *p = id.bytes, *end = id.bytes + id.length;
	uint32_t cp;

	if (id.length == 0)
		return "id is empty";
	if (id.length > SPLIT_ID_BYTES)
		return split_id_too_long;
	while (p < end) {
		int length = text_utf8_next(p, end, &cp);

		if (length == 0)
			return "id is not valid UTF-8";
		if (cp < 0x20 || cp == 0x7F)
			return "id holds control characters";
		p += length;
	}
	return NULL;
}

bool split_is_whole_number(struct view text)
{
	size_t i = text.length > 0 && text.bytes[0] == '-';

	if (i == text.length)
		return false;
	while (i < text.length && text.bytes[i] >= '0' && text.bytes[i] <= '9')
		i++;
	return i == text.length;
}

int64_t split_figure(struct view text)
{
	int64_t n = 0;

	if (text.length == 0 || text.length > 18)
		return -1;
	for (size_t i = 0; i < text.length; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return -1;
		n = n * 10 + (text.bytes[i] - '0');
	}
	return n;
}

size_t split_fitting(struct view raw, size_t room)
{
	size_t at = 0;

	while (at < raw.length) {
		size_t step = raw.bytes[at] != '\\'				? 1
			      : at + 1 < raw.length && raw.bytes[at + 1] == 'u' ? 6
										: 2;

		if (at + step > room || at + step > raw.length)
			break;
		at += step;
	}
	return at;
}

void split_cut_text(struct view text, char *out, size_t out_bytes)
{
	size_t length = text.length;

	if (length >= out_bytes) {
		length = out_bytes - 1;
		/* Not within a character: 10xxxxxx bytes go on. */
		while (length > 0 && ((unsigned char)text.bytes[length] & 0xC0) == 0x80)
			length--;
	}
	for (size_t i = 0; i < length; i++)
		out[i] = text.bytes[i] ? text.bytes[i] : ' ';
	out[length] = '\0';
}
