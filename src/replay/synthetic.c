/* synthetic.c - made-up rows, computed from their number alone. */
#include "replay/synthetic.h"

#include <inttypes.h>
#include <stdio.h>

/* splitmix64: spreads the row's number over all bits. */
static uint64_t mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15u;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

size_t synthetic_row(uint64_t n, char out[SYNTHETIC_ROW_BYTES])
{
	static const char *const places[] = {"Ashford", "Bexhill", "Cranleigh", "Dorking", "Epsom",
		"Farnham", "Guildford", "Haslemere", "Ickenham", "Kingsbridge", "Leatherhead",
		"Maidenhead"};
	enum { PLACES = sizeof places / sizeof places[0] };
	uint64_t a = mix(n), b = mix(a);
	const char *home = places[a % PLACES];
	const char *away = places[(a % PLACES + 1 + (a >> 8) % (PLACES - 1)) % PLACES];
	unsigned runs = 90 + (unsigned)((a >> 16) % 140), wickets = (unsigned)((a >> 24) % 10);
	unsigned chase = (unsigned)((b >> 8) % runs), over = 1 + (unsigned)((b >> 16) % 18),
		 ball = 1 + (unsigned)((b >> 24) % 5);
	unsigned left = 120 - over * 6 - ball;
	int length = snprintf(out, SYNTHETIC_ROW_BYTES,
		"{\"id\":\"%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-8%03" PRIx64 "-%012" PRIx64
		"\","
		"\"name\":\"%s Cricket Club Women vs %s Cricket Club Women, %" PRIu64
		"th Match, Southern Counties Evening League Division Two, 2026\","
		"\"matchType\":\"t20\",\"status\":\"%s Cricket Club Women need %u runs in %u balls\","
		"\"venue\":\"%s Recreation Ground, %s\",\"date\":\"2026-06-%02u\",\"dateTimeGMT\":\"2026-06-%02uT17:30:00\","
		"\"teams\":[\"%s Cricket Club Women\",\"%s Cricket Club Women\"],"
		"\"teamInfo\":[{\"name\":\"%s Cricket Club Women\",\"shortname\":\"%.2s-W\",\"img\":\"https://h.cricapi.com/img/icon512.png\"},"
		"{\"name\":\"%s Cricket Club Women\",\"shortname\":\"%.2s-W\",\"img\":\"https://h.cricapi.com/img/icon512.png\"}],"
		"\"score\":[{\"r\":%u,\"w\":%u,\"o\":20,\"inning\":\"%s Cricket Club Women Inning 1\"},"
		"{\"r\":%u,\"w\":%u,\"o\":%u.%u,\"inning\":\"%s Cricket Club Women Inning 1\"}],"
		"\"series_id\":\"%08" PRIx64
		"-2d4c-4f8e-9a01-6b5e4d3c2b1a\",\"fantasyEnabled\":true,\"bbbEnabled\":true,"
		"\"hasSquad\":true,\"matchStarted\":true,\"matchEnded\":false}",
		n & 0xFFFFFFFF, a & 0xFFFF, a >> 16 & 0xFFF, a >> 28 & 0xFFF, b & 0xFFFFFFFFFFFF,
		home, away, n + 1, away, runs - chase + 1, left, home, home, 1 + (unsigned)(b % 28),
		1 + (unsigned)(b % 28), home, away, home, home, away, away, runs, wickets, home,
		chase, (unsigned)((b >> 32) % 9), over, ball, away, n / 1000 & 0xFFFFFFFF);

	return (size_t)length;
}

uint64_t synthetic_bytes(uint64_t rows)
{
	char row[SYNTHETIC_ROW_BYTES];
	uint64_t bytes = 0;

	for (uint64_t n = 0; n < rows; n++)
		bytes += synthetic_row(n, row);
	return bytes;
}
