/* transport_trouble.c - why connections failed: the last reason of each broker. */
#include "kafka/transport_private.h"

#include "base/clock.h"
#include "tls/client.h"

#include <stdio.h>
#include <string.h>

/* librdkafka tries again at most every 60 s (and half of it more): what is older is of a broker that is not
 * tried any more. */
enum { STALE_MS = 150 * 1000 };

static const char *const codes[] = {
	[TLS_FAULT_NONE] = "kafka.down",
	[TLS_FAULT_CA] = "kafka.tls.ca",
	[TLS_FAULT_NAME] = "kafka.tls.name",
	[TLS_FAULT_EXPIRED] = "kafka.tls.expired",
	[TLS_FAULT_EARLY] = "kafka.tls.early",
	[TLS_FAULT_WEAK] = "kafka.tls.weak",
	[TLS_FAULT_CLIENT] = "kafka.tls.client",
	[TLS_FAULT_PLAINTEXT] = "kafka.tls.plaintext",
	[TLS_FAULT_REFUSED] = "kafka.tls.refused",
	[TLS_FAULT_PROTOCOL] = "kafka.tls.protocol",
	[TLS_FAULT_NETWORK] = "kafka.down",
	[TLS_FAULT_MEMORY] = "kafka.down",
};

/* Under the lock: the broker's place, else a free one, else the oldest. */
static struct trouble *place_for(struct transport *t, const char *broker)
{
	struct trouble *oldest = &t->troubles[0];

	for (int i = 0; i < TROUBLES; i++) {
		struct trouble *at = &t->troubles[i];

		if (at->at_ms != 0 && strcmp(at->broker, broker) == 0)
			return at;
		if (at->at_ms < oldest->at_ms)
			oldest = at;
	}
	return oldest;
}

void trouble_note(struct transport *t, const char *broker, const char *code, const char *words)
{
	struct trouble *at;

	pthread_mutex_lock(&t->lock);
	at = place_for(t, broker);
	at->at_ms = clock_mono_ms();
	at->code = code;
	snprintf(at->broker, sizeof at->broker, "%s", broker);
	snprintf(at->words, sizeof at->words, "%s", words);
	pthread_mutex_unlock(&t->lock);
}

void trouble_note_tls(struct transport *t, const struct link *l)
{
	trouble_note(t, l->broker, codes[tls_client_fault(l->tls)], tls_client_words(l->tls));
}

void trouble_note_errno(struct transport *t, const struct link *l, const char *what, int error)
{
	char words[TRANSPORT_WORDS_BYTES];

	snprintf(words, sizeof words, "%s %s: %s", what, l->broker, strerror(error));
	trouble_note(t, l->broker, "kafka.down", words);
}

/* A broker that refuses our certificate in TLS 1.3 does so after the handshake; some just close. */
void trouble_note_mute(struct transport *t, const struct link *l)
{
	char words[TRANSPORT_WORDS_BYTES];

	snprintf(words, sizeof words,
		"%s closed the connection right after the TLS handshake (does it want a client certificate, or another one?)",
		l->broker);
	trouble_note(t, l->broker, codes[TLS_FAULT_REFUSED], words);
}

void trouble_over(struct transport *t, const char *broker)
{
	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < TROUBLES; i++)
		if (strcmp(t->troubles[i].broker, broker) == 0)
			t->troubles[i].at_ms = 0;
	pthread_mutex_unlock(&t->lock);
}

bool transport_trouble(struct transport *t, const char **code, char *out, size_t out_bytes)
{
	const struct trouble *last = NULL;
	int64_t since_ms = clock_mono_ms() - STALE_MS;

	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < TROUBLES; i++) {
		const struct trouble *at = &t->troubles[i];

		if (at->at_ms > 0 && at->at_ms >= since_ms && (!last || at->at_ms > last->at_ms))
			last = at;
	}
	if (last) {
		*code = last->code;
		snprintf(out, out_bytes, "%s", last->words);
	}
	pthread_mutex_unlock(&t->lock);
	return last != NULL;
}
