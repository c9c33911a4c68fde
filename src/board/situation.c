#include "board/situation.h"

#include "base/clock.h"
#include "base/log.h"
#include "board/boot_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- small files ---- */

int note_read(const char *path, bool strange, char *out, size_t out_bytes)
{
	/* Without the last: reading would write to the card. */
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (strange ? O_NOFOLLOW | O_NOATIME : 0);
	int fd = open(path, flags);
	size_t length = 0;
	struct stat st;
	ssize_t n = -1;

	*out = '\0';
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while (length < out_bytes - 1 &&
			((n = read(fd, out + length, out_bytes - 1 - length)) > 0 ||
				(n < 0 && errno == EINTR)))
			length += n > 0 ? (size_t)n : 0;
	close(fd);
	out[length] = '\0';
	return n < 0 && !length ? -1 : (int)length;
}

bool note_line(const char *path, char *out, size_t out_bytes)
{
	char text[400];

	if (note_read(path, false, text, sizeof text) < 0)
		return false;
	log_redact(text, strcspn(text, "\r\n"), out, out_bytes);
	return true;
}

/* ---- of this boot ---- */

void situation_of_boot(struct situation *s, const struct places *p)
{
	struct boot_line line = {.watchdog = true};
	struct release release = {.version = SCOREBOX_VERSION};

	/* Where they cannot be read this is no image: no slot, and the program's own version. */
	(void)!boot_line_read(p->at[PLACE_CMDLINE], &line, NULL);
	(void)!release_read(p->at[PLACE_RELEASE], &release, NULL);
	snprintf(s->version, sizeof s->version, "%s", release.version);
	s->slot = line.slot ? line.slot : '?';
	s->trial_boot = line.trial;
	s->watchdog_off = !line.watchdog;
	if (!note_line(p->at[PLACE_CARD_ERRORS_BEFORE], s->card_errors, sizeof s->card_errors))
		*s->card_errors = '\0';
}

/* ---- of now ---- */

static unsigned long meminfo(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoul(line + strlen(name), NULL, 10) : 0;
}

static void read_memory(struct situation *s, const char *path)
{
	char text[512];

	note_read(path, false, text, sizeof text);
	s->memory_kib = meminfo(text, "MemTotal:");
	s->memory_used_kib = s->memory_kib - meminfo(text, "MemAvailable:");
}

static void read_stick(struct situation *s, const char *path)
{
	char line[NOTE_BYTES];
	size_t n;

	*s->stick_word = *s->stick = '\0';
	if (!note_line(path, line, sizeof line))
		return;
	n = strcspn(line, " ");
	snprintf(s->stick_word, sizeof s->stick_word, "%.*s", n < 15 ? (int)n : 15, line);
	snprintf(s->stick, sizeof s->stick, "%s", line + n + strspn(line + n, " "));
}

static void read_bad_lines(struct situation *s, const char *path)
{
	char text[4096];

	note_read(path, false, text, sizeof text);
	s->bad_lines = 0;
	for (const char *at = text; *at; at += *at != '\0') {
		at += strcspn(at, "\n");
		s->bad_lines++;
	}
	log_redact(text, strcspn(text, "\r\n"), s->bad_line, sizeof s->bad_line);
}

/* With the first error ext4 writes nothing more (errors=remount-ro); statvfs() does not tell: Linux 6.12 keeps the
 * mount's own flag as it is. */
static void read_card(struct situation *s, const struct places *p)
{
	char errors[sizeof s->card_errors];

	s->card_read_only = *s->card_errors &&
			    note_line(p->at[PLACE_CARD_ERRORS], errors, sizeof errors) &&
			    strcmp(errors, s->card_errors) != 0;
	if (!note_line(p->at[PLACE_TROUBLE], s->trouble, sizeof s->trouble))
		*s->trouble = '\0';
	if (s->card_read_only)
		snprintf(s->trouble, sizeof s->trouble,
			"read-only after an error; the box starts anew within %d min",
			CARD_CHECK_UP_MS / 60000);
}

void situation_of_now(struct situation *s, const struct places *p)
{
	s->wall_us = clock_wall_us();
	s->up_ms = clock_mono_ms();
	if (!note_line(p->at[PLACE_NET], s->net, sizeof s->net))
		*s->net = '\0';
	if (!note_line(p->at[PLACE_CLOCK], s->clock, sizeof s->clock))
		*s->clock = '\0';
	else if (!*s->clock)
		snprintf(s->clock, sizeof s->clock, "set");
	if (!note_line(p->at[PLACE_UPDATE_NOTE], s->update, sizeof s->update))
		*s->update = '\0';
	read_stick(s, p->at[PLACE_STICK_NOTE]);
	read_bad_lines(s, p->at[PLACE_SETTINGS_LOG]);
	read_card(s, p);
	read_memory(s, p->at[PLACE_MEMINFO]);
}

/* ---- what it comes to ---- */

bool situation_kafka_away(const struct situation *s)
{
	const struct service_status *t = &s->status;
	bool patient = s->ran_ms < KAFKA_PATIENCE_MS;

	if (!s->status_known)
		return false;
	if (t->polls && !t->kafka.connected && (t->kafka.waiting || *t->kafka.reason || !patient))
		return true;
	return t->reads && !t->consumer.reading && (*t->consumer.reason || !patient);
}

static bool stick_away(const struct situation *s)
{
	const char *state = s->status.stick.state;

	if (s->status_known && s->status.reads && *state)
		return strcmp(state, "ok") != 0 && strcmp(state, "none") != 0;
	return s->consumes && *s->stick_word && strcmp(s->stick_word, "ok") != 0;
}

static bool service_down(const struct situation *s)
{
	return s->hung_ms || (s->phase == SERVICE_RESTS && s->runs) ||
	       (s->phase == SERVICE_RUNS && !s->ready && s->runs > 1);
}

enum box_state situation_state(const struct situation *s)
{
	const struct service_status *t = &s->status;

	if (s->phase == SERVICE_ENDS && !s->hung_ms)
		return BOX_BOOTING;
	if (s->supervised_ms < BOOTING_MS && !s->ready && s->runs < 2 && !s->settings_wrong)
		return BOX_BOOTING;
	if (s->settings_wrong)
		return BOX_NO_SETTINGS;
	if (!*s->net)
		return BOX_NO_NETWORK;
	if (!*s->clock)
		return BOX_NO_CLOCK;
	if (service_down(s))
		return BOX_SERVICE_DOWN;
	if (s->status_known && t->polls && t->poll.failing && t->poll.last_us)
		return BOX_API_AWAY;
	if (situation_kafka_away(s))
		return BOX_KAFKA_AWAY;
	if (stick_away(s))
		return BOX_STICK_AWAY;
	if (*s->trouble)
		return BOX_CARD_BAD;
	if (s->trial == TRIAL_WAITS || s->trial == TRIAL_HEALTHY)
		return BOX_TRIAL;
	return BOX_WELL;
}

/* FNV-1a */
static void mix(uint64_t *key, const void *bytes, size_t length)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < length; i++)
		*key = (*key ^ p[i]) * 0x100000001b3ull;
}

static void mix_text(uint64_t *key, const char *text)
{
	mix(key, text, strlen(text) + 1);
}

uint64_t situation_key(const struct situation *s)
{
	const struct service_status *t = &s->status;
	uint64_t key = 0xcbf29ce484222325ull;
	const unsigned char states[] = {(unsigned char)situation_state(s), (unsigned char)s->phase,
		(unsigned char)s->trial, s->ready, s->settings_wrong, s->waits_for_clock,
		s->hung_ms > 0, *s->clock != '\0', s->status_known, s->bad_lines > 0,
		*s->trouble != '\0', s->status_known && t->polls, s->status_known && t->reads,
		s->status_known && t->poll.failing, s->status_known && t->poll.last_us,
		s->status_known && t->kafka.connected, s->status_known && t->consumer.reading,
		(unsigned char)(s->phase == SERVICE_RESTS ? s->exit_code : 0)};

	mix(&key, states, sizeof states);
	mix_text(&key, s->net);
	mix_text(&key, s->stick_word);
	mix_text(&key, s->stick);
	mix_text(&key, s->update);
	if (s->status_known)
		mix_text(&key, t->stick.state);
	return key;
}
