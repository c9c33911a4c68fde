/* check_online.c - `check --online`: a line for each thing the daemon will need, tried for real. */
#include "app/online.h"

#include "app/stick.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "book/book.h"
#include "feed/fetch.h"
#include "feed/split.h"
#include "service/parts.h"
#include "service/service.h"
#include "tls/trust_files.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_BYTES = 256, TURN_MS = 1000 };

static void PRINTF_LIKE(4, 0) print_line(
	struct online *o, const char *word, const char *what, const char *format, va_list arguments)
{
	char text[900], clean[1000];

	vsnprintf(text, sizeof text, format, arguments);
	log_redact(text, strlen(text), clean, sizeof clean);
	fprintf(o->out, "  %-7s %-8s %s\n", word, what, clean);
	fflush(o->out);
}

void online_tell(struct online *o, const char *what, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(o, code ? "FAILED" : "ok", what, format, arguments);
	va_end(arguments);
	if (code && !o->code)
		o->code = code;
}

void online_warn(struct online *o, const char *what, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(o, "warn", what, format, arguments);
	va_end(arguments);
	o->advice++;
}

/* ---- clock and name ---- */

static void check_clock(struct online *o)
{
	char now[CLOCK_TEXT_BYTES];

	clock_format(clock_wall_us(), 0, now);
	if (clock_believable())
		online_tell(o, "clock", EXIT_DONE, "%s", now);
	else
		online_tell(o, "clock", EXIT_PEER,
			"%s is before this program was built, so no certificate can be judged; "
			"set the clock, or let NTP do it",
			now);
}

/* The host of https://host[:port]/..., brackets of IPv6 removed. */
static void host_of(const char *url, char *out, size_t out_bytes)
{
	const char *host = url + strlen("https://");
	size_t length = *host == '[' ? strcspn(++host, "]") : strcspn(host, ":/?");

	snprintf(out, out_bytes, "%.*s", (int)length, host);
}

static bool check_name(struct online *o)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char host[HOST_BYTES];

	if (*o->config->api_proxy) {
		online_tell(o, "dns", EXIT_DONE, "left to the proxy");
		return true;
	}
	host_of(o->config->api_url, host, sizeof host);

	int error = getaddrinfo(host, NULL, &hints, &found);

	if (error) {
		online_tell(o, "dns", EXIT_PEER,
			"cannot resolve %s: %s; look at the network and its name server", host,
			gai_strerror(error));
		return false;
	}
	freeaddrinfo(found);
	online_tell(o, "dns", EXIT_DONE, "%s", host);
	return true;
}

/* ---- the API: one real request ---- */

struct asking {
	struct online *online;
	struct loop *loop;
	struct trust *trust;
	struct fetch *fetch;
	struct split *split;
	uint64_t unusable;
	bool done;
};

static enum status count_row(void *context, const struct split_row *row, struct why *why)
{
	struct asking *a = context;

	(void)why;
	a->unusable += row->kind != SPLIT_ROW;
	return STATUS_OK;
}

static enum status take_body(void *context, const char *bytes, size_t length, struct why *why)
{
	struct asking *a = context;

	return split_feed(a->split, bytes, length, why);
}

static const char *next_step(enum fetch_outcome outcome)
{
	switch (outcome) {
	case FETCH_AUTH:
		return "look at SCOREBOX_API_KEY_FILE or SCOREBOX_API_KEY";
	case FETCH_TLS:
		return "look at the clock, and at SCOREBOX_API_CA_FILE";
	case FETCH_QUOTA:
		return "the plan's hits are used up: wait for the reset";
	case FETCH_TOO_BIG:
		return "raise SCOREBOX_API_MAX_BODY if that answer is right";
	case FETCH_REDIRECT:
	case FETCH_HTTP:
		return "look at SCOREBOX_API_URL";
	case FETCH_NOT_JSON:
		return "look at SCOREBOX_API_URL; does this network ask for a login?";
	case FETCH_REFUSED:
		return "look at SCOREBOX_API_URL: this is no list of matches";
	default:
		return "look at the network; the daemon would try again by itself";
	}
}

static void tell_envelope(struct asking *a, const struct split_envelope *e)
{
	char left[64] = "hits left unknown";

	if (e->hits_limit >= 0 && e->hits_today >= 0)
		snprintf(left, sizeof left, "%lld of %lld hits left",
			(long long)(e->hits_limit > e->hits_today ? e->hits_limit - e->hits_today
								  : 0),
			(long long)e->hits_limit);
	if (e->ok_seen && !e->ok)
		online_tell(a->online, "api", EXIT_PEER, "it answers with a failure: %s; %s",
			e->reason, left);
	else if (!e->has_records)
		online_tell(a->online, "api", EXIT_SETTINGS,
			"the answer has no rows at '%s'; look at SCOREBOX_API_URL and "
			"SCOREBOX_API_RECORDS",
			a->online->config->source.records);
	else
		online_tell(a->online, "api", EXIT_DONE,
			"%llu rows in the first page, %llu without a usable id, %lld in all; %s",
			(unsigned long long)e->rows, (unsigned long long)a->unusable,
			(long long)e->total, left);
}

static void answered(void *context, const struct fetch_result *r)
{
	struct asking *a = context;
	struct split_envelope envelope;
	struct why why;
	bool settings = r->outcome == FETCH_AUTH || r->outcome == FETCH_HTTP ||
			r->outcome == FETCH_REDIRECT;

	a->done = true;
	loop_stop(a->loop);
	if (r->outcome != FETCH_OK)
		online_tell(a->online, r->outcome == FETCH_TLS ? "tls" : "api",
			settings ? EXIT_SETTINGS : EXIT_PEER, "%s; %s", r->why.text,
			next_step(r->outcome));
	else if (split_end(a->split, &envelope, &why) != STATUS_OK)
		online_tell(
			a->online, "api", EXIT_PEER, "%s; %s", why.text, next_step(FETCH_REFUSED));
	else
		tell_envelope(a, &envelope);
}

static enum status ask(struct asking *a, const struct config *c, struct why *why)
{
	struct fetch_options options = {
		.url = c->api_url,
		.key = c->api_key,
		.key_param = c->source.key_param,
		.key_header = c->source.key_header,
		.proxy = c->api_proxy,
		.timeout_ms = c->api_timeout_ms,
		.max_body_bytes = c->api_max_body,
		.trust = a->trust,
	};
	enum status s = loop_open(&a->loop, why);

	if (s == STATUS_OK)
		s = split_open(&a->split, &c->source, c->api_max_record, count_row, a, why);
	if (s == STATUS_OK)
		s = fetch_open(&a->fetch, a->loop, &options, why);
	if (s == STATUS_OK)
		s = fetch_start(a->fetch, c->source.offset_param, 0, take_body, answered, a, why);
	while (s == STATUS_OK && !a->done)
		s = loop_turn(a->loop, TURN_MS, why);
	return s;
}

/* A block is never probed early, not even here. */
static bool blocked(struct online *o)
{
	char until[CLOCK_TEXT_BYTES];

	if (o->pace->blocked_until_us <= clock_wall_us())
		return false;
	clock_format(o->pace->blocked_until_us, 0, until);
	online_tell(o, "api", EXIT_PEER,
		"it has blocked us until %s (%s) and was not asked; wait until then", until,
		o->pace->blocked_why);
	return true;
}

static void check_api(struct online *o)
{
	const struct config *c = o->config;
	struct asking a = {.online = o};
	struct why why;

	if (trust_open(&a.trust, c->api_ca_file, c->api_cert_file, c->api_key_file, &why) !=
		STATUS_OK) {
		online_tell(o, "tls", EXIT_SETTINGS, "%s; look at SCOREBOX_API_CA_FILE", why.text);
		return;
	}
	online_tell(o, "trust", EXIT_DONE, "%u root certificates from %s", trust_roots(a.trust),
		trust_origin(a.trust));
	if (!blocked(o) && ask(&a, c, &why) != STATUS_OK && !a.done)
		online_tell(o, "api", EXIT_INTERNAL, "%s", why.text);
	fetch_close(a.fetch);
	split_close(a.split);
	loop_close(a.loop);
	trust_close(a.trust);
}

/* ---- storage ---- */

/* The folder itself, or the nearest one above it that exists. */
static void existing_folder(const char *path, char *out, size_t out_bytes)
{
	snprintf(out, out_bytes, "%s", path);
	while (access(out, F_OK) != 0 && strcmp(out, "/") && strcmp(out, ".")) {
		char copy[PATH_MAX];

		snprintf(copy, sizeof copy, "%s", out);
		snprintf(out, out_bytes, "%s", dirname(copy));
	}
}

static void check_state(struct online *o)
{
	const struct config *c = o->config;
	char folder[PATH_MAX];
	uint64_t free_bytes, total_bytes;
	struct why why;

	existing_folder(c->state_dir, folder, sizeof folder);
	if (access(folder, W_OK | X_OK) != 0)
		online_tell(o, "state", EXIT_STORAGE,
			"'%s' cannot be written: %s; give it to the daemon's user, or set "
			"SCOREBOX_STATE_DIR",
			folder, strerror(errno));
	else if (file_space(folder, &free_bytes, &total_bytes, &why) != STATUS_OK)
		online_tell(o, "state", EXIT_STORAGE, "%s; set SCOREBOX_STATE_DIR", why.text);
	else if (free_bytes < 4 << 20)
		online_tell(o, "state", EXIT_STORAGE, "'%s' has %llu KiB left; make room",
			c->state_dir, (unsigned long long)free_bytes >> 10);
	else
		online_tell(o, "state", EXIT_DONE, "'%s'%s, %llu of %llu MiB free", c->state_dir,
			strcmp(folder, c->state_dir) ? " (will be made)" : "",
			(unsigned long long)free_bytes >> 20,
			(unsigned long long)total_bytes >> 20);
}

static void check_output(struct online *o)
{
	static const enum shelf_mount mounts[] = {
		[MOUNT_AUTO] = SHELF_AUTO,
		[MOUNT_REQUIRE] = SHELF_REQUIRE,
		[MOUNT_ANY] = SHELF_ANY,
	};
	const struct config *c = o->config;
	struct stick_user user;
	struct stick stick;
	struct shelf shelf;
	char wanted[PATH_MAX];

	stick_find_user(&user);
	stick_look(c->output_dir, &user, &stick_places, &stick);
	shelf_look(c->output_dir, mounts[c->output_mount], c->output_min_free, &shelf);
	if (shelf.state != SHELF_OK)
		online_tell(o, "output", EXIT_STORAGE, "%s", shelf.text);
	else if (stick.may_write)
		online_tell(o, "output", EXIT_DONE, "'%s', %llu MiB free", c->output_dir,
			(unsigned long long)shelf.free_bytes >> 20);
	else if (stick.own)
		online_tell(o, "output", EXIT_STORAGE,
			"'%s' may not be written by the user %s; see above, under Storage",
			c->output_dir, user.name);
	else
		online_warn(o, "output",
			"'%s': by its mode the user %s may not write there; see above, under "
			"Storage",
			c->output_dir, user.name);
	if (shelf.state == SHELF_OK && stick_shut_out(&stick, wanted, sizeof wanted))
		online_warn(o, "output", "%s", wanted);
}

static const char *summary(const struct online *o)
{
	return o->code	   ? "Not everything is right."
	       : o->advice ? "It works; look at what is warned of."
			   : "All is right.";
}

int check_online(const struct config *config, const struct pace *pace,
	const struct options *options, FILE *out)
{
	struct online o = {.config = config, .pace = pace, .options = options, .out = out};

	fprintf(out, "\nOnline\n");
	check_clock(&o);
	if (config->mode != MODE_CONSUME && check_name(&o))
		check_api(&o);
	online_kafka(&o);
	online_registry(&o);
	check_state(&o);
	if (config->mode != MODE_PRODUCE)
		check_output(&o);
	fprintf(out, "\n%s\n", summary(&o));
	return o.code;
}
