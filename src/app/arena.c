/* arena.c - a chain of texts, each its own allocation: some fifty short ones, made once. */
#include "app/arena.h"

#include <stdlib.h>
#include <string.h>

struct arena_text {
	struct arena_text *before;
	size_t length;
	char bytes[];
};

char *arena_copy(struct arena *a, const char *bytes, size_t length)
{
	struct arena_text *text = malloc(sizeof *text + length + 1);

	if (!text)
		return NULL;
	*text = (struct arena_text){.before = a->last, .length = length};
	memcpy(text->bytes, bytes, length);
	text->bytes[length] = '\0';
	a->last = text;
	return text->bytes;
}

void arena_done(struct arena *a)
{
	while (a->last) {
		struct arena_text *text = a->last;

		a->last = text->before;
		explicit_bzero(text->bytes, text->length);
		free(text);
	}
}
