/* replay.c - the replay API as a whole. */
#include "replay/replay.h"

#include "base/log.h"
#include "base/loop.h"
#include "replay/api.h"
#include "replay/server.h"
#include "tls/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 96, NAMES_BYTES = 2048, TURN_MS = 60000 };

struct replay {
	struct loop *loop;
	struct tls_server *tls;
	struct server *server;
	struct api api;
	char url[URL_BYTES];
};

static void on_signal(void *context, int signal_number)
{
	(void)signal_number;
	loop_stop(context);
}

static enum status load(struct replay *r, const char *const *paths, unsigned count, struct why *why)
{
	enum status s = fault_parse(r->api.options.fault, &r->api.plan, why);

	for (unsigned i = 0; s == STATUS_OK && i < count; i++)
		s = programme_add(&r->api.programme, paths[i], why);
	if (s == STATUS_OK && r->api.programme.count == 0 && r->api.options.synthetic_rows == 0)
		s = fail(why, STATUS_NOT_FOUND, "no match in what was given: nothing to serve");
	return s;
}

static enum status open_server(struct replay *r, struct why *why)
{
	static const int signals[] = {SIGTERM, SIGINT, 0};
	const struct replay_options *o = &r->api.options;
	char names[NAMES_BYTES];
	bool local = strcmp(o->listen, "127.0.0.1") == 0;
	bool v6 = strchr(o->listen, ':') != NULL;

	int length = snprintf(names, sizeof names, "localhost,127.0.0.1%s%s%s%s", local ? "" : ",",
		local ? "" : o->listen, o->names ? "," : "", o->names ? o->names : "");

	if (length < 0 || (size_t)length >= sizeof names)
		return fail(why, STATUS_BAD_DATA, "too many names for the certificate");

	enum status s = loop_open(&r->loop, why);

	if (s == STATUS_OK)
		s = loop_signals(r->loop, signals, on_signal, r->loop, why);
	if (s == STATUS_OK)
		s = tls_server_open(&r->tls, names, o->ca_out, why);
	if (s == STATUS_OK)
		s = server_open(&r->server, o->listen, o->port, r->loop, r->tls, &r->api, why);
	if (s == STATUS_OK)
		snprintf(r->url, sizeof r->url, "https://%s%s%s:%d/v1", v6 ? "[" : "", o->listen,
			v6 ? "]" : "", server_port(r->server));
	return s;
}

enum status replay_open(struct replay **out, const struct replay_options *options,
	const char *const *paths, unsigned count, struct why *why)
{
	struct replay *r = calloc(1, sizeof *r);

	if (!r)
		return fail(why, STATUS_NO_MEMORY, "no memory for the replay API");
	api_init(&r->api, options);

	enum status s = load(r, paths, count, why);

	if (s == STATUS_OK)
		s = open_server(r, why);
	if (s != STATUS_OK) {
		replay_close(r);
		return s;
	}
	log_info("replay.open", "%zu matches at %s, pages of %u rows",
		options->synthetic_rows ? (size_t)options->synthetic_rows : r->api.programme.count,
		r->url, options->page_rows);
	*out = r;
	return STATUS_OK;
}

const char *replay_url(const struct replay *r)
{
	return r->url;
}

int replay_run(struct replay *r)
{
	struct why why;

	if (loop_run(r->loop, TURN_MS, &why) == STATUS_OK)
		return 0;
	log_error("replay.loop", "%s; the replay API ends", why.text);
	return 70;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	server_close(r->server);
	tls_server_close(r->tls);
	loop_close(r->loop);
	api_done(&r->api);
	free(r);
}
