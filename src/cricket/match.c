#include "cricket/match.h"
#include "base/text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool letter(char c)
{
	return isalnum((unsigned char)c);
}

/* A word stands in the text, not as the middle of another ("Testimonial" is no Test, "T20I" is a
 * T20). */
static bool has_word(const char *text, const char *word, bool may_go_on)
{
	size_t length = strlen(word);

	for (const char *p = text; *p; p++) {
		if (strncasecmp(p, word, length) || (p > text && letter(p[-1])))
			continue;
		if (may_go_on || !letter(p[length]))
			return true;
	}
	return false;
}

enum match_kind match_kind_of(const struct row *row)
{
	static const struct {
		const char *type;
		enum match_kind kind;
	} types[] = {
		{"t20", MATCH_T20},
		{"t20i", MATCH_T20},
		{"odi", MATCH_ODI},
		{"test", MATCH_TEST},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (text_equals_ignoring_case(row->match_type, types[i].type))
			return types[i].kind;
	if (row->match_type[0])
		return MATCH_OTHER;
	if (has_word(row->name, "T20", true))
		return MATCH_T20;
	if (has_word(row->name, "ODI", true) || has_word(row->name, "List A", false))
		return MATCH_ODI;
	if (has_word(row->name, "Test", false) || has_word(row->name, "Tests", false))
		return MATCH_TEST;
	return MATCH_HUNDRED;
}

bool match_counts_balls(const struct row *row)
{
	return match_kind_of(row) == MATCH_HUNDRED;
}

int match_full_balls(enum match_kind kind)
{
	switch (kind) {
	case MATCH_T20:
		return 120;
	case MATCH_ODI:
		return 300;
	case MATCH_HUNDRED:
		return 100;
	case MATCH_TEST:
	case MATCH_OTHER:
		return 0;
	}
	return 0;
}

void match_kind_text(const struct row *row, char *out, size_t out_bytes)
{
	static const char *const names[] = {
		[MATCH_OTHER] = "",
		[MATCH_T20] = "T20",
		[MATCH_ODI] = "ODI",
		[MATCH_TEST] = "Test",
		[MATCH_HUNDRED] = "100 balls",
	};
	enum match_kind kind = match_kind_of(row);

	if (kind != MATCH_OTHER) {
		snprintf(out, out_bytes, "%s", names[kind]);
		return;
	}
	snprintf(out, out_bytes, "%s", row->match_type);
	for (char *p = out; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

bool match_begun(const struct row *row)
{
	return row->started || row->ended || row->innings > 0;
}

static bool says(const struct row *row, const char *words)
{
	return text_contains_ignoring_case(row->status, words);
}

enum match_result match_result_of(const struct row *row)
{
	if (says(row, "no result") || says(row, "abandon") || says(row, "cancel") ||
		says(row, "no scorecard"))
		return MATCH_NO_RESULT;
	if (says(row, "in progress")) /* "Match tied (Super over in progress)" */
		return MATCH_LIVE;
	if (says(row, "match tied") || says(row, "match drawn") || says(row, "match draw"))
		return MATCH_TIED;
	if (says(row, " won by ") ||
		(says(row, " won") && !says(row, "won the toss") && row->ended))
		return MATCH_WON;
	if (row->ended)
		return MATCH_OVER;
	return match_begun(row) ? MATCH_LIVE : MATCH_FIXTURE;
}

/* Length of a label without " Inning 1" (also " Innings 1"). */
static size_t label_name_length(const char *label)
{
	size_t length = strlen(label);

	for (const char *p = label; *p; p++)
		if (!strncasecmp(p, " inning", 7))
			length = (size_t)(p - label);
	return length;
}

/* Whom the label itself names: 0, 1, or -1. */
static int side_by_label(const struct row *row, unsigned k)
{
	const char *label = row->score[k].label;
	size_t length = label_name_length(label);

	for (int side = 0; side < 2; side++)
		if (length > 0 && strlen(row->team[side]) == length &&
			!strncasecmp(label, row->team[side], length))
			return side;
	return -1;
}

int match_side_of(const struct row *row, unsigned k)
{
	int side = -1;

	if (k >= row->innings || k >= ROW_INNINGS || !strcasecmp(row->team[0], row->team[1]))
		return -1;
	for (unsigned i = 0; i <= k; i++) {
		int named = side_by_label(row, i);

		if (named >= 0)
			side = named;
		else if (side >= 0 && strchr(row->score[i].label, ','))
			side = 1 - side;
		else
			side = -1;
	}
	return side;
}

void match_team_of(const struct row *row, unsigned k, char *out, size_t out_bytes)
{
	int side = match_side_of(row, k);

	if (side >= 0)
		snprintf(out, out_bytes, "%s", row->team[side]);
	else if (k < row->innings && k < ROW_INNINGS)
		snprintf(out, out_bytes, "%.*s", (int)label_name_length(row->score[k].label),
			row->score[k].label);
	else
		out[0] = '\0';
}
