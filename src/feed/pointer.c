/* pointer.c - a JSON pointer followed while a document is scanned. */
#include "feed/pointer.h"

#include <string.h>

/* RFC 6901: digits without a leading zero. Nine of them are more rows than any answer has. */
static uint64_t index_of(const char *name, size_t length)
{
	uint64_t n = 0;

	if (length == 0 || length > 9 || (name[0] == '0' && length > 1))
		return UINT64_MAX;
	for (size_t i = 0; i < length; i++) {
		if (name[i] < '0' || name[i] > '9')
			return UINT64_MAX;
		n = n * 10 + (uint64_t)(name[i] - '0');
	}
	return n;
}

/* Ends the step that began last, at `end`. */
static void end_step(struct pointer *p, size_t end)
{
	size_t start = p->start[p->steps];

	p->number[p->steps] = index_of(p->names + start, end - start);
	p->start[++p->steps] = (uint16_t)end;
}

enum status pointer_parse(struct pointer *p, const char *text, struct why *why)
{
	size_t length = 0;

	memset(p, 0, sizeof *p);
	if (!*text)
		return STATUS_OK;
	if (*text != '/')
		return fail(why, STATUS_BAD_DATA, "pointer '%s' must start with '/'", text);
	for (const char *c = text + 1; *c; c++) {
		char plain = *c;

		if (plain == '/') {
			end_step(p, length);
			if (p->steps == POINTER_STEPS)
				return fail(why, STATUS_BAD_DATA,
					"pointer '%s' has more than %d steps", text, POINTER_STEPS);
			continue;
		}
		if (plain == '~') {
			c++;
			if (*c != '0' && *c != '1')
				return fail(why, STATUS_BAD_DATA,
					"in pointer '%s' a '~' wants 0 or 1 behind it", text);
			plain = *c == '0' ? '~' : '/';
		}
		if (length == POINTER_BYTES)
			return fail(why, STATUS_BAD_DATA, "pointer is longer than %d bytes",
				POINTER_BYTES);
		p->names[length++] = plain;
	}
	end_step(p, length);
	return STATUS_OK;
}

void pointer_restart(struct pointer *p)
{
	p->level = 0;
	p->index = 0;
	p->armed = false;
	p->done = false;
}

void pointer_key(struct pointer *p, struct view key)
{
	unsigned step = p->level - 1;
	size_t start = p->start[step];

	p->armed = key.length == p->start[step + 1] - start &&
		   memcmp(key.bytes, p->names + start, key.length) == 0;
}

bool pointer_value(struct pointer *p, unsigned depth, bool in_array, bool is_container)
{
	if (p->done || depth != p->level)
		return false;
	if (depth > 0) {
		bool taken = in_array ? p->index++ == p->number[depth - 1] : p->armed;

		p->armed = false;
		if (!taken)
			return false;
	}
	if (depth == p->steps) {
		p->done = true;
		return true;
	}
	p->level++;
	p->index = 0;
	p->done = !is_container;
	return false;
}
