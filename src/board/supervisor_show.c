/* supervisor_show.c - looks at the box, and shows it: LED, status screen, stick. */
#include "board/supervisor_private.h"

#include "base/clock.h"
#include "base/file.h"
#include "board/stick_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- looking ---- */

static bool status_path(const struct supervisor *s, char *out, size_t out_bytes)
{
	return file_join(s->settings.state_dir, "status.json", out, out_bytes) == STATUS_OK;
}

/* Zero where there is none. */
static struct file_mark mark_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return (struct file_mark){0};
	return (struct file_mark){st.st_ino, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
}

static bool same(const struct file_mark *a, const struct file_mark *b)
{
	return a->inode == b->inode && a->s == b->s && a->ns == b->ns;
}

void supervisor_forget_status(struct supervisor *s)
{
	char path[PATH_MAX];

	s->now.status = (struct service_status){0};
	s->status_seen = (struct file_mark){0};
	if (status_path(s, path, sizeof path))
		s->status_stale = mark_of(path);
}

static void read_status(struct supervisor *s, const char *path)
{
	char text[SERVICE_STATUS_BYTES + 1];
	int length = note_read(path, true, text, sizeof text);

	/* Nonsense: the last one holds; it is looked at again. */
	if (length > 0)
		(void)!service_status_parse(&s->now.status, text, (size_t)length, NULL);
}

static void look_at_status(struct supervisor *s, int64_t now_ms)
{
	char path[PATH_MAX];

	if (!status_path(s, path, sizeof path))
		return;

	struct file_mark mark = mark_of(path);

	if (!mark.inode || same(&mark, &s->status_stale))
		return;
	if (now_ms - s->status_ms < SCREEN_EVERY_MS && same(&mark, &s->status_seen))
		return;
	s->status_seen = mark;
	s->status_ms = now_ms;
	read_status(s, path);
}

void supervisor_look(struct supervisor *s, int64_t now_ms)
{
	struct situation *n = &s->now;
	const struct service_process *p = &s->service;

	situation_of_now(n, &s->places);
	look_at_status(s, now_ms);
	n->supervised_ms = now_ms - s->began_ms;
	n->consumes = s->settings.consumes;
	n->phase = p->phase;
	n->ready = p->phase == SERVICE_RUNS && p->ready;
	n->runs = p->runs;
	n->exit_code = p->exit_code;
	n->settings_wrong = s->settings_wrong || !s->settings.given;
	n->waits_for_clock = !s->clock_waited && s->clock_wait_until_ms;
	n->ran_ms = p->phase == SERVICE_RESTS ? 0 : now_ms - p->started_ms;
	n->hung_ms = service_hung_ms(p, now_ms);
	n->next_start_ms = (n->waits_for_clock ? s->clock_wait_until_ms : s->next_start_ms) -
			   now_ms;
	n->status_known = n->ready && n->status.pid == p->pid;
	n->trial = s->trial.phase;
	n->healthy_ms = s->trial.phase == TRIAL_HEALTHY ? now_ms - s->trial.healthy_since_ms : 0;
	n->confirm_ms = s->trial.confirm_ms;
}

/* ---- the LED ---- */

static void blink(void *context)
{
	struct supervisor *s = context;
	int64_t now_ms = clock_mono_ms(), left_ms;
	bool on = led_is_on(&led_patterns[s->led_state], now_ms - s->led_since_ms, &left_ms);

	led_set(&s->led, on);
	if (s->led.fd >= 0 && loop_timer(s->loop, now_ms + left_ms, blink, s) != STATUS_OK)
		log_error("board.led", "no timer is left for it; nothing lost; it stands still");
}

static void show_led(struct supervisor *s, int64_t now_ms)
{
	enum box_state state = situation_state(&s->now);

	if (state == s->led_state && s->led_since_ms)
		return;
	s->led_state = state;
	s->led_since_ms = now_ms;
	blink(s);
}

void supervisor_open_show(struct supervisor *s)
{
	led_open(&s->led, s->places.at[PLACE_LEDS]);
	if (s->led.fd >= 0)
		log_info("board.led", "'%s' tells how the box is", s->led.name);
	else
		log_info("board.led", "no activity LED is found; the screens tell how the box is");
	s->stick_errand.name = "status file on the stick";
}

/* ---- the screens ---- */

static void show_file(const struct supervisor *s)
{
	/* Without it the console tells the same. */
	(void)!file_replace(
		s->places.at[PLACE_STATUS], s->screen.text, s->screen.length, 0644, NULL);
}

static void show_console(struct supervisor *s)
{
	console_put(&s->console, "\n", 1);
	console_put(&s->console, s->screen.text, s->screen.length);
}

static void show_hdmi(const struct supervisor *s)
{
	static const char clear[] = "\033[H\033[2J\033[3J";
	int fd = open(s->places.at[PLACE_SCREEN],
		O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return; /* no screen */
	if (write(fd, clear, sizeof clear - 1) > 0)
		(void)!write(fd, s->screen.text, s->screen.length);
	close(fd);
}

/* ---- the stick ---- */

/* In the child. 2: there is no stick. */
static int write_stick(void *context)
{
	const struct supervisor *s = context;
	char path[PATH_MAX];
	struct why why;

	if (!status_path(s, path, sizeof path))
		*path = '\0';

	const struct stick_file file = {.places = &s->places,
		.screen = s->screen.text,
		.status_path = path,
		.tail = &s->tail};
	enum status status = stick_file_write(&file, &why);

	if (status == STATUS_OK)
		return 0;
	if (status == STATUS_NOT_FOUND)
		return 2;
	if (!s->stick_told)
		log_warn("board.stick-file", "%s; nothing lost; it is tried again", why.text);
	return 1;
}

void supervisor_stick_ended(struct supervisor *s, int exit_code)
{
	s->stick_told = exit_code == 1 || exit_code == -1;
	s->stick_key = s->stick_sent_key;
}

static void show_stick(struct supervisor *s, int64_t now_ms)
{
	bool changed = s->key != s->stick_key;
	int64_t every_ms = changed ? STICK_GAP_MS : STICK_EVERY_MS;

	if (s->stick_errand.pid || (s->stick_ms && now_ms - s->stick_ms < every_ms))
		return;
	s->stick_ms = now_ms;
	s->stick_sent_key = s->key;
	if (errand_start(&s->stick_errand, write_stick, supervisor_leave_in_child, s, now_ms,
		    NULL) != STATUS_OK)
		log_debug("board.stick-file", "no child for it");
}

void supervisor_show(struct supervisor *s, int64_t now_ms)
{
	uint64_t key = situation_key(&s->now);
	bool changed = !s->shown || key != s->key;

	show_led(s, now_ms);
	if (!changed && now_ms - s->screen_ms < SCREEN_EVERY_MS)
		return;
	s->key = key;
	s->shown = true;
	s->screen_ms = now_ms;
	screen_compose(&s->screen, &s->now);
	show_file(s);
	if (changed || now_ms - s->console_ms >= CONSOLE_EVERY_MS) {
		s->console_ms = now_ms;
		show_console(s);
	}
	if (changed || now_ms - s->hdmi_ms >= HDMI_EVERY_MS) {
		s->hdmi_ms = now_ms;
		show_hdmi(s);
	}
	show_stick(s, now_ms);
}
