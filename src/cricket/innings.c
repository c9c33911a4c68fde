#include "cricket/innings.h"
#include "cricket/overs.h"
#include <stdio.h>
#include <string.h>

static void copy_cut(char *out, size_t out_bytes, const char *text)
{
	size_t length = strlen(text);

	if (length >= out_bytes) {
		length = out_bytes - 1;
		while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
			length--;
	}
	memcpy(out, text, length);
	out[length] = '\0';
}

/* No real score comes near; sums and differences of such stay whole numbers, in Excel too. */
static int64_t sane(int64_t n)
{
	static const int64_t most = 99999999999999;

	return n > most ? most : n < -most ? -most : n;
}

void score_of(const struct row *row, bool counts_balls, struct score *out)
{
	*out = (struct score){
		.innings = row->innings, .started = row->started, .ended = row->ended};
	copy_cut(out->status, sizeof(out->status), row->status);
	if (out->innings > ROW_INNINGS)
		out->innings = ROW_INNINGS;
	for (unsigned k = 0; k < out->innings; k++) {
		out->at[k].runs = sane(row->score[k].runs);
		out->at[k].wickets = sane(row->score[k].wickets);
		out->at[k].balls = overs_balls(row->score[k].overs, counts_balls);
	}
}

int score_current(const struct score *s)
{
	return (int)s->innings - 1;
}

void innings_text(const struct row_innings *innings, char out[INNINGS_TEXT_BYTES])
{
	int n = snprintf(out, INNINGS_TEXT_BYTES, "%lld/%lld", (long long)innings->runs,
		(long long)innings->wickets);

	if (innings->overs[0] && n > 0 && n < INNINGS_TEXT_BYTES)
		snprintf(out + n, (size_t)(INNINGS_TEXT_BYTES - n), " (%s)", innings->overs);
}

void innings_all_text(const struct row *row, char *out, size_t out_bytes)
{
	char one[INNINGS_TEXT_BYTES];
	size_t used = 0;

	out[0] = '\0';
	for (unsigned k = 0; k < row->innings && k < ROW_INNINGS; k++) {
		innings_text(&row->score[k], one);
		if (used + strlen(one) + 3 > out_bytes)
			return;
		used += (size_t)snprintf(
			out + used, out_bytes - used, "%s%s", used ? ", " : "", one);
	}
}
