/* bundle.h - an update bundle: one file with a signed description and the content of a slot.
 *         0  scorebox update        \
 *            format=1                |
 *            board=rpi-arm64         |  the signature is over these bytes,
 *            version=1.2.3           |  from the file's first one on
 *            size=33554432           |  of the payload, whole pages of 4096 bytes
 *            sha256=HEX              /  of the payload, lower case
 *            signature=BASE64           ECDSA on P-256 with SHA-256, DER
 *            line feeds up to
 *      4096  the payload: a file system's image; then the file ends
 * Every line ends with one line feed; no line may be missing, added or moved. board/rpi/bundle makes them. */
#pragma once
#include "base/buffer.h"
#include "board/release.h"
#include "tls/digest.h"
#include <stdint.h>

enum { BUNDLE_HEAD_BYTES = 4096, BUNDLE_PAGE_BYTES = 4096, BUNDLE_STEP_BYTES = 65536 };
#define BUNDLE_MAX_BYTES ((uint64_t)1 << 30)

struct manifest {
	char board[BOARD_BYTES], version[VERSION_BYTES];
	uint64_t bytes; /* of the payload: 1 to 2^18 pages */
	uint8_t sha256[DIGEST_WHOLE_BYTES];
	char hash[2 * DIGEST_WHOLE_BYTES + 1]; /* the same in hex: a bundle's name among bundles */
	/* Of the bytes that were parsed: */
	struct view signed_part, signature;
};

/* Reads the first BUNDLE_HEAD_BYTES of a bundle; checks form, not truth. STATUS_BAD_DATA says where it is
 * wrong. */
enum status manifest_parse(
	const char head[BUNDLE_HEAD_BYTES], struct manifest *out, struct why *why) MUST_CHECK;

struct bundle {
	int fd;		  /* -1: not open */
	const char *path; /* lent */
	char head[BUNDLE_HEAD_BYTES];
	struct manifest manifest;
};

/* Opens, checks the signature by the public key of `key_file` and the length. STATUS_BAD_DATA: the bundle is
 * not to be used; STATUS_NOT_FOUND, _DENIED, _IO: it, or the key, could not be read. On failure nothing is
 * open. */
enum status bundle_open(
	struct bundle *b, const char *path, const char *key_file, struct why *why) MUST_CHECK;
/* Reads the whole payload and compares its hash. STATUS_BAD_DATA: it is not what was signed. */
enum status bundle_check_payload(struct bundle *b, struct why *why) MUST_CHECK;
/* Bytes of the payload, all of them. STATUS_BAD_DATA: it ends before. */
enum status bundle_read(
	struct bundle *b, uint64_t offset, void *out, size_t length, struct why *why) MUST_CHECK;
void bundle_close(struct bundle *b);
