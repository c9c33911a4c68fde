/* demo_board.c - draws the scoreboard. */
#include "app/demo_board.h"

#include "cricket/match.h"
#include "cricket/overs.h"
#include "cricket/timeline.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_BYTES = 512, TEAM_BYTES = 96, BAR_CELLS = 24, FLASH_STATES = 4, WIDTH_UNKNOWN = 80 };

static const char bold[] = "\033[1m", red[] = "\033[1;31m", green[] = "\033[1;32m",
		  plain[] = "\033[0m";

static bool says_utf8(const char *name)
{
	const char *value = getenv(name);

	return value && (strcasestr(value, "utf-8") || strcasestr(value, "utf8"));
}

void board_init(struct board *b, FILE *out)
{
	struct winsize size;
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	memset(b, 0, sizeof *b);
	b->out = out;
	b->terminal = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
	b->colour = b->terminal && !(no_colour && *no_colour);
	b->utf8 = says_utf8("LC_ALL") || says_utf8("LC_CTYPE") || says_utf8("LANG");
	b->width = WIDTH_UNKNOWN;
	if (b->terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		b->width = size.ws_col;
}

void board_close_line(struct board *b)
{
	if (b->line_open)
		fputs("\r\033[K", b->out);
	b->line_open = false;
	fflush(b->out);
}

/* A line of the story; stays. */
static void PRINTF_LIKE(3, 4) tell(struct board *b, const char *style, const char *format, ...)
{
	va_list arguments;

	board_close_line(b);
	fputs(b->colour ? style : "", b->out);
	va_start(arguments, format);
	vfprintf(b->out, format, arguments);
	va_end(arguments);
	fputs(b->colour ? plain : "", b->out);
	fputc('\n', b->out);
	fflush(b->out);
}

/* "Delhi Capitals" is DC on a narrow line, "Essex" is ESS. */
static void initials(const char *team, char out[8])
{
	size_t n = 0;

	for (const char *p = team; *p && n < 4; p++)
		if (*p != ' ' && (p == team || p[-1] == ' '))
			out[n++] = *p;
	if (n < 2)
		n = (size_t)snprintf(out, 8, "%.3s", team);
	out[n < 7 ? n : 7] = '\0';
}

static double played(const struct row *row, const struct score *s)
{
	int full = match_full_balls(match_kind_of(row));
	int64_t balls = 0;

	if (s->ended)
		return 1;
	for (unsigned i = 0; i < s->innings; i++)
		balls += s->at[i].balls > 0 ? s->at[i].balls : 0;
	if (full <= 0 || balls < 0)
		return 0;
	/* The result is yet to come. */
	return balls >= 2 * full ? 0.99 : (double)balls / (2 * full);
}

static void add_bar(const struct board *b, double part, unsigned cells, char *out, size_t out_bytes)
{
	unsigned full = (unsigned)(part * cells + 0.5);
	size_t length = strlen(out);

	for (unsigned i = 0; i < cells && length + 4 < out_bytes; i++)
		length += (size_t)snprintf(out + length, out_bytes - length, "%s",
			b->utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : "-"));
}

/* "DC 188/5 (20)  RR 92/1 (9.4)  ████░░ 63%  need 97 runs in 62 balls  SIX" */
static void draw(struct board *b, const struct row *row, const struct score *s)
{
	char scores[LINE_BYTES / 2] = "", bar[LINE_BYTES / 2] = "", team[TEAM_BYTES],
				 score[INNINGS_TEXT_BYTES];
	double part = played(row, s);
	unsigned cells;

	for (unsigned i = 0; i < row->innings; i++) {
		char brief[8];
		size_t length = strlen(scores);

		match_team_of(row, i, team, sizeof team);
		initials(team, brief);
		innings_text(&row->score[i], score);
		snprintf(scores + length, sizeof scores - length, "%s %s  ", brief, score);
	}

	/* What does not fit is left out: a line that wraps cannot be drawn over. */
	unsigned used = (unsigned)strlen(scores) + 7 + (unsigned)strlen(b->flash);

	if (used + 8 > b->width)
		return;
	cells = b->width - used < BAR_CELLS ? b->width - used : BAR_CELLS;
	add_bar(b, part, cells, bar, sizeof bar);
	used += cells;

	int room = (int)b->width - (int)used - 2;

	fprintf(b->out, "\r%s%s%s%s %3.0f%% %s%s%s%s%.*s\033[K", b->colour ? bold : "", scores,
		b->colour ? plain : "", bar, part * 100, b->colour ? green : "", b->flash,
		b->colour ? plain : "", *b->flash ? " " : "", room > 0 ? room : 0, s->status);
	fflush(b->out);
	b->line_open = true;
}

static void flash(struct board *b, const char *text)
{
	snprintf(b->flash, sizeof b->flash, "%s", text);
	b->flash_left = FLASH_STATES;
}

/* Counts boundaries as a scorer without ball-by-ball data does: by the step of the total. */
static void count_shot(struct board *b, const char *event)
{
	if (strcmp(event, "+4") == 0) {
		b->fours++;
		flash(b, "FOUR");
	} else if (strcmp(event, "+6") == 0) {
		b->sixes++;
		flash(b, "SIX");
	}
}

static void tell_wicket(struct board *b, const struct row *row, int64_t wickets)
{
	char team[TEAM_BYTES], score[INNINGS_TEXT_BYTES];

	if (wickets <= 0 || row->innings == 0)
		return;
	b->wickets += (unsigned)wickets;
	flash(b, "WICKET");
	match_team_of(row, row->innings - 1, team, sizeof team);
	innings_text(&row->score[row->innings - 1], score);
	tell(b, red, "  WICKET  %s %s", team, score);
}

/* "need 33 runs in 46 balls" changes with every ball; every other status is worth a line. */
static bool is_running_text(const char *status)
{
	return strstr(status, " need ") != NULL;
}

static void tell_status(struct board *b, const struct score *s)
{
	if (strcmp(b->last.status, s->status) == 0 || is_running_text(s->status))
		return;
	tell(b, bold, "  %s", s->status);
}

static void tell_innings(struct board *b, const struct row *row, const struct score *s)
{
	char team[TEAM_BYTES], score[INNINGS_TEXT_BYTES];

	if (s->innings == b->last.innings)
		return;
	if (s->innings > 1) {
		match_team_of(row, s->innings - 2, team, sizeof team);
		innings_text(&row->score[s->innings - 2], score);
		tell(b, bold, "  Innings break: %s %s", team, score);
	}
	match_team_of(row, s->innings - 1, team, sizeof team);
	tell(b, plain, "  %s bat", team);
}

/* Without a terminal: a line when an over has ended. */
static void tell_over(struct board *b, const struct row *row, const struct score *s)
{
	char team[TEAM_BYTES], score[INNINGS_TEXT_BYTES];
	int now = score_current(s);
	int per_over = overs_per_over(match_counts_balls(row));

	if (b->terminal || now < 0 || s->at[now].balls <= 0 || s->at[now].balls % per_over != 0)
		return;
	if (now == score_current(&b->last) && s->at[now].balls == b->last.at[now].balls)
		return;
	match_team_of(row, (unsigned)now, team, sizeof team);
	innings_text(&row->score[now], score);
	tell(b, plain, "  %s %s%s%s", team, score, is_running_text(s->status) ? "  " : "",
		is_running_text(s->status) ? s->status : "");
}

void board_show(struct board *b, const struct row *row)
{
	struct score s;
	char event[TIMELINE_EVENT_BYTES];
	int64_t wickets = 0;

	score_of(row, match_counts_balls(row), &s);
	timeline_event(b->begun ? &b->last : NULL, &s, event, &wickets);
	if (b->flash_left > 0 && --b->flash_left == 0)
		b->flash[0] = '\0';
	if (!b->begun)
		tell(b, bold, "%s, %s, %s", row->name, row->venue, row->date);
	tell_innings(b, row, &s);
	count_shot(b, event);
	tell_wicket(b, row, wickets);
	tell_over(b, row, &s);
	tell_status(b, &s);
	b->begun = true;
	b->last = s;
	b->states++;
	if (b->terminal && !s.ended)
		draw(b, row, &s);
}

void board_result(struct board *b, const struct row *row)
{
	board_close_line(b);
	fputc('\n', b->out);
	for (unsigned i = 0; i < row->innings; i++) {
		char team[TEAM_BYTES], score[INNINGS_TEXT_BYTES];

		match_team_of(row, i, team, sizeof team);
		innings_text(&row->score[i], score);
		fprintf(b->out, "  %s%-24s %s%s\n", b->colour ? bold : "", team, score,
			b->colour ? plain : "");
	}
}
