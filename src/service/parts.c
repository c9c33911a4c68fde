#include "service/parts.h"

#include "base/clock.h"
#include "base/file.h"
#include "feed/token.h"
#include "tls/trust_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STALL_MS = 5000 }; /* above what the reader's survey may wait */

bool parts_woken(int fd)
{
	uint64_t n;
	return read(fd, &n, sizeof n) == sizeof n;
}

static enum status fetch_token(const struct kafka_security *security, const atomic_bool *stop,
	char **token, int64_t *lifetime_ms, struct why *why)
{
	struct trust *trust = trust_files_current(security->trust);
	const struct token_question question = {
		.url = security->oauth_url,
		.scope = security->oauth_scope,
		.id = security->username,
		.secret = security->password,
		.id_setting = "SCOREBOX_KAFKA_SASL_USERNAME and _PASSWORD",
		.url_setting = "SCOREBOX_KAFKA_OAUTH_URL",
		.trust = trust,
	};
	enum status s = token_fetch(&question, stop, token, lifetime_ms, why);
	trust_close(trust);
	return s;
}

struct kafka_security parts_security(const struct config *c, struct trust_files *trust)
{
	return (struct kafka_security){
		.tls = config_kafka_tls(c),
		.sasl = config_kafka_login(c),
		.trust = trust,
		.clock_wait_ms = c->clock_wait_ms,
		.ca_file = config_kafka_ca_file(c),
		.cert_file = c->kafka_cert_file,
		.key_file = c->kafka_key_file,
		.mechanism = c->sasl_mechanism,
		.username = c->sasl_username,
		.password = c->sasl_password,
		.oauth_url = c->kafka_oauth_url,
		.oauth_scope = c->kafka_oauth_scope,
		.fetch_token = fetch_token,
	};
}

void parts_login_take(struct parts *parts, const struct config *c)
{
	struct login *latest = atomic_load(&parts->login);
	const char *username = latest ? latest->username : parts->config->sasl_username;
	const char *password = latest ? latest->password : parts->config->sasl_password;
	if (!config_kafka_login(parts->config) || !config_kafka_login(c) ||
		(!strcmp(username, c->sasl_username) && !strcmp(password, c->sasl_password)))
		return;
	size_t name_bytes = strlen(c->sasl_username) + 1;
	size_t bytes = sizeof *latest + name_bytes + strlen(c->sasl_password) + 1;
	struct login *made = malloc(bytes);
	if (!made) {
		parts_login_tell(STATUS_NO_MEMORY);
		return;
	}
	char *texts = (char *)(made + 1);
	memcpy(texts, c->sasl_username, name_bytes);
	strcpy(texts + name_bytes, c->sasl_password);
	*made = (struct login){texts, texts + name_bytes, latest, bytes};
	atomic_store(&parts->login, made);
}

void parts_login_done(struct parts *parts)
{
	for (struct login *l = atomic_exchange(&parts->login, NULL); l;) {
		struct login *older = l->older;
		explicit_bzero(l, l->bytes);
		free(l);
		l = older;
	}
}

bool parts_login_news(const struct parts *parts, const struct login **seen)
{
	const struct login *latest = atomic_load(&parts->login);
	bool news = latest != *seen;
	*seen = latest;
	return news;
}

void parts_login_tell(enum status s)
{
	if (s == STATUS_OK)
		log_info("kafka.login",
			"name and password for Kafka were read again; connections that stand stay, the next login uses them");
	else
		log_warn("kafka.login",
			"the new login for Kafka could not be taken over (%s); nothing lost; the one from before stays in force",
			status_name(s));
}

struct kafka_settings parts_kafka(const struct parts *parts, uint64_t queue_bytes)
{
	const struct config *c = parts->config;
	const struct login *login = atomic_load(&parts->login);
	struct kafka_security security = parts_security(c, parts->trust);
	if (login) {
		security.username = login->username;
		security.password = login->password;
	}
	return (struct kafka_settings){
		.brokers = parts->brokers,
		.topic = c->kafka_topic,
		.client_id = "scorebox",
		.compression = c->kafka_compression,
		.linger_ms = c->kafka_linger_ms,
		.options = c->kafka_options,
		.group = c->kafka_group,
		.instance = c->kafka_instance,
		.queue_bytes = queue_bytes,
		.record_max_bytes = c->api_max_record,
		.security = security,
	};
}

bool parts_path(const struct parts *parts, const char *name, char *out, size_t out_bytes)
{
	if (file_join(parts->config->state_dir, name, out, out_bytes) == STATUS_OK)
		return true;
	log_error("config",
		"SCOREBOX_STATE_DIR is too long; nothing was started; choose a shorter path");
	return false;
}

void parts_tell_set_aside(const char *what, const char *set_aside)
{
	if (*set_aside)
		log_error("store.damaged",
			"the %s was damaged and is set aside as '%s'; what it held and was not yet passed on is lost from here; a new one is begun (keep the file if you want it looked into)",
			what, set_aside);
}

void parts_tell_stall(struct loop *loop, const char *what)
{
	int64_t ms = loop_longest_ms(loop);
	if (ms >= STALL_MS)
		log_warn("service.stall",
			"%s stood still for %lld ms (slow disk?); nothing lost; goes on", what,
			(long long)ms);
}

static void pause_over(void *context)
{
	loop_stop(context);
}

bool parts_pause(struct loop *loop, int64_t ms, const char *what)
{
	struct why why;
	char code[32], span[40];
	clock_span_text(ms, span, sizeof span);
	snprintf(code, sizeof code, "%s.reopen", what);
	log_warn(code, "the %s is opened again in %s", what, span);
	bool ok = loop_timer(loop, clock_mono_ms() + ms, pause_over, loop) == STATUS_OK &&
		  loop_run(loop, 1000, &why) == STATUS_OK;
	loop_timer_stop(loop, pause_over, loop);
	return ok;
}

bool patience_over(struct patience *p, uint64_t progress, int64_t now_ms, int64_t timeout_ms)
{
	if (progress != p->progress || !p->since_ms) {
		p->progress = progress;
		p->since_ms = now_ms;
	}
	return now_ms - p->since_ms >= timeout_ms;
}
