/* maker.h - update bundles for the tests, signed by a key that is made at the start. */
#pragma once
#include "board/bundle.h"
#include <stdint.h>

struct maker_plan {
	const char *version; /* NULL: 1.3.0 */
	const char *board;   /* NULL: rpi-arm64 */
	uint64_t bytes;	     /* 0: as many as there are */
};

/* Makes a key and writes its public half; fails the test when it cannot. */
void maker_open(const char *public_file);
/* A key that is no P-256 key, for one that must be refused. */
void maker_write_other_curve(const char *public_file);
void maker_close(void);
/* Signs `text` and puts the head of a bundle into `head`. */
void maker_head(const char *text, char head[BUNDLE_HEAD_BYTES]);
void maker_bundle(
	const char *path, const struct maker_plan *plan, const void *payload, size_t length);
/* Bytes that differ everywhere. */
void maker_payload(uint8_t *out, size_t length, unsigned seed);
