/* failing_malloc.h - an allocator that refuses, in the thread that asks for it. For programs that link
 * scorebox_failing_malloc, which wraps malloc and its kin for everything linked in. */
#pragma once
#include <stdbool.h>

/* The n-th allocation from now on fails (1 is the next), and all after it when `for_ever`. 0:
 * none. */
void malloc_fail_at(unsigned n, bool for_ever);
/* How many failed since it was last armed. */
unsigned malloc_failures(void);
