/* limit.h - the child's memory (private to book/). libxlsxwriter goes on with missing cells, or
 * crashes, when an allocation fails; so in the child a failed allocation ends the process at once
 * (EXIT_CHILD_MEMORY), which the parent reports as out of memory. Works by the linker's --wrap on
 * malloc, calloc, realloc and strdup; elsewhere the wrappers only pass on. */
#pragma once
#include <stdint.h>

/* From now on a failed allocation ends the process; the process's data is limited to `bytes` (0:
 * not). */
void limit_memory(uint64_t bytes);
