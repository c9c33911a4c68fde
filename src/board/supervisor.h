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

struct supervisor_setup {
	const char
		*root; /* NULL or "": the box's own; else a folder with all it wants, for tests */
	const char *const *secrets; /* names of the settings that may be sealed; ends with NULL */
	enum status (*duration)(const char *text, int64_t *out_ms, struct why *why);
};

/* Runs until SIGTERM. SIGHUP reads the settings again and starts the service anew. Returns an exit code: 0 told to
 * end, 70 it could not begin, 75 another one runs. */
int supervisor_run(const struct supervisor_setup *setup);
