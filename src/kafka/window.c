/* window.c - the rows that are out, in fixed memory. */
#include "kafka/window.h"

#include <stdlib.h>

#define NONE UINT32_MAX

enum status window_init(struct window *w, unsigned count, uint64_t max_bytes)
{
	*w = (struct window){.count = count, .max_bytes = max_bytes};
	w->places = malloc(count * sizeof *w->places);
	if (!w->places)
		return STATUS_NO_MEMORY;
	window_clear(w);
	return STATUS_OK;
}

void window_done(struct window *w)
{
	free(w->places);
	w->places = NULL;
}

void window_clear(struct window *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		w->places[i] = (struct window_place){.next_free = i + 1 < w->count ? i + 1 : NONE};
	w->first_free = 0;
	w->out = 0;
	w->bytes = 0;
}

bool window_has_room(const struct window *w, uint64_t cost)
{
	return w->out == 0 || (w->first_free != NONE && w->bytes + cost <= w->max_bytes);
}

void *window_take(struct window *w, int64_t id, uint64_t cost)
{
	uint32_t at = w->first_free;
	struct window_place *place = &w->places[at];

	w->first_free = place->next_free;
	place->id = id;
	place->cost = cost < UINT32_MAX ? (uint32_t)cost : UINT32_MAX;
	w->bytes += place->cost;
	w->out++;
	return (void *)((uintptr_t)at + 1);
}

bool window_give(struct window *w, const void *handle, int64_t *id)
{
	uintptr_t number = (uintptr_t)handle;

	if (number == 0 || number > w->count || w->places[number - 1].cost == 0)
		return false;

	struct window_place *place = &w->places[number - 1];

	*id = place->id;
	w->bytes -= place->cost;
	w->out--;
	place->cost = 0;
	place->next_free = w->first_free;
	w->first_free = (uint32_t)(number - 1);
	return true;
}
