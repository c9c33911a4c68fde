/* demo.c - the verb `demo`: a real match, ball by ball, through the whole path on this machine.
 * Four processes of this program: the replay API, an embedded broker, the producer and consumer,
 * and this one, which reads the topic like any other consumer and shows the score. */
#include "app/demo.h"

#include "app/demo_board.h"
#include "app/demo_children.h"
#include "app/demo_folder.h"
#include "base/clock.h"
#include "base/log.h"
#include "kafka/subscriber.h"
#include "service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TOPIC "cricket-live-data"
#define KEY   "demo"
/* 258 states at this pace are about nine seconds: fast, and still to be watched. */
#define PACE "30ms"

enum {
	START_MS = 10000,
	TOPIC_MS = 10000,
	SILENCE_MS = 15000,
	TURN_MS = 100,
	STOP_MS = 12000, /* the service's own limit is 10 s */
	BOOKS_MS = 30000,
	QUIT_MS = 2000,
	ARENA_BYTES = 64 << 10,
	LINE_BYTES = 160,
	QUEUE_BYTES = 1 << 20,
	RECORD_BYTES = 256 << 10,
	LOG_TAIL_LINES = 12,
	LOG_TAIL_BYTES = 4096,
};

enum { SERVE, BROKER, BOTH, BOOKS, CHILDREN };

struct demo {
	struct child children[CHILDREN];
	int log_fd;
	char url[LINE_BYTES], bootstrap[LINE_BYTES];
	struct subscriber *subscriber;
	struct row_reader *reader;
	struct board board;
	unsigned records;
	bool ended, interrupted;
	int64_t started_ms;
	const char *part; /* what we are at: named when it fails */
};

static const char usage[] =
	"usage: scorebox demo\n"
	"\n"
	"Plays a real match, ball by ball, through the whole path on this machine, with\n"
	"nothing else installed: a replay of the score API over HTTPS, producer, an\n"
	"embedded Kafka broker, consumer, Excel workbooks. Takes about 10 seconds and\n"
	"writes ./" DEMO_FOLDER "/; running it again replaces what it wrote there.\n";

/* SIGINT and SIGTERM are blocked, for the children's and the libraries' threads too, and asked for
 * here. */
static bool interrupted(struct demo *d)
{
	static const struct timespec at_once = {0};
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	if (sigtimedwait(&ends, NULL, &at_once) > 0)
		d->interrupted = true;
	return d->interrupted;
}

static void block_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- starting ---- */

static enum status start_serve(struct demo *d, struct why *why)
{
	static const char *const arguments[] = {
		"serve", "--step", "--key", KEY, "--ca-out", DEMO_CA, "demo", NULL};
	static const char *const settings[] = {"SCOREBOX_LOG_LEVEL=warn", NULL};
	struct child *c = &d->children[SERVE];

	d->part = "the replay API (serve)";

	enum status s = child_start(c, "serve", arguments, settings, d->log_fd, why);

	return s == STATUS_OK ? child_line(c, d->url, sizeof d->url, START_MS, why) : s;
}

static enum status start_broker(struct demo *d, struct why *why)
{
	static const char *const arguments[] = {
		"broker", "--partitions", "1", "--topic", TOPIC, NULL};
	struct child *c = &d->children[BROKER];

	d->part = "the embedded Kafka broker (broker)";

	enum status s = child_start(c, "broker", arguments, NULL, d->log_fd, why);

	return s == STATUS_OK ? child_line(c, d->bootstrap, sizeof d->bootstrap, START_MS, why) : s;
}

/* `both`, and afterwards `consume --until-end`, with the same settings. */
static enum status start_service(
	struct demo *d, int which, const char *const *arguments, struct why *why)
{
	char url[LINE_BYTES * 2], brokers[LINE_BYTES * 2];
	const char *const settings[] = {
		url,
		brokers,
		"SCOREBOX_API_CA_FILE=" DEMO_CA,
		"SCOREBOX_API_KEY=" KEY,
		"SCOREBOX_KAFKA_TOPIC=" TOPIC,
		"SCOREBOX_KAFKA_LINGER=5ms",
		"SCOREBOX_STATE_DIR=" DEMO_STATE,
		"SCOREBOX_OUTPUT_DIR=" DEMO_FOLDER,
		"SCOREBOX_OUTPUT_MOUNT=any",
		"SCOREBOX_OUTPUT_MIN_FREE=4MiB",
		"SCOREBOX_POLL_INTERVAL=" PACE,
		"SCOREBOX_BOOK_INTERVAL=2s",
		"SCOREBOX_CLOCK_WAIT=0s",
		"SCOREBOX_LOG_LEVEL=warn",
		NULL,
	};

	snprintf(url, sizeof url, "SCOREBOX_API_URL=%s/currentMatches", d->url);
	snprintf(brokers, sizeof brokers, "SCOREBOX_KAFKA_BROKERS=%s", d->bootstrap);
	return child_start(&d->children[which], arguments[0], arguments, settings, d->log_fd, why);
}

/* The topic is made with the broker; it may take a moment to show. */
static enum status find_topic(struct demo *d, struct subscriber_survey *survey, struct why *why)
{
	int64_t end_ms = clock_mono_ms() + TOPIC_MS;
	enum status s;

	while ((s = subscriber_survey(d->subscriber, TURN_MS * 20, survey, why)) != STATUS_OK)
		if (clock_mono_ms() >= end_ms || interrupted(d) ||
			!child_runs(&d->children[BROKER]))
			return why_prefix(why, s, "the topic");
	return STATUS_OK;
}

static enum status subscribe(struct demo *d, struct why *why)
{
	struct kafka_settings settings = {
		.brokers = d->bootstrap,
		.topic = TOPIC,
		.client_id = "scorebox-demo",
		.compression = "none",
		.options = "",
		.group = "",
		.instance = "",
		.queue_bytes = QUEUE_BYTES,
		.record_max_bytes = RECORD_BYTES,
	};
	struct subscriber_start starts[SUBSCRIBER_PARTITIONS];
	struct subscriber_survey *survey = malloc(sizeof *survey);

	d->part = "reading the topic";
	if (!survey)
		return fail(why, STATUS_NO_MEMORY, "no memory");

	enum status s = subscriber_open(&d->subscriber, &settings, why);

	if (s == STATUS_OK)
		s = find_topic(d, survey, why);
	for (unsigned i = 0; s == STATUS_OK && i < survey->partitions; i++)
		starts[i] = (struct subscriber_start){
			survey->span[i].partition, survey->span[i].low};
	if (s == STATUS_OK)
		s = subscriber_assign(d->subscriber, starts, survey->partitions, why);
	free(survey);
	return s;
}

static enum status start_all(struct demo *d, struct why *why)
{
	static const char *const both[] = {"both", NULL};
	enum status s = start_serve(d, why);

	if (s == STATUS_OK)
		s = start_broker(d, why);
	if (s == STATUS_OK)
		s = subscribe(d, why);
	if (s != STATUS_OK)
		return s;
	printf("  API  %s  ->  producer  ->  Kafka %s  ->  consumer  ->  workbook\n\n", d->url,
		d->bootstrap);
	fflush(stdout);
	d->part = "producer and consumer (both)";
	return start_service(d, BOTH, both, why);
}

/* ---- watching ---- */

static void show_record(struct demo *d, struct view value)
{
	struct row row;

	if (row_read(d->reader, value, &row, NULL) != STATUS_OK)
		return;
	d->records++;
	board_show(&d->board, &row);
	if (row.ended) {
		d->ended = true;
		board_result(&d->board, &row);
	}
}

static enum status check_children(struct demo *d, struct why *why)
{
	for (int i = SERVE; i <= BOTH; i++)
		if (!child_runs(&d->children[i]))
			return fail(why, STATUS_FATAL, "'%s' ended with exit code %d",
				d->children[i].name, d->children[i].exit_code);
	return STATUS_OK;
}

static enum status watch_match(struct demo *d, struct why *why)
{
	int64_t silent_since_ms = clock_mono_ms();
	enum status s = STATUS_OK;

	while (s == STATUS_OK && !d->ended && !interrupted(d)) {
		struct subscriber_event event;

		s = subscriber_next(d->subscriber, TURN_MS, &event, why);
		if (s == STATUS_OK && event.kind == SUBSCRIBER_RECORD) {
			silent_since_ms = clock_mono_ms();
			show_record(d, event.value);
			continue;
		}
		if (s == STATUS_OK && event.kind == SUBSCRIBER_FATAL)
			s = fail(why, STATUS_FATAL, "%s", event.reason);
		if (s == STATUS_OK)
			s = check_children(d, why);
		if (s == STATUS_OK && clock_mono_ms() - silent_since_ms > SILENCE_MS)
			s = fail(why, STATUS_AGAIN, "no further state came for %d s",
				SILENCE_MS / 1000);
	}
	return s;
}

/* ---- ending ---- */

static enum status end_child(struct child *c, int64_t timeout_ms, struct why *why)
{
	enum status s = child_wait(c, timeout_ms, why);

	if (s == STATUS_OK && c->exit_code != 0)
		return fail(
			why, STATUS_FATAL, "'%s' ended with exit code %d", c->name, c->exit_code);
	return s;
}

/* The daemon ends on SIGTERM and writes its workbooks; the last records may have come after its
 * consumer looked, so the same consumer reads on from its journal to the topic's end. */
static enum status finish_books(struct demo *d, struct why *why)
{
	static const char *const consume[] = {"consume", "--until-end", NULL};
	struct child *both = &d->children[BOTH];

	kill(both->pid, SIGTERM);

	enum status s = end_child(both, STOP_MS, why);

	if (s != STATUS_OK)
		return s;
	d->part = "the workbooks (consume --until-end)";
	s = start_service(d, BOOKS, consume, why);
	return s == STATUS_OK ? end_child(&d->children[BOOKS], BOOKS_MS, why) : s;
}

static void print_path(void *context, const char *path)
{
	(void)context;
	printf("  %s\n", path);
}

static enum status print_end(const struct demo *d, struct why *why)
{
	double seconds = (double)(clock_mono_ms() - d->started_ms) / 1000;

	printf("\n%u states of the match went through Kafka into its workbook in %.1f s:\n"
	       "%u fours, %u sixes, %u wickets.\n\nWorkbooks:\n",
		d->records, seconds, d->board.fours, d->board.sixes, d->board.wickets);
	if (demo_folder_books(print_path, NULL) < 2)
		return fail(why, STATUS_NOT_FOUND, "a workbook is missing in " DEMO_FOLDER);
	printf("\nNext, live matches and your own Kafka (a key is free at cricapi.com):\n"
	       "  export SCOREBOX_MODE=both SCOREBOX_OUTPUT_DIR=$HOME/scorebox-books\n"
	       "  export SCOREBOX_API_KEY=your-key SCOREBOX_KAFKA_BROKERS=your-broker:9092\n"
	       "  scorebox check --online    # tries every setting and every peer\n"
	       "  scorebox                   # until Ctrl-C; nothing is lost in between\n"
	       "\nBall-by-ball data from Cricsheet (https://cricsheet.org), ODC-By 1.0.\n");
	fflush(stdout);
	return STATUS_OK;
}

/* The last lines that the children wrote: what the failure was about. */
static void print_log_tail(void)
{
	char text[LOG_TAIL_BYTES + 1];
	int fd = open(DEMO_LOG, O_RDONLY | O_CLOEXEC);
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t n = fd < 0 ? 0
			   : pread(fd, text, LOG_TAIL_BYTES,
				     end > LOG_TAIL_BYTES ? end - LOG_TAIL_BYTES : 0);
	unsigned lines = 0;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';

	char *from = text + n - 1;

	while (from > text && (lines += from[-1] == '\n') < LOG_TAIL_LINES)
		from--;
	fprintf(stderr, "The last lines of " DEMO_LOG ":\n%s%s", from,
		text[n - 1] == '\n' ? "" : "\n");
}

static void stop_all(struct demo *d)
{
	static const int order[] = {BOOKS, BOTH, SERVE, BROKER};

	subscriber_close(d->subscriber);
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		child_stop(&d->children[order[i]], order[i] == BOTH ? STOP_MS : QUIT_MS);
	row_reader_close(d->reader);
	if (d->log_fd >= 0)
		close(d->log_fd);
}

static enum status prepare(struct demo *d, struct why *why)
{
	d->part = "the folder ./" DEMO_FOLDER;

	enum status s = demo_folder_prepare(why);

	if (s != STATUS_OK)
		return s;
	d->log_fd = open(DEMO_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (d->log_fd < 0)
		return fail_errno(why, STATUS_IO, "open '" DEMO_LOG "'");
	return row_reader_open(&d->reader, ARENA_BYTES, why);
}

static int exit_code(const struct demo *d, enum status s, const struct why *why)
{
	if (d->interrupted) {
		fprintf(stderr,
			"The demo was ended before the match was; nothing runs any more.\n");
		return 128 + SIGINT;
	}
	if (s == STATUS_OK)
		return EXIT_DONE;
	log_error(
		"demo.failed", "%s: %s; everything the demo started is ended", d->part, why->text);
	print_log_tail();
	if (s == STATUS_AGAIN)
		return EXIT_PEER;
	return s == STATUS_IO || s == STATUS_DENIED || s == STATUS_FULL ? EXIT_STORAGE
									: EXIT_INTERNAL;
}

int demo_main(int argc, char **argv)
{
	struct demo d = {.log_fd = -1, .started_ms = clock_mono_ms()};
	struct why why = {""};

	if (argc > 1) {
		bool help = strcmp(argv[1], "--help") == 0;

		fputs(usage, help ? stdout : stderr);
		return help ? EXIT_DONE : EXIT_WRONG_USAGE;
	}
	block_signals();
	board_init(&d.board, stdout);

	enum status s = prepare(&d, &why);

	if (s == STATUS_OK)
		s = start_all(&d, &why);
	if (s == STATUS_OK)
		s = watch_match(&d, &why);
	board_close_line(&d.board);
	if (s == STATUS_OK && !d.interrupted)
		s = finish_books(&d, &why);
	if (s == STATUS_OK && !d.interrupted)
		s = print_end(&d, &why);
	stop_all(&d);
	return exit_code(&d, s, &why);
}
