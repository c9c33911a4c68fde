/* place.h - a folder for one test program, and files in it. */
#pragma once
#include <stddef.h>

/* For cmocka_run_group_tests(). */
int place_make(void **state);
int place_remove(void **state);
const char *place(void);
/* PLACE/name: good for the next 15 calls. */
const char *in_place(const char *name);
void put_bytes(const char *path, const void *bytes, size_t length);
void put_text(const char *path, const char *text);
/* Fails the test unless the file holds exactly this. */
void assert_holds(const char *path, const char *text);
/* Runs `step` in a child with mounts of its own, as root; its answer must be 0. Skips where there is no right. */
void in_own_mounts(int (*step)(void));
