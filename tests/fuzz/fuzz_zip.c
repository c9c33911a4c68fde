/* fuzz_zip.c - a stick may hold anything under a workbook's name: reading it back neither crashes
 * nor hangs. */
#include "book/verify.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[] = "/dev/shm/fuzz-zip-XXXXXX";
	static int fd = -1;
	struct verify_rows rows = {.sheets = 1, .rows = {1}};
	struct verify_properties p;

	if (fd < 0 && (fd = mkstemp(path)) < 0)
		abort();
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (book_read_properties(path, &p, NULL) == STATUS_OK && p.journal[0] == '\0')
		return 0;
	return verify_workbook(path, &rows, NULL) == STATUS_FATAL;
}
