/* memory_faults.h - malloc, calloc and realloc of everything linked in (--wrap) fail at the n-th call. */
#pragma once
#include <stdbool.h>

void memory_faults_arm(long at, bool sticky); /* 0: never */
bool memory_faults_fired(void);
