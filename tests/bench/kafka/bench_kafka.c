/* bench_kafka.c - records a second and peak memory of publisher and subscriber, each in a process of its
 * own, as is the broker between them. bench_kafka [RECORDS [BYTES [PARTITIONS]]] */
#include "base/clock.h"
#include "kafka/embedded.h"
#include "kafka/publisher.h"
#include "kafka/subscriber.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VALUE_MAX = 65536, ADDRESS_BYTES = 256, HEADERS = 8, PATTERNS = 64 };

struct task {
	unsigned records, bytes, partitions;
	char address[ADDRESS_BYTES];
};

static unsigned delivered;

static void die(const char *what, const struct why *why)
{
	fprintf(stderr, "%s: %s\n", what, why ? why->text : "");
	exit(1);
}

static long peak_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static void tell(const struct task *t, const char *who, int64_t took_ms, long before_kib)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	printf("%s: %u records of %u B in %" PRId64
	       " ms (processor: %ld ms): %.0f records/s, peak %.1f MiB (%.1f MiB before)\n",
		who, t->records, t->bytes, took_ms,
		(long)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
			(long)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000,
		t->records * 1000.0 / (double)(took_ms > 0 ? took_ms : 1),
		(double)peak_kib() / 1024, (double)before_kib / 1024);
	fflush(stdout);
}

static struct kafka_settings settings_of(const struct task *t)
{
	return (struct kafka_settings){
		.brokers = t->address,
		.topic = "bench",
		.compression = "lz4",
		.linger_ms = 50,
		.options = "",
		.group = "",
		.instance = "",
		.queue_bytes = 1 << 20,
		.record_max_bytes = 256 << 10,
	};
}

/* Like a row of the API: names and numbers, about as well compressible. */
static void make_row(unsigned n, unsigned bytes, char *out)
{
	unsigned used = 0;

	while (used < bytes) {
		char part[160];
		int length = snprintf(part, sizeof part,
			"{\"id\":\"%08x-%04x\",\"name\":\"Team %u vs Team %u\",\"r\":%u,\"w\":%u,\"o\":%u.%u},",
			n * 2654435761u, used, n % 97, (n + used) % 89, n % 400 + used, n % 11,
			n % 50, n % 6);

		if ((unsigned)length > bytes - used)
			length = (int)(bytes - used);
		memcpy(out + used, part, (size_t)length);
		used += (unsigned)length;
	}
}

static void on_delivered(void *context, int64_t id)
{
	(void)context, (void)id;
	delivered++;
}

static void on_refused(void *context, int64_t id, const char *reason)
{
	(void)context, (void)id;
	fprintf(stderr, "refused: %s\n", reason);
	exit(1);
}

static void on_rewind(void *context)
{
	(void)context;
	fprintf(stderr, "rewound\n");
	exit(1);
}

static void produce(const struct task *t)
{
	static char values[PATTERNS]
			  [VALUE_MAX]; /* made beforehand: printing costs more than publishing */
	const struct publisher_calls calls = {NULL, on_delivered, on_refused, on_rewind};
	const struct kafka_settings settings = settings_of(t);
	struct kafka_header headers[HEADERS];
	struct publisher *p;
	struct why why;
	long before;
	int64_t start_ms;
	unsigned next = 0;

	for (int i = 0; i < HEADERS; i++)
		headers[i] = (struct kafka_header){
			"scorebox-header", view_of("0123456789abcdef0123456789abcdef-42", 35)};
	for (unsigned i = 0; i < PATTERNS; i++)
		make_row(i, t->bytes, values[i]);
	before = peak_kib();
	start_ms = clock_mono_ms();
	if (publisher_open(&p, &settings, &calls, &why) != STATUS_OK)
		die("publisher", &why);
	while (delivered < t->records) {
		struct pollfd wait = {.fd = publisher_fd(p), .events = POLLIN};
		char key[40];

		for (; next < t->records; next++) {
			char *value = values[next % PATTERNS];

			snprintf(key, sizeof key, "%08x-0000-0000-0000-000000000000",
				next % 300 * 2654435761u);
			if (publisher_put(p, next + 1, view_of(key, 36), view_of(value, t->bytes),
				    headers, HEADERS, clock_wall_us() / 1000, &why) != STATUS_OK)
				break;
		}
		(void)poll(&wait, 1, 100);
		publisher_turn(p, clock_mono_ms());
	}
	tell(t, "publisher ", clock_mono_ms() - start_ms, before);
	publisher_close(p);
}

static void consume(const struct task *t)
{
	static struct subscriber_survey survey;
	struct subscriber_start starts[SUBSCRIBER_PARTITIONS];
	const struct kafka_settings settings = settings_of(t);
	struct subscriber *s;
	struct subscriber_event e;
	struct view header;
	struct why why;
	long before = peak_kib();
	int64_t start_ms;
	unsigned records = 0, headers = 0;

	if (subscriber_open(&s, &settings, &why) != STATUS_OK ||
		subscriber_survey(s, 10000, &survey, &why) != STATUS_OK)
		die("subscriber", &why);
	for (unsigned i = 0; i < survey.partitions; i++) {
		starts[i] = (struct subscriber_start){survey.span[i].partition, survey.span[i].low};
		if (survey.span[i].low != 0)
			die("the embedded broker has dropped records: take more partitions", NULL);
	}
	start_ms = clock_mono_ms();
	if (subscriber_assign(s, starts, survey.partitions, &why) != STATUS_OK)
		die("assign", &why);
	while (records < t->records) {
		if (subscriber_next(s, 1000, &e, &why) != STATUS_OK)
			die("next", &why);
		if (e.kind == SUBSCRIBER_RECORD) {
			records++;
			headers += subscriber_header(&e, "scorebox-header", &header);
		}
	}
	tell(t, "subscriber", clock_mono_ms() - start_ms, before);
	if (headers != records)
		die("headers are missing", NULL);
	subscriber_close(s);
}

static void in_child(void (*work)(const struct task *), const struct task *t)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		work(t);
		exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
		WEXITSTATUS(status) != 0)
		die("a child failed", NULL);
}

/* Lives until its end of `alive` is closed with the parent. */
static pid_t start_broker(struct task *t)
{
	int address[2], alive[2];
	pid_t child;
	char ignored;
	struct embedded *e;
	struct why why;

	if (pipe(address) != 0 || pipe(alive) != 0 || (child = fork()) < 0)
		die("broker", NULL);
	if (child == 0) {
		close(alive[1]);
		if (embedded_open(&e, 1, t->partitions, "bench", &why) != STATUS_OK)
			die("broker", &why);
		if (write(address[1], embedded_bootstrap(e), strlen(embedded_bootstrap(e)) + 1) < 0)
			die("broker", NULL);
		(void)!read(alive[0], &ignored, 1);
		_exit(0);
	}
	close(address[1]);
	if (read(address[0], t->address, sizeof t->address) <= 0)
		die("broker", NULL);
	return child;
}

int main(int count, char **arguments)
{
	struct task t = {.records = 100000, .bytes = 750, .partitions = 8};
	pid_t broker;

	if (count > 1)
		t.records = (unsigned)atoi(arguments[1]);
	if (count > 2)
		t.bytes = (unsigned)atoi(arguments[2]);
	if (count > 3)
		t.partitions = (unsigned)atoi(arguments[3]);
	if (t.bytes > VALUE_MAX)
		t.bytes = VALUE_MAX;
	broker = start_broker(&t);
	in_child(produce, &t);
	in_child(consume, &t);
	return broker > 0 ? 0 : 1;
}
