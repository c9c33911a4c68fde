/* sweep.h - removes what dead children left (private to book/). */
#pragma once
#include <sys/types.h>

/* The temp file and folders of one child. */
void sweep_child(const char *folder, const char *scratch, pid_t pid);
