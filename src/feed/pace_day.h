/* pace_day.h - the quota's day, shared by pace.c and pace_plan.c. */
#pragma once
#include "feed/pace.h"

#define MINUTE_US ((int64_t)60 * 1000 * 1000)
#define HOUR_US	  (60 * MINUTE_US)
#define DAY_US	  (24 * HOUR_US)

static inline int64_t pace_of_day_us(int64_t wall_us)
{
	int64_t of_day = wall_us % DAY_US;

	return of_day < 0 ? of_day + DAY_US : of_day;
}

/* The latest reset at or before now, as far as its time of day is known. */
static inline int64_t pace_last_reset_us(const struct pace *p, int64_t now_us)
{
	int64_t reset_us = now_us - pace_of_day_us(now_us) + p->reset_us_of_day;

	return reset_us > now_us ? reset_us - DAY_US : reset_us;
}
