/* trial.h - private to board/: what root keeps of updates on the data partition, small text files, synced.
 *     trial       the bundle that is, or is about to be, on trial
 *     installed   the bundle that was confirmed last
 *     refused     HASH=VERSION of bundles whose trial failed, the newest last, at most 32 */
#pragma once
#include "base/status.h"
#include "board/bundle.h"
#include <stdbool.h>

struct trial {
	char slot; /* 'a' or 'b' */
	bool due;  /* the boot folder was told; false: it is still being written */
	char version[VERSION_BYTES];
	char hash[2 * DIGEST_WHOLE_BYTES + 1];
};

/* `name` is "trial" or "installed". STATUS_NOT_FOUND: there is none, or none that can be understood. */
enum status trial_read(
	const char *box, const char *name, struct trial *out, struct why *why) MUST_CHECK;
enum status trial_write(
	const char *box, const char *name, const struct trial *t, struct why *why) MUST_CHECK;
/* Fine where there is none. */
enum status trial_remove(const char *box, const char *name, struct why *why) MUST_CHECK;

enum status refused_has(const char *box, const char *hash, bool *out, struct why *why) MUST_CHECK;
enum status refused_add(
	const char *box, const char *hash, const char *version, struct why *why) MUST_CHECK;
enum status refused_remove(const char *box, const char *hash, struct why *why) MUST_CHECK;
