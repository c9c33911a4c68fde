/* memory.h - holds the process to its ceiling: one malloc arena, small thread stacks, and a limit of the
 * kernel's on writable memory, so that a fault ends in a restart with everything on disk, never in a board
 * that swaps. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Call before threads start. `bytes`: the process's own share of the ceiling, without the child's. */
void memory_hold(uint64_t bytes);
enum { MEMORY_THREAD_STACK = 256 * 1024 };
