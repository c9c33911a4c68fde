#include "board/restart.h"

int64_t restart_delay_ms(struct restart *r, int64_t ran_ms, bool settings_wrong)
{
	if (settings_wrong) {
		r->delay_ms = 0;
		return RESTART_MOST_MS;
	}
	if (!r->delay_ms || ran_ms >= RESTART_GOOD_RUN_MS)
		r->delay_ms = RESTART_FIRST_MS;
	else if (r->delay_ms * 2 <= RESTART_MOST_MS)
		r->delay_ms *= 2;
	else
		r->delay_ms = RESTART_MOST_MS;
	return r->delay_ms;
}
