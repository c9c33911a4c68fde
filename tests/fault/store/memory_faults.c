#include "memory_faults.h"

#include <stddef.h>

static struct {
	long at, count;
	bool sticky, fired;
} m;

void memory_faults_arm(long at, bool sticky)
{
	m.at = at;
	m.count = 0;
	m.sticky = sticky;
	m.fired = false;
}

bool memory_faults_fired(void)
{
	return m.fired;
}

static bool fails(void)
{
	if (!m.at)
		return false;
	m.count++;
	if (m.count < m.at || (m.count > m.at && !m.sticky))
		return false;
	m.fired = true;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}
