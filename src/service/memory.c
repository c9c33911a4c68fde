#include "service/memory.h"

#include "base/log.h"
#include "kafka/client.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum {
	LIBRARY_STACK = 2 * 1024 * 1024
}; /* the sanitizer's own part of it does not fit into less */
#else
enum { LIBRARY_STACK = 128 * 1024 }; /* musl's own default */
#endif

/* Of the threads that librdkafka starts: one for each broker of the cluster, and for each client. */
static void small_stacks(void)
{
	pthread_attr_t a;
	if (pthread_attr_init(&a))
		return;
	pthread_attr_setstacksize(&a, LIBRARY_STACK);
	pthread_setattr_default_np(&a);
	pthread_attr_destroy(&a);
}

void memory_hold(uint64_t bytes)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
#endif
	small_stacks();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	(void)bytes; /* a sanitizer's shadow alone is beyond any ceiling */
#else
	/* The kernel counts what is mapped writable, not what is touched: thread stacks, hardly used, and
	 * allocator slack come on top of the shares. librdkafka dies when it may not start a thread for a
	 * broker, and a cluster names as many as it has. */
	const uint64_t threads = 2 * KAFKA_BROKERS_MAX;
	const uint64_t mapped_above_resident = (6u << 20) + threads * LIBRARY_STACK;
	struct rlimit limit = {bytes + mapped_above_resident, bytes + mapped_above_resident};
	if (setrlimit(RLIMIT_DATA, &limit))
		log_warn("memory.limit",
			"the kernel does not hold us to our ceiling: %s; the queues' own limits stand",
			strerror(errno));
#endif
}
