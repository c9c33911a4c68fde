/* led.h - the activity LED speaks: what it says is the most urgent of the box's states. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* In the order of their urgency: the first one that is true is shown. */
enum box_state {
	BOX_BOOTING,
	BOX_NO_SETTINGS,
	BOX_NO_NETWORK,
	BOX_NO_CLOCK,
	BOX_SERVICE_DOWN,
	BOX_API_AWAY,
	BOX_KAFKA_AWAY,
	BOX_STICK_AWAY,
	BOX_CARD_BAD,
	BOX_TRIAL,
	BOX_WELL,
	BOX_STATES,
};

struct led_pattern {
	const char *name;
	int flashes; /* 0: without a pause, on and off for ever */
	int on_ms, off_ms, pause_ms;
	const char *looks; /* the pattern in words */
	const char *todo;  /* what a human does now, one sentence */
};
extern const struct led_pattern led_patterns[BOX_STATES];

/* Is it on, `since_ms` after the pattern began, and how long does that last? */
bool led_is_on(const struct led_pattern *p, int64_t since_ms, int64_t *left_ms);

/* The table for the README, as Markdown. */
void led_print_markdown(FILE *out);

struct led {
	int fd;	      /* of `brightness`; -1: this board has none, or it failed */
	unsigned max; /* what `on` is */
	char name[64];
};

/* Finds the activity LED below `folder` (/sys/class/leds) and takes the kernel's trigger off it. */
void led_open(struct led *out, const char *folder);
void led_set(struct led *l, bool on);
