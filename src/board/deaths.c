#include "board/deaths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void deaths_read(struct deaths *d, const char *text)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	*d = (struct deaths){.count = count > 1000 ? 1000 : (unsigned)count,
		.tried = !strncmp(end, " tried", 6)};
}

void deaths_text(const struct deaths *d, char *out, size_t out_bytes)
{
	snprintf(out, out_bytes, "%u%s\n", d->count, d->tried ? " tried" : "");
}

bool deaths_want_other(struct deaths *d, bool trial_boot, bool other_was_good)
{
	if (trial_boot || !other_was_good)
		return false;
	/* This start has not died yet. */
	if (d->count <= (d->tried ? DEATHS_VERY_MANY : DEATHS_MANY))
		return false;
	*d = (struct deaths){.tried = true};
	return true;
}
