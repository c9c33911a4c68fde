/* clock.c - wall time, monotonic time, RFC 3339, backoff. */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

_Static_assert(sizeof(time_t) == 8, "the time goes on after 2038, on 32-bit machines too");

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS
};
static const int64_t SECOND_US = 1000000;
static const int64_t DAY_US = 86400 * 1000000ll;

static int64_t read_clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) != 0)
		return 0;
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

static int64_t real_wall_us(void)
{
	return read_clock_us(CLOCK_REALTIME);
}

static int64_t real_mono_us(void)
{
	return read_clock_us(CLOCK_BOOTTIME);
}

/* Atomic, as tests move the clocks while other threads read them. */
static int64_t (*_Atomic wall_source)(void) = real_wall_us;
static int64_t (*_Atomic mono_source)(void) = real_mono_us;

void clock_replace(int64_t (*wall_us)(void), int64_t (*mono_us)(void))
{
	wall_source = wall_us ? wall_us : real_wall_us;
	mono_source = mono_us ? mono_us : real_mono_us;
}

int64_t clock_wall_us(void)
{
	return wall_source();
}

int64_t clock_mono_us(void)
{
	return mono_source();
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

/* The date of the build: the build system's figure (SOURCE_DATE_EPOCH, so that builds can be
 * reproduced), else the compiler's. __DATE__ is local, and local may be 14 hours ahead of UTC. */
int64_t clock_build_us(void)
{
#ifdef SCOREBOX_BUILD_EPOCH
	return (int64_t)(SCOREBOX_BUILD_EPOCH)*SECOND_US;
#else
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char name[4] = "";
	int day = 1, year = 1970;

	if (sscanf(__DATE__, "%3s %d %d", name, &day, &year) != 3)
		return 0;

	const char *at = strstr(months, name);
	int month = at ? (int)(at - months) / 3 + 1 : 1;

	return clock_days(year, month, day) * DAY_US - 14 * 3600 * SECOND_US;
#endif
}

bool clock_believable(void)
{
	return clock_wall_us() > clock_build_us();
}

/* Days and civil dates: years are counted from March 1st, so that the leap day is the last of its
 * year; 400 years are an era of 146,097 days. */
int64_t clock_days(int year, int month, int day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void clock_civil(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era -
			      (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	*month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* 0001-01-01 and the last microsecond of 9999. */
static const int64_t FIRST_US = -62135596800ll * 1000000ll;
static const int64_t LAST_US = 253402300799ll * 1000000ll + 999999;

void clock_format(int64_t wall_us, int digits, char out[CLOCK_TEXT_BYTES])
{
	if (wall_us < FIRST_US)
		wall_us = FIRST_US;
	if (wall_us > LAST_US)
		wall_us = LAST_US;

	int64_t days = wall_us / DAY_US;
	int64_t rest = wall_us % DAY_US;

	if (rest < 0) {
		rest += DAY_US;
		days--;
	}

	int year, month, day;
	int seconds = (int)(rest / SECOND_US);
	int fraction = (int)(rest % SECOND_US);
	int used;

	clock_civil(days, &year, &month, &day);
	used = snprintf(out, CLOCK_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d", year % 10000,
		month % 100, day % 100, seconds / 3600, seconds / 60 % 60, seconds % 60);
	if (digits == 3)
		used += snprintf(
			out + used, CLOCK_TEXT_BYTES - (size_t)used, ".%03d", fraction / 1000);
	else if (digits == 6)
		used += snprintf(out + used, CLOCK_TEXT_BYTES - (size_t)used, ".%06d", fraction);
	out[used] = 'Z';
	out[used + 1] = '\0';
}

/* Where a time is being read; ok falls at the first thing that does not belong there. */
struct reading {
	const char *p, *end;
	bool ok;
};

static int read_digits(struct reading *r, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (r->p >= r->end || *r->p < '0' || *r->p > '9') {
			r->ok = false;
			return 0;
		}
		value = value * 10 + (*r->p++ - '0');
	}
	return value;
}

static void read_mark(struct reading *r, const char *any_of)
{
	if (r->p < r->end && *r->p != '\0' && strchr(any_of, *r->p))
		r->p++;
	else
		r->ok = false;
}

/* The fraction's digits beyond the sixth are read and forgotten. */
static int read_fraction_us(struct reading *r)
{
	int value = 0;
	int weight = 100000;

	if (r->p >= r->end || *r->p != '.')
		return 0;
	r->p++;
	if (r->p >= r->end || *r->p < '0' || *r->p > '9')
		r->ok = false;
	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		value += (*r->p - '0') * weight;
		weight /= 10;
	}
	return value;
}

static int64_t read_offset_seconds(struct reading *r)
{
	if (r->p == r->end)
		return 0;
	if (*r->p == 'Z' || *r->p == 'z') {
		r->p++;
		return 0;
	}

	int sign = *r->p == '-' ? -1 : 1;

	read_mark(r, "+-");
	int hours = read_digits(r, 2);
	read_mark(r, ":");
	int minutes = read_digits(r, 2);

	if (hours > 23 || minutes > 59)
		r->ok = false;
	return sign * (hours * 3600ll + minutes * 60ll);
}

static bool is_civil(int year, int month, int day)
{
	static const int days_of[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of[month - 1])
		return false;
	return leap || month != 2 || day < 29;
}

enum status clock_parse(const char *text, size_t length, int64_t *out_us)
{
	struct reading r = {text, text + length, true};
	int year = read_digits(&r, 4);
	read_mark(&r, "-");
	int month = read_digits(&r, 2);
	read_mark(&r, "-");
	int day = read_digits(&r, 2);
	read_mark(&r, "Tt ");
	int hour = read_digits(&r, 2);
	read_mark(&r, ":");
	int minute = read_digits(&r, 2);
	read_mark(&r, ":");
	int second = read_digits(&r, 2);
	int fraction = read_fraction_us(&r);
	int64_t offset = read_offset_seconds(&r);

	/* Second 60 is a leap second; it falls on the next minute's first. */
	if (!r.ok || r.p != r.end || !is_civil(year, month, day) || hour > 23 || minute > 59 ||
		second > 60)
		return STATUS_BAD_DATA;

	int64_t seconds = clock_days(year, month, day) * 86400 + hour * 3600 + minute * 60 +
			  second - offset;
	int64_t us = seconds * SECOND_US + fraction;

	if (us < FIRST_US || us > LAST_US)
		return STATUS_BAD_DATA;
	*out_us = us;
	return STATUS_OK;
}

void clock_span_text(int64_t ms, char *out, size_t out_bytes)
{
	long long v = ms < 0 ? 0 : ms;

	if (v < SECOND_MS)
		snprintf(out, out_bytes, "%lld ms", v);
	else if (v < 2 * MINUTE_MS)
		snprintf(out, out_bytes, "%lld s", v / SECOND_MS);
	else if (v < HOUR_MS)
		snprintf(out, out_bytes, "%lld min", v / MINUTE_MS);
	else if (v < DAY_MS)
		snprintf(out, out_bytes, "%lld h %lld min", v / HOUR_MS, v % HOUR_MS / MINUTE_MS);
	else
		snprintf(out, out_bytes, "%lld d %lld h", v / DAY_MS, v % DAY_MS / HOUR_MS);
}

uint32_t clock_random(void)
{
	uint32_t value = 0;

	/* Right after power-on the kernel may have no randomness yet: jitter need not wait. */
	if (getrandom(&value, sizeof value, GRND_NONBLOCK) != (ssize_t)sizeof value)
		value = (uint32_t)(clock_mono_us() * 2654435761u >> 7);
	return value;
}

int64_t backoff_next_ms(struct backoff *b)
{
	int64_t step = b->step_ms > 0 ? b->step_ms : b->first_ms;

	if (step > b->ceiling_ms)
		step = b->ceiling_ms;
	if (step < 1)
		step = 1;
	b->step_ms = step > b->ceiling_ms / 2 ? b->ceiling_ms : step * 2;
	if (b->step_ms < 1)
		b->step_ms = 1;
	return step - step / 2 + (int64_t)(clock_random() % (uint64_t)(step / 2 + 1));
}

void backoff_reset(struct backoff *b)
{
	b->step_ms = 0;
}
