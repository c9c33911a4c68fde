#include "cricket/overs.h"
#include <stdio.h>

static const int64_t MOST_OVERS = 99999;

/* Reads digits; returns how many, or -1 beyond MOST_OVERS. */
static int digits(const char *text, int64_t *out)
{
	int64_t value = 0;
	int n = 0;

	for (; text[n] >= '0' && text[n] <= '9'; n++) {
		value = value * 10 + (text[n] - '0');
		if (value > MOST_OVERS)
			return -1;
	}
	*out = value;
	return n;
}

int overs_per_over(bool counts_balls)
{
	return counts_balls ? OVERS_SET_BALLS : OVERS_BALLS;
}

int64_t overs_balls(const char *text, bool counts_balls)
{
	int64_t whole = 0, part = 0;
	int n = digits(text, &whole);

	if (n <= 0)
		return OVERS_UNKNOWN;
	text += n;
	if (*text == '.') {
		if (text[1] < '0' || text[1] > '6')
			return OVERS_UNKNOWN;
		part = text[1] - '0';
		for (text += 2; *text == '0'; text++)
			;
	}
	if (*text)
		return OVERS_UNKNOWN;
	if (counts_balls)
		return part ? OVERS_UNKNOWN : whole;
	return whole * OVERS_BALLS + part;
}

void overs_text(int64_t balls, bool counts_balls, char out[OVERS_TEXT_BYTES])
{
	long long whole = (long long)balls / OVERS_BALLS, part = (long long)balls % OVERS_BALLS;

	if (balls < 0)
		out[0] = '\0';
	else if (counts_balls)
		snprintf(out, OVERS_TEXT_BYTES, "%lld", (long long)balls);
	else if (part)
		snprintf(out, OVERS_TEXT_BYTES, "%lld.%lld", whole, part);
	else
		snprintf(out, OVERS_TEXT_BYTES, "%lld", whole);
}

int64_t overs_over_of(int64_t ball, bool counts_balls)
{
	int per_over = overs_per_over(counts_balls);

	return ball <= 0 ? 1 : (ball + per_over - 1) / per_over;
}

double overs_run_rate(int64_t runs, int64_t balls)
{
	return balls > 0 ? (double)runs * OVERS_BALLS / (double)balls : 0;
}
