/* status.c - outcomes and their reasons. */
#include "base/status.h"
#undef fail
#undef fail_errno
#undef why_prefix

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *status_name(enum status s)
{
	switch (s) {
	case STATUS_OK:
		return "ok";
	case STATUS_AGAIN:
		return "again";
	case STATUS_FULL:
		return "full";
	case STATUS_BAD_DATA:
		return "bad data";
	case STATUS_IO:
		return "i/o";
	case STATUS_NO_MEMORY:
		return "no memory";
	case STATUS_DENIED:
		return "denied";
	case STATUS_NOT_FOUND:
		return "not found";
	case STATUS_BUSY:
		return "busy";
	case STATUS_FATAL:
		return "fatal";
	}
	return "unknown";
}

/* Takes back the bytes of a UTF-8 character that the end of the buffer has cut. */
static void trim_cut_character(char *text, size_t length)
{
	size_t start = length;

	while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return;
	unsigned char lead = (unsigned char)text[start - 1];
	size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;

	if (length - start + 1 < wanted)
		text[start - 1] = '\0';
}

/* Joins up to three parts into `why`; they may lie in `why` themselves. */
static void store(struct why *why, const char *first, const char *glue, const char *last)
{
	char text[sizeof why->text];
	int length = snprintf(text, sizeof text, "%s%s%s", first, glue, last);

	if (length < 0)
		text[0] = '\0';
	else if ((size_t)length >= sizeof text)
		trim_cut_character(text, sizeof text - 1);
	memcpy(why->text, text, sizeof text);
}

static void format_part(char *part, size_t part_bytes, const char *format, va_list arguments)
	PRINTF_LIKE(3, 0);

/* Formats a part; vsnprintf may cut a character too. */
static void format_part(char *part, size_t part_bytes, const char *format, va_list arguments)
{
	int length = vsnprintf(part, part_bytes, format, arguments);

	if (length < 0)
		part[0] = '\0';
	else if ((size_t)length >= part_bytes)
		trim_cut_character(part, part_bytes - 1);
}

enum status fail(struct why *why, enum status s, const char *format, ...)
{
	char part[sizeof why->text];
	va_list arguments;

	if (!why)
		return s;
	va_start(arguments, format);
	format_part(part, sizeof part, format, arguments);
	va_end(arguments);
	store(why, part, "", "");
	return s;
}

enum status fail_errno(struct why *why, enum status s, const char *format, ...)
{
	int number = errno;
	char part[sizeof why->text];
	va_list arguments;

	if (!why)
		return s;
	va_start(arguments, format);
	format_part(part, sizeof part, format, arguments);
	va_end(arguments);
	/* strerror: both C libraries keep it thread safe for the numbers they know. */
	store(why, part, ": ", strerror(number));
	errno = number;
	return s;
}

enum status why_prefix(struct why *why, enum status s, const char *format, ...)
{
	char part[sizeof why->text];
	va_list arguments;

	if (!why)
		return s;
	va_start(arguments, format);
	format_part(part, sizeof part, format, arguments);
	va_end(arguments);
	store(why, part, ": ", why->text);
	return s;
}
