#include "board/led.h"

#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHORT 200, 300, 1800

const struct led_pattern led_patterns[BOX_STATES] = {
	[BOX_BOOTING] = {"booting", 0, 100, 100, 0, "quick blinking without a pause",
		"Wait: starting, or ending, takes less than a minute."},
	[BOX_NO_SETTINGS] = {"no settings", 2, SHORT, "2 flashes, pause",
		"Correct scorebox.env on the card's drive SCOREBOX; the log, and "
		"scorebox-status.txt on the stick, name what is wrong."},
	[BOX_NO_NETWORK] = {"no network", 3, SHORT, "3 flashes, pause",
		"Look at the network cable and the router; SCOREBOX_NET_ADDRESS sets a fixed "
		"address."},
	[BOX_NO_CLOCK] = {"no clock", 4, SHORT, "4 flashes, pause",
		"No time server answers: let UDP port 123 out, or name one that can be reached "
		"in SCOREBOX_NTP."},
	[BOX_SERVICE_DOWN] = {"service down", 8, SHORT, "8 flashes, pause",
		"The service does not stay up, and is started again and again: read its last "
		"lines in the log or on the stick."},
	[BOX_API_AWAY] = {"API away", 5, SHORT, "5 flashes, pause",
		"The score API does not answer as it should: see the reason; check "
		"SCOREBOX_API_KEY and the way to the Internet."},
	[BOX_KAFKA_AWAY] = {"Kafka away", 6, SHORT, "6 flashes, pause",
		"Kafka cannot be reached: see the reason; check SCOREBOX_KAFKA_BROKERS and the "
		"broker. Nothing is lost meanwhile."},
	[BOX_STICK_AWAY] = {"stick away", 7, SHORT, "7 flashes, pause",
		"Plug in a USB stick that can be written and has room: the workbooks that wait "
		"are written then."},
	[BOX_CARD_BAD] = {"card damaged", 9, SHORT, "9 flashes, pause",
		"What is wrong with the card stands on the screen and on the "
		"stick: act on it, and replace the card."},
	[BOX_TRIAL] = {"update trial", 1, 1000, 0, 1000, "long flashes",
		"A new version is on trial: leave the power on until it is confirmed."},
	[BOX_WELL] = {"all well", 1, 100, 0, 2900, "1 short flash every 3 s", "Nothing."},
};

bool led_is_on(const struct led_pattern *p, int64_t since_ms, int64_t *left_ms)
{
	int flash_ms = p->on_ms + p->off_ms;
	int round_ms = p->flashes ? p->flashes * flash_ms + p->pause_ms : flash_ms;
	int at = (int)((since_ms < 0 ? 0 : since_ms) % round_ms);
	int flash = at / flash_ms, within = at % flash_ms;

	if (p->flashes && flash >= p->flashes) {
		*left_ms = round_ms - at;
		return false;
	}
	if (within < p->on_ms) {
		*left_ms = p->on_ms - within;
		return true;
	}
	/* The last flash's own dark goes over into the pause. */
	*left_ms = flash_ms - within + (flash + 1 == p->flashes ? p->pause_ms : 0);
	return false;
}

void led_print_markdown(FILE *out)
{
	fputs("| the LED | means | what to do |\n|---|---|---|\n", out);
	for (int i = 0; i < BOX_STATES; i++) {
		const struct led_pattern *p = &led_patterns[i];

		fprintf(out, "| %s | %s | %s |\n", p->looks, p->name, p->todo);
	}
}

/* ---- the device ---- */

/* How well a name fits; 0: it is some other light. */
static int fits(const char *name)
{
	static const char *const others[] = {"lock", "pwr", "power", "eth", "lan", "mmc", "wlan"};
	static const char *const ours[] = {"led", "green", "status", "user"};

	if (strstr(name, "ACT"))
		return 4;
	if (!strcmp(name, "led0"))
		return 3;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (text_contains_ignoring_case(name, others[i]))
			return 0;
	if (text_contains_ignoring_case(name, "act"))
		return 2;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (text_contains_ignoring_case(name, ours[i]))
			return 1;
	return 0;
}

static bool find(const char *folder, char *name, size_t name_bytes)
{
	DIR *d = opendir(folder);
	int best = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		int fit = *e->d_name == '.' ? 0 : fits(e->d_name);
		size_t n = strlen(e->d_name);

		/* Of those that fit as well the first by name: readdir has no order. */
		if (n >= name_bytes || fit < best || !fit ||
			(fit == best && strcmp(e->d_name, name) > 0))
			continue;
		best = fit;
		memcpy(name, e->d_name, n + 1);
	}
	if (d)
		closedir(d);
	return best > 0;
}

static int open_file(const char *folder, const char *name, const char *file, int flags)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);

	return n > 0 && (size_t)n < sizeof path ? open(path, flags | O_CLOEXEC) : -1;
}

static unsigned read_max(const char *folder, const char *name)
{
	char text[16] = "";
	int fd = open_file(folder, name, "max_brightness", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	unsigned long max = n > 0 ? strtoul(text, NULL, 10) : 0;

	if (fd >= 0)
		close(fd);
	return max ? (unsigned)max : 1;
}

void led_open(struct led *out, const char *folder)
{
	*out = (struct led){.fd = -1};
	if (!find(folder, out->name, sizeof out->name))
		return;

	int trigger = open_file(folder, out->name, "trigger", O_WRONLY);

	if (trigger >= 0) {
		(void)!write(trigger, "none", 4); /* without it we fight with the kernel, no more */
		close(trigger);
	}
	out->max = read_max(folder, out->name);
	out->fd = open_file(folder, out->name, "brightness", O_WRONLY);
}

void led_set(struct led *l, bool on)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%u\n", on ? l->max : 0);

	if (l->fd < 0)
		return;
	if (pwrite(l->fd, text, (size_t)n, 0) != n) {
		close(l->fd); /* the board goes on without it */
		l->fd = -1;
	}
}
