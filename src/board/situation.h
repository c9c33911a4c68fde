/* situation.h - all that is known of the box at one moment: what the LED, the screen and a trial go by. */
#pragma once
#include "board/led.h"
#include "board/places.h"
#include "board/release.h"
#include "board/service_process.h"
#include "board/service_status.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	BOOTING_MS = 20000, /* so long the LED says booting, when nothing else is known */
	KAFKA_PATIENCE_MS =
		60000, /* so long a client may connect before it is away, where it names no reason */
	CARD_CHECK_UP_MS = 10 * 60000, /* a card at its end starts the box no oftener */
	NOTE_BYTES = 160,
	SITUATION_ERRORS = 4,
};

enum trial_phase {
	TRIAL_NONE, /* this boot is none */
	TRIAL_WAITS,
	TRIAL_HEALTHY, /* for the time that is asked for */
	TRIAL_CONFIRMED,
	TRIAL_FAILED,
};

struct situation {
	/* of this boot */
	char version[VERSION_BYTES];
	char slot; /* 'a', 'b', '?' unknown */
	bool trial_boot, watchdog_off;
	char card_errors[24]; /* of its data partition, before it was used; "": there is none */

	/* of the box: "" where there is no such note */
	int64_t wall_us, up_ms;
	int64_t supervised_ms; /* since the supervisor started */
	char net[NOTE_BYTES], clock[NOTE_BYTES], update[NOTE_BYTES];
	char stick_word[16], stick[NOTE_BYTES];
	unsigned bad_lines; /* of scorebox.env */
	char bad_line[NOTE_BYTES];
	char trouble[NOTE_BYTES];		   /* with the card: the first line */
	bool card_read_only;			   /* its data partition, after an error */
	unsigned long memory_used_kib, memory_kib; /* 0: unknown */

	/* of the daemon */
	bool consumes; /* by its settings */
	enum service_phase phase;
	bool ready, settings_wrong, waits_for_clock;
	unsigned runs;
	int exit_code;
	int64_t ran_ms, hung_ms;
	int64_t next_start_ms; /* from now, while it rests or waits for the clock */
	char last_error[NOTE_BYTES];
	unsigned errors; /* of this run, the first ones: what is wrong with the settings */
	char error[SITUATION_ERRORS][NOTE_BYTES];
	bool status_known; /* `status` is of this run */
	struct service_status status;

	enum trial_phase trial;
	int64_t healthy_ms, confirm_ms; /* so long it was healthy without a break, and has to be */
};

/* Reads what does not change while the box is up. */
void situation_of_boot(struct situation *s, const struct places *p);
/* Reads the notes of /run/scorebox and the memory. */
void situation_of_now(struct situation *s, const struct places *p);

/* The most urgent state. Pure, as all below. */
enum box_state situation_state(const struct situation *s);
bool situation_kafka_away(const struct situation *s);
/* Differs when a state differs; figures and times do not count. */
uint64_t situation_key(const struct situation *s);

/* The whole of a small file, at most out_bytes - 1, terminated; -1: it cannot be read, or is no regular file.
 * `strange`: others may have made it, so no symbolic link is followed. */
int note_read(const char *path, bool strange, char *out, size_t out_bytes);
/* Its first line, without control characters. False: there is none. */
bool note_line(const char *path, char *out, size_t out_bytes);
