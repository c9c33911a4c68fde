#include "book/columns.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256, FIRST_NAMES = 4096 };

struct columns {
	char *names; /* NUL-terminated, one after the other */
	size_t names_used, names_room;
	uint32_t *starts; /* by column */
	unsigned count, room;
	int32_t *slots; /* open addressing: column or COLUMNS_NONE; at most half full */
	unsigned slot_count;
	unsigned expected; /* the column after the one found last */
};

static uint32_t hash(const char *path)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *path; path++)
		h = (h ^ (unsigned char)*path) * 16777619u;
	return h;
}

static const char *name_of(const struct columns *c, unsigned column)
{
	return c->names + c->starts[column];
}

static void place(struct columns *c, unsigned column)
{
	unsigned at = hash(name_of(c, column)) & (c->slot_count - 1);

	while (c->slots[at] != COLUMNS_NONE)
		at = (at + 1) & (c->slot_count - 1);
	c->slots[at] = (int32_t)column;
}

static bool set_slots(struct columns *c, unsigned slot_count)
{
	int32_t *slots = malloc(slot_count * sizeof(*slots));

	if (!slots)
		return false;
	free(c->slots);
	c->slots = slots;
	c->slot_count = slot_count;
	for (unsigned i = 0; i < slot_count; i++)
		slots[i] = COLUMNS_NONE;
	for (unsigned i = 0; i < c->count; i++)
		place(c, i);
	return true;
}

enum status columns_open(struct columns **out, struct why *why)
{
	struct columns *c = calloc(1, sizeof(*c));

	if (!c || !set_slots(c, FIRST_SLOTS)) {
		columns_close(c);
		return fail(why, STATUS_NO_MEMORY, "no memory for the columns of Records");
	}
	*out = c;
	return STATUS_OK;
}

void columns_close(struct columns *c)
{
	if (!c)
		return;
	free(c->names);
	free(c->starts);
	free(c->slots);
	free(c);
}

int columns_find(struct columns *c, const char *path)
{
	if (c->expected < c->count && !strcmp(name_of(c, c->expected), path))
		return (int)c->expected++;
	for (unsigned at = hash(path) & (c->slot_count - 1); c->slots[at] != COLUMNS_NONE;
		at = (at + 1) & (c->slot_count - 1)) {
		if (strcmp(name_of(c, (unsigned)c->slots[at]), path) != 0)
			continue;
		c->expected = (unsigned)c->slots[at] + 1;
		return c->slots[at];
	}
	return COLUMNS_NONE;
}

/* Room for one more name of `length` bytes with its NUL. */
static bool make_room(struct columns *c, size_t length)
{
	while (c->names_used + length > c->names_room) {
		size_t wanted = c->names_room ? c->names_room * 2 : FIRST_NAMES;
		char *names = wanted <= COLUMNS_NAME_BYTES ? realloc(c->names, wanted) : NULL;

		if (!names)
			return false;
		c->names = names;
		c->names_room = wanted;
	}
	if (c->count == c->room) {
		unsigned wanted = c->room ? c->room * 2 : FIRST_SLOTS / 2;
		uint32_t *starts = realloc(c->starts, wanted * sizeof(*starts));

		if (!starts)
			return false;
		c->starts = starts;
		c->room = wanted;
	}
	return c->count < c->slot_count / 2 || set_slots(c, c->slot_count * 2);
}

int columns_add(struct columns *c, const char *path)
{
	int found = columns_find(c, path);
	size_t length = strlen(path) + 1;

	if (found != COLUMNS_NONE || c->count >= COLUMNS_MOST || !make_room(c, length))
		return found;
	memcpy(c->names + c->names_used, path, length);
	c->starts[c->count] = (uint32_t)c->names_used;
	c->names_used += length;
	place(c, c->count);
	c->expected = c->count + 1;
	return (int)c->count++;
}

unsigned columns_count(const struct columns *c)
{
	return c->count;
}

const char *columns_name(const struct columns *c, unsigned column)
{
	return name_of(c, column);
}
