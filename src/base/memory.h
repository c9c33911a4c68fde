/* memory.h - what the kernel says of this process. */
#pragma once
#include <stdint.h>

/* VmHWM, the peak of resident memory, in KiB; 0 where it cannot be read. */
uint64_t memory_peak_kib(void);
