/* supervisor_slots.c - early deaths, the trial, and what else the card keeps for the next start. */
#include "board/supervisor_private.h"

#include "base/clock.h"
#include "board/boot_state.h"
#include "board/update.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void save_deaths(const struct supervisor *s)
{
	struct why why;

	if (box_save_deaths(&s->places, &s->deaths, &why) != STATUS_OK)
		log_warn("board.deaths", "%s; starts that die early are not counted", why.text);
}

/* What the updater does about slots, with its paths below our root. It may take seconds. */
static enum status ask_updater(const struct supervisor *s,
	enum status (*what)(const struct update_paths *paths, struct why *why), struct why *why)
{
	struct update_paths paths;
	enum status status = update_paths_at(&paths, s->places.root, why);

	return status == STATUS_OK ? what(&paths, why) : status;
}

static bool fall_back(struct supervisor *s, unsigned deaths)
{
	struct why why;
	char other = boot_slot_other(s->now.slot);

	if (ask_updater(s, update_fall_back, &why) != STATUS_OK) {
		log_error("board.deaths",
			"%u starts in a row died within %d min, and slot %c cannot be tried: %s; slot %c goes on",
			deaths, DEATHS_EARLY_MS / 60000, other, why.text, s->now.slot);
		return false;
	}
	log_error("board.deaths",
		"%u starts in a row of slot %c died within %d min; nothing is lost; slot %c is tried now",
		deaths, s->now.slot, DEATHS_EARLY_MS / 60000, other);
	return true;
}

bool supervisor_count_start(struct supervisor *s)
{
	bool slots = s->now.slot != '?';
	struct why why;

	s->card_errand.name = "notes on the card";
	trial_watch_begin(&s->trial, slots && s->now.trial_boot, TRIAL_CONFIRM_MS, s->began_ms);
	if (slots && ask_updater(s, update_trial_failed, &why) != STATUS_OK)
		log_warn("board.trial", "%s; nothing lost; looked at again at the next start",
			why.text);
	box_read_deaths(&s->places, &s->deaths);
	s->deaths.count++;
	/* Not where early deaths sent us here: that slot was good, and power may be all that is wrong. */
	if (s->trial.phase != TRIAL_NONE && !s->deaths.tried)
		box_unmark_good(&s->places, s->now.slot);

	unsigned deaths = s->deaths.count - 1;
	bool want = slots && deaths_want_other(&s->deaths, s->now.trial_boot,
				     box_was_good(&s->places, boot_slot_other(s->now.slot)));

	save_deaths(s);
	return want && fall_back(s, deaths);
}

/* ---- the errand to the card ---- */

static bool does(enum card_job job, enum status status, const struct why *why)
{
	static const char *const lost[] = {
		[CARD_ALIVE] = "early deaths are counted on",
		[CARD_CLOCK] = "the next start knows an older time",
		[CARD_CONFIRM] = "the trial goes on; tried again",
	};

	if (status != STATUS_OK)
		log_warn("board.card", "%s; %s", why->text, lost[job]);
	return status == STATUS_OK;
}

/* In the child. The jobs that failed, as bits. */
static int do_card(void *context)
{
	struct supervisor *s = context;
	bool good = s->trial.phase == TRIAL_NONE || s->trial.phase == TRIAL_CONFIRMED;
	unsigned failed = 0;
	struct why why;

	if (s->card_doing & CARD_CONFIRM) {
		good = does(CARD_CONFIRM, ask_updater(s, update_trial_confirmed, &why), &why);
		failed |= good ? 0 : CARD_CONFIRM;
	}
	if (good && s->card_doing & (CARD_ALIVE | CARD_CONFIRM) &&
		!does(CARD_ALIVE, box_mark_good(&s->places, s->now.slot, &why), &why))
		failed |= CARD_ALIVE;
	if (s->card_doing & CARD_ALIVE &&
		!does(CARD_ALIVE, box_save_deaths(&s->places, &s->deaths, &why), &why))
		failed |= CARD_ALIVE;
	if (s->card_doing & CARD_CLOCK && !does(CARD_CLOCK, box_save_clock(&s->places, &why), &why))
		failed |= CARD_CLOCK;
	return (int)failed;
}

void supervisor_card_ended(struct supervisor *s, int exit_code, int64_t now_ms)
{
	unsigned failed = exit_code < 0 ? s->card_doing : (unsigned)exit_code;

	if (s->card_doing & CARD_CONFIRM && !(failed & CARD_CONFIRM)) {
		trial_watch_confirmed(&s->trial);
		log_info("board.trial",
			"version %s in slot %c was healthy for the time it had to be; it is the one in use from now on",
			s->now.version, s->now.slot);
	}
	if (failed & CARD_CONFIRM)
		s->confirm_ms = now_ms + RETRY_EVERY_MS;
	s->card_doing = 0;
}

static void send_to_card(struct supervisor *s, int64_t now_ms)
{
	if (!s->card_wanted || s->card_errand.pid)
		return;
	s->card_doing = s->card_wanted;
	if (errand_start(&s->card_errand, do_card, supervisor_leave_in_child, s, now_ms, NULL) ==
		STATUS_OK)
		s->card_wanted = 0;
}

/* ---- what is due ---- */

/* Alive and fed for the time: no early death, and this slot works. */
static void turn_alive(struct supervisor *s, int64_t now_ms)
{
	if (s->alive_kept || now_ms - s->signs_since_ms < DEATHS_EARLY_MS)
		return;
	s->alive_kept = true;
	s->deaths = (struct deaths){0};
	s->card_wanted |= CARD_ALIVE;
}

static void turn_clock(struct supervisor *s, int64_t now_ms)
{
	if (!*s->now.clock || (s->clock_ms && now_ms - s->clock_ms < CLOCK_EVERY_MS))
		return;
	s->clock_ms = now_ms;
	s->card_wanted |= CARD_CLOCK;
}

static void turn_trial(struct supervisor *s, int64_t now_ms)
{
	switch (trial_watch_step(&s->trial, &s->now, now_ms)) {
	case TRIAL_GO_ON:
		break;
	case TRIAL_CONFIRM:
		if (!(s->card_doing & CARD_CONFIRM) && now_ms >= s->confirm_ms)
			s->card_wanted |= CARD_CONFIRM;
		break;
	case TRIAL_GIVE_UP:
		log_error("board.trial",
			"version %s in slot %c was not healthy within %d min; nothing lost; the box goes back to slot %c now",
			s->now.version, s->now.slot, TRIAL_LIMIT_MS / 60000,
			boot_slot_other(s->now.slot));
		supervisor_reboot(s, "the trial has failed", 0);
		break;
	}
}

/* An ext4 that met an error of the card stays read-only until it is checked, and that is done at the start. */
static void turn_read_only(struct supervisor *s)
{
	if (!s->now.card_read_only)
		return;
	if (!s->read_only_told)
		log_error("data.readonly",
			"the card's data partition went read-only after an error of the card; nothing in it is lost, and nothing more is written; the box starts anew %d min after its last start, or at once, to check it; the card may be worn out",
			CARD_CHECK_UP_MS / 60000);
	s->read_only_told = true;
	if (s->now.up_ms >= CARD_CHECK_UP_MS)
		supervisor_reboot(s, "the card's data partition is to be checked", 0);
}

void supervisor_slots_turn(struct supervisor *s, int64_t now_ms)
{
	if (s->leaving == STAYS) {
		turn_alive(s, now_ms);
		turn_clock(s, now_ms);
		turn_trial(s, now_ms);
		turn_read_only(s);
	}
	send_to_card(s, now_ms);
}

void supervisor_settle_card(struct supervisor *s, bool asked)
{
	struct why why;

	if (access(s->places.at[PLACE_CLOCK], F_OK) == 0)
		(void)does(CARD_CLOCK, box_save_clock(&s->places, &why), &why);
	if (!asked || s->alive_kept || !s->deaths.count)
		return;
	s->deaths.count--;
	save_deaths(s);
}
