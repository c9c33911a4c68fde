/* handle.c - one librdkafka client, its queue and topic, its brokers' signs of life. */
#include "kafka/handle.h"

#include "base/clock.h"
#include "base/log.h"
#include "kafka/oauth.h"
#include "kafka/tls_watch.h"
#include "kafka/transport.h"
#include "kafka/trouble.h"
#include "tls/trust_files.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	RETIRE_STACK_BYTES = 64 * 1024,
	LEAVE_POLL_MS = 100,
	LOG_EVERY_MS = 60000,
	LOG_SUBJECTS = 8,
	SUBJECT_BYTES = 16
};

/* One subject of librdkafka's log ("FAIL", "CONFWARN"): each has its own gate. */
struct subject {
	char name[SUBJECT_BYTES];
	struct log_gate gate;
};

/* Who still holds the memory: the caller's side and the retiring thread. */
struct handle {
	rd_kafka_t *client;
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *queue;
	struct oauth *oauth;	      /* NULL: another login, or none */
	struct trust_files *trust;    /* NULL: no TLS, or not of librdkafka's own */
	char user[64], mechanism[16]; /* of the login, for a human; "" none */
	unsigned trust_version;	      /* as its files were read */
	struct tls_watch *watch;      /* NULL: no TLS, or not of librdkafka's own */
	struct transport *transport;  /* NULL: librdkafka has sockets of its own */
	atomic_uint answers;	      /* counted by the brokers' threads */
	unsigned answers_at_down;     /* how many there were when all were told down */
	pthread_mutex_t log_lock;
	struct subject subjects[LOG_SUBJECTS];
	pthread_mutex_t end_lock; /* for the next ones */
	pthread_cond_t end;
	unsigned users;	  /* threads that hold it */
	int64_t leave_ms; /* of a group's member that goes; 0: no group */
	bool gone, left;
};

static rd_kafka_resp_err_t on_answer(rd_kafka_t *client, int fd, const char *broker,
	int32_t broker_id, int16_t key, int16_t version, int32_t correlation, size_t bytes,
	int64_t round_trip, rd_kafka_resp_err_t err, void *context)
{
	struct handle *h = context;

	(void)client, (void)fd, (void)broker, (void)broker_id, (void)key, (void)version,
		(void)correlation;
	(void)bytes, (void)round_trip;
	if (err)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	atomic_fetch_add_explicit(&h->answers, 1, memory_order_relaxed);
#if SCOREBOX_KAFKA_OPENSSL
	if (h->watch)
		tls_watch_over(h->watch, broker);
#endif
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* librdkafka has no question "are you connected?", but tells each answer to who asks. */
static rd_kafka_resp_err_t on_new(rd_kafka_t *client, const rd_kafka_conf_t *conf, void *context,
	char *reason, size_t reason_bytes)
{
	(void)conf, (void)reason, (void)reason_bytes;
	return rd_kafka_interceptor_add_on_response_received(
		client, "scorebox", on_answer, context);
}

/* The gate of a subject; with all places taken, strangers share the last. */
static bool may_log(struct handle *h, const char *name, unsigned long *held)
{
	int i = 0;
	bool pass;

	pthread_mutex_lock(&h->log_lock);
	while (i < LOG_SUBJECTS - 1 && h->subjects[i].name[0] &&
		strncmp(h->subjects[i].name, name, SUBJECT_BYTES - 1))
		i++;
	if (!h->subjects[i].name[0])
		strncpy(h->subjects[i].name, name, SUBJECT_BYTES - 1);
	pass = log_gate_pass(&h->subjects[i].gate, clock_mono_ms(), LOG_EVERY_MS, held);
	pthread_mutex_unlock(&h->log_lock);
	return pass;
}

/* FAIL, ERROR and FATAL are events too: told by the service, once, in plain words. TERMINATE: rows are
 * still out, and in the spool. COMMITFAIL: the group's offsets are for display only. SSLCERTVRFY: told in
 * plain words by tls_watch.c. */
static bool is_for_debugging(const char *name)
{
	static const char *const names[] = {
		"FAIL", "ERROR", "FATAL", "TERMINATE", "COMMITFAIL", "SSLCERTVRFY"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Comes from any thread. Syslog's level 4 is a warning. */
static void on_log(const rd_kafka_t *client, int level, const char *name, const char *text)
{
	struct handle *h = rd_kafka_opaque(client);
	unsigned long held = 0;

	if (level > 4 || is_for_debugging(name))
		log_debug("kafka.client", "%s: %s", name, text);
	else if (!may_log(h, name, &held))
		return;
	else if (held > 0)
		log_warn("kafka.client", "%s: %s (and %lu like it)", name, text, held);
	else
		log_warn("kafka.client", "%s: %s", name, text);
}

static struct handle *make(void)
{
	struct handle *h = calloc(1, sizeof *h);
	pthread_condattr_t attributes;

	if (!h)
		return NULL;
	pthread_mutex_init(&h->log_lock, NULL);
	pthread_mutex_init(&h->end_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&h->end, &attributes);
	pthread_condattr_destroy(&attributes);
	return h;
}

/* After the client, whose threads call it to the end. */
static void unmake(struct handle *h)
{
	transport_close(h->transport);
	oauth_close(h->oauth);
#if SCOREBOX_KAFKA_OPENSSL
	tls_watch_close(h->watch);
	trust_files_close(h->trust);
#endif
	pthread_cond_destroy(&h->end);
	pthread_mutex_destroy(&h->end_lock);
	pthread_mutex_destroy(&h->log_lock);
	free(h);
}

/* Everything arrives in one queue: reports, records, errors, rebalances. Without a group there is no
 * consumer queue: the topic's partitions are read into a queue of ours, and the errors join it. */
static void join_queues(struct handle *h, enum role role, const struct kafka_settings *settings)
{
	bool group = role == ROLE_CONSUMER && settings->group && *settings->group;

	if (role == ROLE_PRODUCER) {
		h->queue = rd_kafka_queue_get_main(h->client);
	} else if (group) {
		rd_kafka_poll_set_consumer(h->client);
		h->queue = rd_kafka_queue_get_consumer(h->client);
	} else {
		rd_kafka_queue_t *errors = rd_kafka_queue_get_main(h->client);

		h->queue = rd_kafka_queue_new(h->client);
		rd_kafka_queue_forward(errors, h->queue);
		rd_kafka_queue_destroy(errors);
	}
}

/* ---- TLS beneath librdkafka ---- */

#if !SCOREBOX_KAFKA_OPENSSL
static int on_socket(int domain, int type, int protocol, void *context)
{
	struct handle *h = context;

	(void)domain, (void)type, (void)protocol;
	return transport_socket(h->transport);
}

static int on_connect(int fd, const struct sockaddr *address, int address_bytes, const char *broker,
	void *context)
{
	struct handle *h = context;

	return transport_connect(h->transport, fd, address, (size_t)address_bytes, broker);
}

static int on_close(int fd, void *context)
{
	struct handle *h = context;

	return transport_closesocket(h->transport, fd);
}
#endif

/* No client is made before its sockets are ours: it would speak in the clear. */
static enum status put_beneath(struct handle *h, rd_kafka_conf_t *conf,
	const struct kafka_security *security, struct why *why)
{
	if (!security->tls)
		return STATUS_OK;
#if SCOREBOX_KAFKA_OPENSSL
	h->watch = tls_watch_open(conf, *security->cert_file);
	return h->watch ? STATUS_OK : fail(why, STATUS_NO_MEMORY, "TLS to Kafka");
#else
	if (!security->trust)
		return fail(
			why, STATUS_BAD_DATA, "TLS to Kafka: no certificates to verify it with");

	enum status s = transport_open(
		&h->transport, security->trust, security->clock_wait_ms, why);

	if (s != STATUS_OK)
		return s;
	rd_kafka_conf_set_socket_cb(conf, on_socket);
	rd_kafka_conf_set_connect_cb(conf, on_connect);
	rd_kafka_conf_set_closesocket_cb(conf, on_close);
	return STATUS_OK;
#endif
}

/* Before they are read: what changes meanwhile counts as changed. */
static void note_files(struct handle *h, const struct kafka_security *security)
{
	if (!SCOREBOX_KAFKA_OPENSSL || !security->tls || !security->trust)
		return;
	h->trust = trust_files_share(security->trust);
	h->trust_version = trust_files_version(h->trust);
}

static enum status start(
	struct handle *h, enum role role, const struct kafka_settings *settings, struct why *why)
{
	rd_kafka_conf_t *conf;
	char reason[300];
	enum status s;

	note_files(h, &settings->security);
	s = properties_make(&conf, role, settings, why);
	if (s != STATUS_OK)
		return s;
	rd_kafka_conf_set_opaque(conf, h);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_events(
		conf, RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_REBALANCE);
	rd_kafka_conf_interceptor_add_on_new(conf, "scorebox", on_new, h);
	s = put_beneath(h, conf, &settings->security, why);
	if (s == STATUS_OK && settings->security.sasl &&
		strcmp(settings->security.mechanism, "OAUTHBEARER") == 0)
		s = oauth_open(&h->oauth, &settings->security, conf, why);
	if (s != STATUS_OK) {
		rd_kafka_conf_destroy(conf);
		return s;
	}
	h->client = rd_kafka_new(role == ROLE_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER,
		conf, reason, sizeof reason);
	if (!h->client) {
		/* Threads that do not come up in time (the clock was set just then) are no fault of the
		 * settings: the next start finds a way. */
		bool settings_wrong = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__INVALID_ARG;

		rd_kafka_conf_destroy(conf);
		return fail(why, settings_wrong ? STATUS_BAD_DATA : STATUS_AGAIN,
			"Kafka client: %s", reason);
	}
	s = oauth_start(h->oauth, h->client, why);
	if (settings->security.sasl) {
		snprintf(h->user, sizeof h->user, "%s", settings->security.username);
		snprintf(h->mechanism, sizeof h->mechanism, "%s", settings->security.mechanism);
	}
	h->topic = rd_kafka_topic_new(h->client, settings->topic, NULL);
	if (s == STATUS_OK && !h->topic)
		s = fail(why, STATUS_BAD_DATA, "Kafka topic '%s': %s", settings->topic,
			rd_kafka_err2str(rd_kafka_last_error()));
	if (s != STATUS_OK) {
		if (h->topic)
			rd_kafka_topic_destroy(h->topic);
		rd_kafka_destroy(h->client);
	}
	return s;
}

enum status handle_open(struct handle **out, enum role role, const struct kafka_settings *settings,
	int wake_fd, struct why *why)
{
	static const uint64_t one = 1;
	struct handle *h = make();

	if (!h)
		return fail(why, STATUS_NO_MEMORY, "Kafka client");

	enum status s = start(h, role, settings, why);

	if (s != STATUS_OK) {
		unmake(h);
		return s;
	}
	join_queues(h, role, settings);
	rd_kafka_queue_io_event_enable(h->queue, wake_fd, &one, sizeof one);
	*out = h;
	return STATUS_OK;
}

void handle_hold(struct handle *h)
{
	pthread_mutex_lock(&h->end_lock);
	h->users++;
	pthread_mutex_unlock(&h->end_lock);
}

void handle_let_go(struct handle *h)
{
	pthread_mutex_lock(&h->end_lock);
	h->users--;
	pthread_cond_broadcast(&h->end);
	pthread_mutex_unlock(&h->end_lock);
}

/* The farewell has its own events: a last revocation among them. Their answer may never return: librdkafka
 * 2.8.0 drops it unread if its group ended at the same moment, and waits for it for ever. */
static void leave(struct handle *h)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(h->client);
	rd_kafka_error_t *error = rd_kafka_consumer_close_queue(h->client, queue);
	int64_t until_ms = clock_mono_ms() + h->leave_ms;
	rd_kafka_event_t *event;

	while (!error && !rd_kafka_consumer_closed(h->client) && clock_mono_ms() < until_ms) {
		event = rd_kafka_queue_poll(queue, LEAVE_POLL_MS);
		if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
			(void)rd_kafka_assign(h->client, NULL);
		rd_kafka_event_destroy(event);
	}
	rd_kafka_error_destroy(error);
	rd_kafka_queue_destroy(queue);
}

static void destroy(struct handle *h)
{
	if (h->leave_ms > 0)
		leave(h);
	pthread_mutex_lock(&h->end_lock);
	while (h->users > 0)
		pthread_cond_wait(&h->end, &h->end_lock);
	pthread_mutex_unlock(&h->end_lock);
	rd_kafka_topic_destroy(h->topic);
	rd_kafka_destroy_flags(h->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void *retire(void *context)
{
	struct handle *h = context;
	bool left;

	destroy(h);
	pthread_mutex_lock(&h->end_lock);
	h->gone = true;
	left = h->left;
	pthread_cond_broadcast(&h->end);
	pthread_mutex_unlock(&h->end_lock);
	if (left)
		unmake(h);
	return NULL;
}

static bool start_retiring(struct handle *h)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int failed;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, RETIRE_STACK_BYTES);
	failed = pthread_create(&thread, &attributes, retire, h);
	pthread_attr_destroy(&attributes);
	return failed == 0;
}

/* True: it is gone, and the memory is ours to free. */
static bool wait_gone(struct handle *h, int64_t wait_ms)
{
	struct timespec until;
	bool gone;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(wait_ms / 1000);
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&h->end_lock);
	while (!h->gone && pthread_cond_timedwait(&h->end, &h->end_lock, &until) != ETIMEDOUT)
		continue;
	gone = h->gone;
	h->left = !gone;
	pthread_mutex_unlock(&h->end_lock);
	return gone;
}

void handle_retire(struct handle *h, int64_t wait_ms)
{
	if (!h)
		return;
	/* The caller may close the descriptor as soon as we return. */
	rd_kafka_queue_io_event_enable(h->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(h->queue);
	oauth_stop(h->oauth);
	if (!start_retiring(h)) {
		destroy(h);
		unmake(h);
	} else if (wait_gone(h, wait_ms)) {
		unmake(h);
	}
}

void handle_leave(struct handle *h, int64_t leave_ms, int64_t wait_ms)
{
	h->leave_ms = leave_ms;
	handle_retire(h, leave_ms + wait_ms);
}

struct oauth *handle_oauth(struct handle *h)
{
	return h->oauth;
}

enum status handle_login(struct handle *h, const char *username, const char *password)
{
	rd_kafka_error_t *error;

	snprintf(h->user, sizeof h->user, "%s", username);
	if (h->oauth)
		return oauth_login(h->oauth, username, password);
	error = rd_kafka_sasl_set_credentials(h->client, username, password);
	if (!error)
		return STATUS_OK;
	rd_kafka_error_destroy(error);
	return STATUS_BAD_DATA;
}

rd_kafka_t *handle_client(struct handle *h)
{
	return h->client;
}

rd_kafka_topic_t *handle_topic(struct handle *h)
{
	return h->topic;
}

rd_kafka_queue_t *handle_queue(struct handle *h)
{
	return h->queue;
}

bool handle_is_up(const struct handle *h)
{
	return atomic_load_explicit(&h->answers, memory_order_relaxed) != h->answers_at_down;
}

void handle_is_down(struct handle *h)
{
	h->answers_at_down = atomic_load_explicit(&h->answers, memory_order_relaxed);
}

void handle_explain(struct handle *h, int err, const char *topic, const char *detail, char *out,
	size_t out_bytes)
{
	if (*h->mechanism && trouble_is_of_login(err))
		trouble_login(h->mechanism, h->user, detail, out, out_bytes);
	else
		trouble_words(err, topic, detail, out, out_bytes);
}

bool handle_outdated(struct handle *h)
{
	return h->trust && trust_files_version(h->trust) != h->trust_version;
}

struct tls_watch *handle_watch(struct handle *h)
{
	return h->watch;
}

bool handle_trouble(struct handle *h, const char **code, char *out, size_t out_bytes)
{
#if SCOREBOX_KAFKA_OPENSSL
	if (h->watch)
		return tls_watch_trouble(h->watch, code, out, out_bytes);
#endif
	return h->transport && transport_trouble(h->transport, code, out, out_bytes);
}

void handle_heard(struct handle *h, int err, const char *text)
{
#if SCOREBOX_KAFKA_OPENSSL
	if (h->watch && (err == RD_KAFKA_RESP_ERR__SSL || strstr(text, "SSL handshake") ||
				strstr(text, "SSL routines")))
		tls_watch_failed(h->watch, text);
#else
	(void)h, (void)err, (void)text;
#endif
}
