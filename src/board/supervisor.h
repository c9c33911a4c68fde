/* supervisor.h - `scorebox board run`: what keeps the box of the SD image going. It starts the daemon without any
 * right and starts it again, feeds the hardware watchdog as long as the daemon gives signs of life, tells a human by
 * LED, console and stick how things are, and decides about trials of a slot.
 *
 *     /run/scorebox/settings ──► environment ──► daemon (user scorebox) ──► READY, WATCHDOG ──► watchdog fed
 *     /run/scorebox/{net,clock,stick,update} ──┐        │ lines ──► console, /data/box/log
 *     STATE_DIR/status.json ───────────────────┴► situation ──► LED, status screen, scorebox-status.txt
 *
 * One thread, one loop. What may wait for a disk is done by a child that ends (errand.h). */
#pragma once
#include "base/status.h"
#include <stdint.h>

/* What is done about slots, each below `root` ("": the box's own). They may take seconds. */
struct supervisor_slots {
	/* Once at each start: a trial that was due and is not this boot has failed. */
	enum status (*settle)(const char *root, struct why *why);
	/* This boot was a trial, and has proved itself. */
	enum status (*confirm)(const char *root, struct why *why);
	/* The slot in use dies: the next boot is of the other one. STATUS_NOT_FOUND: there is no other. */
	enum status (*fall_back)(const char *root, struct why *why);
};

struct supervisor_setup {
	const char
		*root; /* NULL or "": the box's own; else a folder with all it wants, for tests */
	const char *const *secrets; /* names of the settings that may be sealed; ends with NULL */
	enum status (*duration)(const char *text, int64_t *out_ms, struct why *why);
	struct supervisor_slots slots;
};

/* Runs until SIGTERM. SIGHUP reads the settings again and starts the service anew. Returns an exit code: 0 told to
 * end, 70 it could not begin, 75 another one runs. */
int supervisor_run(const struct supervisor_setup *setup);
