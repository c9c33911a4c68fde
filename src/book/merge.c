#include "book/merge.h"
#include <string.h>

/* How far a run that was never seen before may lag behind: another box with its own clock and its
 * own polls. */
static const int64_t STRANGER_LAG_US = 120 * 1000000ll;

static uint64_t hash_of(struct view bytes)
{
	uint64_t h = 0x9E3779B97F4A7C15u ^ bytes.length, word;
	size_t i = 0;

	for (; i + 8 <= bytes.length; i += 8) {
		memcpy(&word, bytes.bytes + i, 8);
		h = (h ^ word) * 0xFF51AFD7ED558CCDu;
		h ^= h >> 32;
	}
	for (; i < bytes.length; i++)
		h = (h ^ (unsigned char)bytes.bytes[i]) * 0x100000001B3u;
	h ^= h >> 29;
	return h * 0xC4CEB9FE1A85EC53u;
}

static struct merge_run *find_run(struct merge *m, const struct identity *who)
{
	for (int i = 0; i < MERGE_RUNS; i++)
		if (m->runs[i].used && !memcmp(m->runs[i].run, who->run, RUN_BYTES))
			return &m->runs[i];
	return NULL;
}

/* The run's own place; a new run takes the place of the run that its first state follows (a
 * restart that kept its state), else stands where the rows of the last two minutes begin. */
static struct merge_run *place_of(struct merge *m, const struct journal_record *r)
{
	struct merge_run *run = find_run(m, &r->self), *oldest = &m->runs[0], *before;
	uint64_t position = m->rows;

	if (run)
		return run;
	before = identity_known(&r->prev) ? find_run(m, &r->prev) : NULL;
	if (before && before->seq == r->prev.seq) {
		position = before->position;
	} else {
		while (position > 0 && position + MERGE_STATES > m->rows + 1 &&
			m->states[position % MERGE_STATES].at_us > r->order_us - STRANGER_LAG_US)
			position--;
	}
	for (int i = 1; i < MERGE_RUNS; i++)
		if (m->runs[i].used < oldest->used)
			oldest = &m->runs[i];
	memcpy(oldest->run, r->self.run, RUN_BYTES);
	oldest->position = position;
	return oldest;
}

bool merge_is_row(struct merge *m, const struct journal_record *r)
{
	struct merge_state state = {hash_of(r->body), r->body.length, r->order_us};
	bool known = identity_known(&r->self);
	struct merge_run *run = known ? place_of(m, r) : NULL;
	uint64_t from = run ? run->position : m->rows;

	if (run) {
		run->used = ++m->turn;
		run->seq = r->self.seq;
	}
	if (from + MERGE_STATES <= m->rows)
		from = m->rows - MERGE_STATES + 1;
	for (uint64_t row = from > 0 ? from : 1; row <= m->rows; row++) {
		const struct merge_state *seen = &m->states[row % MERGE_STATES];

		if (seen->hash != state.hash || seen->length != state.length)
			continue;
		if (run)
			run->position = row;
		return false;
	}
	m->rows++;
	m->states[m->rows % MERGE_STATES] = state;
	if (run)
		run->position = m->rows;
	return true;
}
