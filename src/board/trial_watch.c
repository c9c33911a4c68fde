#include "board/trial_watch.h"

void trial_watch_begin(struct trial_watch *t, bool trial_boot, int64_t confirm_ms, int64_t now_ms)
{
	*t = (struct trial_watch){.phase = trial_boot ? TRIAL_WAITS : TRIAL_NONE,
		.began_ms = now_ms,
		.ill_since_ms = now_ms,
		.confirm_ms = confirm_ms};
}

bool trial_is_healthy(const struct situation *s)
{
	const struct service_status *t = &s->status;

	if (s->phase != SERVICE_RUNS || !s->ready || s->hung_ms || !s->status_known || !t->running)
		return false;
	if (t->polls && !t->poll.last_sweep_us)
		return false;
	/* Without Kafka: what is new waits, and nothing can be read. */
	if (t->polls && !t->kafka.connected)
		return t->spool.rows > 0;
	return t->reads ? t->consumer.reading : t->polls;
}

enum trial_step trial_watch_step(struct trial_watch *t, const struct situation *s, int64_t now_ms)
{
	bool healthy = trial_is_healthy(s);

	if (t->phase != TRIAL_WAITS && t->phase != TRIAL_HEALTHY)
		return TRIAL_GO_ON;
	/* Another run of the daemon begins its time anew. */
	if (healthy && (t->phase == TRIAL_WAITS || t->runs != s->runs)) {
		t->healthy_since_ms = now_ms;
		t->runs = s->runs;
	}
	t->phase = healthy ? TRIAL_HEALTHY : TRIAL_WAITS;
	if (healthy) {
		t->ill_since_ms = now_ms;
		return now_ms - t->healthy_since_ms >= t->confirm_ms ? TRIAL_CONFIRM : TRIAL_GO_ON;
	}
	if (now_ms - t->ill_since_ms < TRIAL_LIMIT_MS &&
		now_ms - t->began_ms < TRIAL_LIMIT_MS + TRIAL_TIMES * t->confirm_ms)
		return TRIAL_GO_ON;
	t->phase = TRIAL_FAILED;
	return TRIAL_GIVE_UP;
}

void trial_watch_confirmed(struct trial_watch *t)
{
	t->phase = TRIAL_CONFIRMED;
}
