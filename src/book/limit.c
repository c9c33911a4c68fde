#include "book/limit.h"
#include "book/arguments.h"
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static bool ends_when_out;

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);

static void *checked(void *got, bool wanted)
{
	if (!got && wanted && ends_when_out)
		_exit(EXIT_CHILD_MEMORY);
	return got;
}

void *__wrap_malloc(size_t size)
{
	return checked(__real_malloc(size), size > 0);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return checked(__real_calloc(count, size), count > 0 && size > 0);
}

void *__wrap_realloc(void *old, size_t size)
{
	return checked(__real_realloc(old, size), size > 0);
}

char *__wrap_strdup(const char *text)
{
	return checked(__real_strdup(text), true);
}

/* A sanitizer's shadow is larger than any limit of ours. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool limited = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
static const bool limited = false;
#else
static const bool limited = true;
#endif
#else
static const bool limited = true;
#endif

void limit_memory(uint64_t bytes)
{
	struct rlimit r = {.rlim_cur = bytes, .rlim_max = bytes};

	ends_when_out = true;
	if (bytes && limited)
		(void)setrlimit(RLIMIT_DATA, &r); /* without it the system's own limits hold */
}
