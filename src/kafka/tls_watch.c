/* tls_watch.c - why TLS connections of librdkafka's own fail. */
#include "kafka/tls_watch.h"

#include "base/clock.h"
#include "kafka/handle.h"

#include <librdkafka/rdkafka.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* librdkafka tries again at most every 60 s (and half of it more): what is older is of a broker that is not
 * tried any more. What a verification found is followed by librdkafka's own text within the second. */
enum { PLACES = 8, NAME_BYTES = 264, WORDS_BYTES = 256, STALE_MS = 150 * 1000, ECHO_MS = 3000 };

struct place {
	int64_t at_ms; /* 0: free */
	const char *code;
	char broker[NAME_BYTES], words[WORDS_BYTES];
};

struct tls_watch {
	pthread_mutex_t lock;
	struct place places[PLACES];
	atomic_bool any;
	bool has_certificate;
};

/* "host:port" of "ssl://host:port/bootstrap" or "sasl_ssl://host:port/1: text". */
static void broker_of(const char *text, char out[NAME_BYTES])
{
	const char *scheme = strstr(text, "://");

	if (scheme && scheme - text <= 8)
		text = scheme + 3;
	snprintf(out, NAME_BYTES, "%.*s", (int)strcspn(text, "/ "), text);
}

static struct place *place_for(struct tls_watch *w, const char *broker)
{
	struct place *oldest = &w->places[0];

	for (int i = 0; i < PLACES; i++) {
		struct place *at = &w->places[i];

		if (at->at_ms != 0 && strcmp(at->broker, broker) == 0)
			return at;
		if (at->at_ms < oldest->at_ms)
			oldest = at;
	}
	return oldest;
}

static void note(struct tls_watch *w, const char *broker, const char *code, const char *words)
{
	struct place *at = place_for(w, broker);

	at->at_ms = clock_mono_ms();
	at->code = code;
	snprintf(at->broker, sizeof at->broker, "%s", broker);
	snprintf(at->words, sizeof at->words, "%s", words);
	atomic_store(&w->any, true);
}

/* ---- what verification finds ---- */

/* "2026-01-01", or "?" */
static void day_of(const ASN1_TIME *time, char *out, size_t out_bytes)
{
	struct tm tm;

	snprintf(out, out_bytes, "?");
	if (time && ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(out, out_bytes, "%Y-%m-%d", &tm);
}

static void say_validity(const X509 *certificate, bool expired, char *out, size_t out_bytes)
{
	char day[16], now[CLOCK_TEXT_BYTES];

	day_of(expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate), day,
		sizeof day);
	clock_format(clock_wall_us(), 0, now);
	snprintf(out, out_bytes, "%s (not %s %s; this board's clock says %.10s %.5s UTC%s)",
		expired ? "has expired" : "is not yet valid", expired ? "after" : "before", day,
		now, now + 11, expired ? "" : ": is it set?");
}

static const struct verdict {
	int error;
	const char *code, *words;
} verdicts[] = {
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "kafka.tls.ca",
		"is self-signed and not among the trusted ones (is a CA file to be named?)"},
	{X509_V_ERR_HOSTNAME_MISMATCH, "kafka.tls.name", "is for another host"},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, "kafka.tls.name", "is for another host"},
	{X509_V_ERR_CERT_REVOKED, "kafka.tls.ca", "was revoked"},
	{X509_V_ERR_EE_KEY_TOO_SMALL, "kafka.tls.weak", "has too weak a key"},
	{X509_V_ERR_CA_KEY_TOO_SMALL, "kafka.tls.weak", "has too weak a key"},
	{X509_V_ERR_CA_MD_TOO_WEAK, "kafka.tls.weak", "is signed with too weak a hash"},
	{X509_V_ERR_INVALID_PURPOSE, "kafka.tls.ca", "was not issued for a server"},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, "kafka.tls.ca", "does not bear its CA's signature"},
};

static const char *judge(int error, const X509 *certificate, char *out, size_t out_bytes)
{
	if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID) {
		bool expired = error == X509_V_ERR_CERT_HAS_EXPIRED;

		say_validity(certificate, expired, out, out_bytes);
		return expired ? "kafka.tls.expired" : "kafka.tls.early";
	}
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
		if (verdicts[i].error != error)
			continue;
		snprintf(out, out_bytes, "%s", verdicts[i].words);
		return verdicts[i].code;
	}
	snprintf(out, out_bytes, "is signed by an unknown CA (is a CA file to be named?)");
	return "kafka.tls.ca";
}

static void note_verdict(
	struct tls_watch *w, const char *name, int error, int depth, const X509 *certificate)
{
	char broker[NAME_BYTES], defect[160], words[WORDS_BYTES];
	const char *code = judge(error, certificate, defect, sizeof defect);

	broker_of(name, broker);
	/* A chain without its root ends in an error at the place where it is missing: that is no fault of
	 * the certificate there. */
	if (depth > 0 && strcmp(code, "kafka.tls.ca") != 0)
		snprintf(words, sizeof words, "a CA's certificate in the chain of %s %s", broker,
			defect);
	else
		snprintf(words, sizeof words, "certificate of %s %s", broker, defect);
	pthread_mutex_lock(&w->lock);
	note(w, broker, code, words);
	pthread_mutex_unlock(&w->lock);
}

/* For each certificate of a chain, from librdkafka's threads. OpenSSL's verdict stands as it is. */
static int on_verified(rd_kafka_t *client, const char *broker, int32_t broker_id, int *error,
	int depth, const char *der, size_t der_bytes, char *reason, size_t reason_bytes,
	void *handle)
{
	const unsigned char *at = (const unsigned char *)der;
	X509 *certificate;

	(void)client, (void)broker_id;
	if (*error == X509_V_OK)
		return 1;
	certificate = d2i_X509(NULL, &at, (long)der_bytes);
	if (certificate)
		note_verdict(handle_watch(handle), broker, *error, depth, certificate);
	X509_free(certificate);
	snprintf(reason, reason_bytes, "%s", X509_verify_cert_error_string(*error));
	return 0;
}

/* ---- what librdkafka says of the rest ---- */

static const struct saying {
	const char *part, *code, *words;
	bool without_certificate; /* only where we have none to show */
} sayings[] = {
	{"certificate required", "kafka.tls.client", "wants a client certificate, and none is set",
		true},
	{"bad certificate", "kafka.tls.client", "wants a client certificate, and none is set",
		true},
	{"certificate required", "kafka.tls.client", "does not take our client certificate", false},
	{"bad certificate", "kafka.tls.client", "refuses our client certificate", false},
	{"certificate unknown", "kafka.tls.client", "refuses our client certificate", false},
	{"certificate expired", "kafka.tls.client",
		"refuses our client certificate: it has expired", false},
	{"unknown ca", "kafka.tls.client",
		"refuses our client certificate: it does not know its CA", false},
	{"access denied", "kafka.tls.client", "refuses our client certificate: no access with it",
		false},
	{"wrong version number", "kafka.tls.plaintext", "does not speak TLS on this port", false},
	{"packet length too long", "kafka.tls.plaintext", "does not speak TLS on this port", false},
	{"PLAINTEXT broker listener", "kafka.tls.refused",
		"closed the connection during the TLS handshake (does it speak TLS on this port?)",
		false},
	{"unsupported protocol", "kafka.tls.refused",
		"speaks no TLS version that we accept (1.2 or 1.3)", false},
	{"protocol version", "kafka.tls.refused",
		"speaks no TLS version that we accept (1.2 or 1.3)", false},
	{"no shared cipher", "kafka.tls.refused", "and we have no TLS cipher in common", false},
	{"handshake failure", "kafka.tls.refused",
		"refused the TLS handshake (no cipher in common, or it wants a client certificate?)",
		false},
	{"unrecognized name", "kafka.tls.name", "does not know itself by the name that we call it",
		false},
	{"certificate verify failed", "kafka.tls.ca",
		"sent a certificate that could not be verified", false},
	{"key too small", "kafka.tls.weak", "sent a certificate with too weak a key", false},
	{"md too weak", "kafka.tls.weak", "sent a certificate signed with too weak a hash", false},
};

static const char *read_saying(
	const struct tls_watch *w, const char *text, const char *broker, char *words)
{
	for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
		if (!strstr(text, sayings[i].part) ||
			(sayings[i].without_certificate && w->has_certificate))
			continue;
		snprintf(words, WORDS_BYTES, "%s %s", broker, sayings[i].words);
		return sayings[i].code;
	}
	snprintf(words, WORDS_BYTES, "TLS with %s failed: %.160s", broker, text);
	return "kafka.tls.refused";
}

void tls_watch_failed(struct tls_watch *w, const char *text)
{
	char broker[NAME_BYTES], words[WORDS_BYTES];
	const char *code;

	broker_of(text, broker);
	code = read_saying(w, text, broker, words);
	pthread_mutex_lock(&w->lock);

	const struct place *at = place_for(w, broker);
	bool echo = at->at_ms != 0 && strcmp(at->broker, broker) == 0 &&
		    clock_mono_ms() - at->at_ms < ECHO_MS;

	if (!echo)
		note(w, broker, code, words);
	pthread_mutex_unlock(&w->lock);
}

/* ---- the way in and out ---- */

void tls_watch_over(struct tls_watch *w, const char *broker)
{
	char name[NAME_BYTES];

	if (!atomic_load(&w->any))
		return;
	broker_of(broker, name);
	pthread_mutex_lock(&w->lock);
	bool left = false;

	for (int i = 0; i < PLACES; i++) {
		if (strcmp(w->places[i].broker, name) == 0)
			w->places[i].at_ms = 0;
		left |= w->places[i].at_ms != 0;
	}
	atomic_store(&w->any, left);
	pthread_mutex_unlock(&w->lock);
}

bool tls_watch_trouble(struct tls_watch *w, const char **code, char *out, size_t out_bytes)
{
	const struct place *newest = NULL;
	int64_t since_ms = clock_mono_ms() - STALE_MS;

	pthread_mutex_lock(&w->lock);
	for (int i = 0; i < PLACES; i++) {
		const struct place *at = &w->places[i];

		if (at->at_ms != 0 && at->at_ms > since_ms &&
			(!newest || at->at_ms > newest->at_ms))
			newest = at;
	}
	if (newest) {
		*code = newest->code;
		snprintf(out, out_bytes, "%s", newest->words);
	}
	pthread_mutex_unlock(&w->lock);
	return newest;
}

struct tls_watch *tls_watch_open(rd_kafka_conf_t *conf, bool has_certificate)
{
	struct tls_watch *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	pthread_mutex_init(&w->lock, NULL);
	w->has_certificate = has_certificate;
	rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_verified);
	return w;
}

void tls_watch_close(struct tls_watch *w)
{
	if (!w)
		return;
	pthread_mutex_destroy(&w->lock);
	free(w);
}
