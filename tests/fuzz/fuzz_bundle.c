/* fuzz_bundle.c - any bytes as the head of an update bundle. What is taken must be written again as the same bytes. */
#include "board/bundle.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Behind the input stand line feeds, as in a bundle. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *head = malloc(BUNDLE_HEAD_BYTES), again[BUNDLE_HEAD_BYTES];
	struct manifest m;
	struct why why;

	if (!head)
		abort();
	memset(head, '\n', BUNDLE_HEAD_BYTES);
	memcpy(head, data, size < BUNDLE_HEAD_BYTES ? size : BUNDLE_HEAD_BYTES);
	if (manifest_parse(head, &m, &why) == STATUS_OK) {
		int n = snprintf(again, sizeof again,
			"scorebox update\nformat=1\nboard=%s\nversion=%s\nsize=%llu\nsha256=%s\nsignature=%.*s\n",
			m.board, m.version, (unsigned long long)m.bytes, m.hash,
			(int)m.signature.length, m.signature.bytes);

		if (n < 0 || memcmp(head, again, (size_t)n) != 0 || !version_is_valid(m.version) ||
			version_compare(m.version, m.version) != 0)
			abort();
	} else if (strlen(why.text) == 0) {
		abort();
	}
	free(head);
	return 0;
}
