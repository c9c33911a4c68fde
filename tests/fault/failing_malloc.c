/* failing_malloc.c - an allocator that refuses. */
#include "failing_malloc.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
char *__wrap_strdup(const char *text);

static _Thread_local unsigned left, failures;
static _Thread_local bool sticky, armed;

void malloc_fail_at(unsigned n, bool for_ever)
{
	left = n;
	armed = n > 0;
	sticky = for_ever;
	if (armed)
		failures = 0;
}

unsigned malloc_failures(void)
{
	return failures;
}

static bool refuse(void)
{
	if (!armed || (left > 0 && --left > 0))
		return false;
	armed = sticky;
	failures++;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t bytes)
{
	return refuse() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	return refuse() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
	return refuse() ? NULL : __real_realloc(old, bytes);
}

char *__wrap_strdup(const char *text)
{
	size_t length = strlen(text) + 1;
	char *copy = __wrap_malloc(length);

	return copy ? memcpy(copy, text, length) : NULL;
}
