/* matchstates.c - the rows a poller of the API would have seen while the match of a match file was
 * played. Shape, key order and status texts are those of recorded rows: `score` absent before
 * play, `o` a number of overs (20, 19.4) and in the Hundred of balls, a chase as "India need 33
 * runs in 46 balls", a super over in the status alone. */
#include "base/text.h"
#include "replay/matchfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROW_MAX_BYTES = 16384,
	STATUS_BYTES = 256,
	TO_TOSS_S = 1800,
	TO_PLAY_S = 1800,
	BALL_S = 35,
	OVER_S = 25,
	WICKET_S = 90,
	BREAK_S = 1200,
	BREAK_ODI_S = 2400,
	SUPER_BREAK_S = 600,
	SUPER_INNINGS_S = 300,
	RESULT_S = 300,
};

static const char icon[] = "https://h.cricapi.com/img/icon512.png";

struct tally {
	const struct matchfile_innings *facts;
	unsigned number; /* of this team's innings, from 1 */
	unsigned runs, wickets;
	unsigned overs, balls; /* completed, and legal ones of the over begun */
	unsigned bowled;       /* legal ones in all */
};

struct play {
	const struct matchfile *m;
	matchfile_call *call;
	void *context;
	struct buffer row;
	int64_t at_s;
	bool started, live, ended;
	char status[STATUS_BYTES];
	struct tally tally[MATCHFILE_INNINGS];
	unsigned count;
};

static enum status add_string(struct buffer *row, const char *before, const char *text)
{
	enum status s = buffer_add_text(row, before);

	return s == STATUS_OK ? text_json_string(row, text, strlen(text)) : s;
}

/* teamInfo is sorted by name, whatever the order of `teams`. */
static enum status add_teams(struct buffer *row, const struct matchfile *m)
{
	unsigned first = strcmp(m->team[0], m->team[1]) <= 0 ? 0 : 1;
	enum status s = add_string(row, ",\"teams\":[", m->team[0]);

	if (s == STATUS_OK)
		s = add_string(row, ",", m->team[1]);
	if (s == STATUS_OK)
		s = buffer_add_text(row, "],\"teamInfo\":[");
	for (unsigned i = 0; s == STATUS_OK && i < 2; i++) {
		unsigned team = i == 0 ? first : 1 - first;

		s = add_string(row, i == 0 ? "{\"name\":" : ",{\"name\":", m->team[team]);
		if (s == STATUS_OK)
			s = add_string(row, ",\"shortname\":", m->short_name[team]);
		if (s == STATUS_OK)
			s = add_string(row, ",\"img\":", icon);
		if (s == STATUS_OK)
			s = buffer_add_text(row, "}");
	}
	return s == STATUS_OK ? buffer_add_text(row, "]") : s;
}

/* The Hundred is told by its sets of five. */
static bool counts_balls(const struct matchfile *m)
{
	return m->over_balls == 5;
}

static void overs_text(
	const struct matchfile *m, const struct tally *t, char *out, size_t out_bytes)
{
	if (counts_balls(m))
		snprintf(out, out_bytes, "%u", t->overs * m->over_balls + t->balls);
	else if (t->balls == 0)
		snprintf(out, out_bytes, "%u", t->overs);
	else
		snprintf(out, out_bytes, "%u.%u", t->overs, t->balls);
}

static enum status add_score(struct buffer *row, const struct play *p)
{
	enum status s = STATUS_OK;

	for (unsigned i = 0; s == STATUS_OK && i < p->count; i++) {
		const struct tally *t = &p->tally[i];
		char overs[16], label[MATCHFILE_TEXT + 32];

		overs_text(p->m, t, overs, sizeof overs);
		snprintf(
			label, sizeof label, "%s Inning %u", p->m->team[t->facts->team], t->number);
		s = buffer_format(row,
			"%s{\"r\":%u,\"w\":%u,\"o\":%s,\"inning\":", i == 0 ? ",\"score\":[" : ",",
			t->runs, t->wickets, overs);
		if (s == STATUS_OK)
			s = add_string(row, "", label);
		if (s == STATUS_OK)
			s = buffer_add_text(row, "}");
	}
	return s == STATUS_OK && p->count > 0 ? buffer_add_text(row, "]") : s;
}

static enum status add_start(struct buffer *row, const struct matchfile *m)
{
	return buffer_format(row, ",\"date\":\"%.10s\",\"dateTimeGMT\":\"%s\"", m->start, m->start);
}

static enum status add_flags(struct buffer *row, const struct play *p)
{
	static const char *const word[] = {"false", "true"};

	return buffer_format(row,
		",\"fantasyEnabled\":%s,\"bbbEnabled\":%s,\"hasSquad\":true,"
		"\"matchStarted\":%s,\"matchEnded\":%s}",
		word[p->live], word[p->live && !counts_balls(p->m)], word[p->started],
		word[p->ended]);
}

/* Tells the caller of the state as it is now. */
static enum status emit(struct play *p)
{
	const struct matchfile *m = p->m;
	struct buffer *row = &p->row;
	enum status s;

	buffer_clear(row);
	s = add_string(row, "{\"id\":", m->id);
	if (s == STATUS_OK)
		s = add_string(row, ",\"name\":", m->name);
	if (s == STATUS_OK && m->type[0])
		s = add_string(row, ",\"matchType\":", m->type);
	if (s == STATUS_OK)
		s = add_string(row, ",\"status\":", p->status);
	if (s == STATUS_OK)
		s = add_string(row, ",\"venue\":", m->venue);
	if (s == STATUS_OK)
		s = add_start(row, m);
	if (s == STATUS_OK)
		s = add_teams(row, m);
	if (s == STATUS_OK)
		s = add_score(row, p);
	if (s == STATUS_OK)
		s = add_string(row, ",\"series_id\":", m->series);
	if (s == STATUS_OK)
		s = add_flags(row, p);
	return s == STATUS_OK
		       ? p->call(p->context, p->at_s * 1000, view_of(row->bytes, row->length))
		       : s;
}

static void set_status(struct play *p, const char *text)
{
	snprintf(p->status, sizeof p->status, "%s", text);
}

static unsigned runs_of_team(const struct play *p, unsigned team)
{
	unsigned runs = 0;

	for (unsigned i = 0; i < p->count; i++)
		if (p->tally[i].facts->team == team)
			runs += p->tally[i].runs;
	return runs;
}

/* The chase in words. Once it is decided the API keeps the last text until the result is in. */
static void set_chase(struct play *p)
{
	const struct tally *t = &p->tally[p->count - 1];
	unsigned team = t->facts->team;
	int target = t->facts->target ? (int)t->facts->target : (int)runs_of_team(p, 1 - team) + 1;
	int need = target - (int)runs_of_team(p, team);
	int left = (int)t->facts->limit - (int)t->bowled;

	if (need <= 0 || left <= 0) {
		if (need == 1)
			set_status(p, "Scores level");
		return;
	}
	snprintf(p->status, sizeof p->status, "%s need %d %s in %d %s", p->m->team[team], need,
		need == 1 ? "run" : "runs", left, left == 1 ? "ball" : "balls");
}

static void bowl(
	struct play *p, struct tally *t, const struct matchfile_ball *ball, bool over_follows)
{
	t->runs += ball->runs;
	t->wickets += ball->wicket;
	t->balls += ball->legal;
	t->bowled += ball->legal;
	p->at_s += BALL_S + (ball->wicket ? WICKET_S : 0);

	/* The umpire may have miscounted: an over is over when another one follows, too. */
	if (over_follows) {
		t->overs++;
		t->balls = 0;
		p->at_s += OVER_S;
	}
}

static enum status play_innings(struct play *p, const struct matchfile_innings *facts)
{
	struct tally *t = &p->tally[p->count++];
	enum status s = STATUS_OK;

	*t = (struct tally){.facts = facts, .number = 1, .runs = facts->before};
	for (unsigned i = 0; i + 1 < p->count; i++)
		t->number += p->tally[i].facts->team == facts->team;
	if (p->count > 1)
		p->at_s += strcmp(p->m->type, "odi") == 0 ? BREAK_ODI_S : BREAK_S;
	for (unsigned b = 0; s == STATUS_OK && b < facts->count; b++) {
		bool last_here = b + 1 == facts->count || facts->balls[b + 1].first;
		bool full = t->balls + facts->balls[b].legal >= p->m->over_balls;

		bowl(p, t, &facts->balls[b], last_here && (b + 1 < facts->count || full));
		if (p->count > 1)
			set_chase(p);
		s = emit(p);
	}
	t->runs += facts->after;
	return s == STATUS_OK ? emit(p) : s;
}

/* The super overs show in the status alone; their balls take their time. */
static enum status play_super_overs(struct play *p)
{
	int64_t lasts_s = 0;

	for (unsigned i = 0; i < p->m->count; i++)
		if (p->m->innings[i].super_over)
			lasts_s += (int64_t)p->m->innings[i].count * BALL_S + SUPER_INNINGS_S;
	if (lasts_s == 0)
		return STATUS_OK;
	p->at_s += SUPER_BREAK_S;
	set_status(p, counts_balls(p->m) ? "Match tied (Super five in progress)"
					 : "Match tied (Super over in progress)");

	enum status s = emit(p);

	p->at_s += lasts_s;
	return s;
}

static enum status play_before(struct play *p)
{
	const struct matchfile *m = p->m;

	set_status(p, "Match not started");

	enum status s = emit(p);

	p->at_s += TO_TOSS_S;
	p->started = true;
	if (m->tossed)
		snprintf(p->status, sizeof p->status, "%s opt to %s", m->team[m->toss_team],
			m->toss_bowl ? "bowl" : "bat");
	if (s == STATUS_OK)
		s = emit(p);
	p->at_s += TO_PLAY_S;
	p->live = true;
	return s;
}

enum status matchfile_play(const struct matchfile *m, matchfile_call *call, void *context)
{
	struct play *p = calloc(1, sizeof *p);
	enum status s;

	if (!p)
		return STATUS_NO_MEMORY;
	p->m = m;
	p->call = call;
	p->context = context;
	buffer_init(&p->row, ROW_MAX_BYTES);
	s = play_before(p);
	for (unsigned i = 0; s == STATUS_OK && i < m->count && !m->innings[i].super_over; i++)
		s = play_innings(p, &m->innings[i]);
	if (s == STATUS_OK)
		s = play_super_overs(p);
	p->at_s += RESULT_S;
	set_status(p, m->result);
	p->ended = true;
	if (s == STATUS_OK)
		s = emit(p);
	buffer_done(&p->row);
	free(p);
	return s;
}
