#include "service/poller_private.h"

#include "base/text.h"
#include "feed/change.h"
#include "tls/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	PAGE_CAP = 1000,	    /* pages of one sweep */
	AUTH_REST_MS = 15 * 60000,  /* after a refused key */
	QUOTA_REST_MS = 15 * 60000, /* after 429 without Retry-After */
	TELL_EVERY_MS = 600000,
};
static const int64_t forget_after_ms = 30LL * 86400 * 1000;

/* ---- failures: one line at the change, one every ten minutes, one when it is over ---- */

static void tell_failure(struct poller *p, enum log_level level, const char *code,
	const char *reason, int64_t wait_ms)
{
	char span[40];
	unsigned long held;
	int64_t now = clock_mono_ms();
	if (!p->failed_polls++)
		p->failing_since_ms = now;
	if (strcmp(p->told_code, code) != 0) {
		log_gate_reset(&p->gate);
		snprintf(p->told_code, sizeof p->told_code, "%s", code);
	}
	clock_span_text(wait_ms, span, sizeof span);
	if (log_gate_pass(&p->gate, now, TELL_EVERY_MS, &held))
		log_line(level, code, "%s; nothing lost, missed polls: %lu; next try in %s", reason,
			p->failed_polls, span);
	struct health_facts *f = health_begin(p->health);
	snprintf(f->last_poll, sizeof f->last_poll, "%s: %s", code, reason);
	f->last_poll_us = clock_wall_us();
	f->poll_failing = true;
	health_end(p->health, true);
}

static void tell_success(struct poller *p)
{
	char span[40];
	if (!p->failed_polls)
		return;
	clock_span_text(clock_mono_ms() - p->failing_since_ms, span, sizeof span);
	log_info("api.up", "the API answers again after %s and %lu missed polls", span,
		p->failed_polls);
	p->failed_polls = 0;
	p->told_code[0] = '\0';
	log_gate_reset(&p->gate);
}

static void save_pace(struct poller *p)
{
	char text[512];
	struct why why;
	pace_save(&p->pace, text, sizeof text);
	if (spool_note_set(p->spool, POLLER_PACE_NOTE, text, &why) != STATUS_OK)
		log_warn("spool.note",
			"%s; nothing lost, a restart may poll earlier than it should", why.text);
}

static void take_page_back(struct poller *p)
{
	struct why why;
	enum status s = spool_page_abort(p->spool, &why);
	if (s != STATUS_OK)
		p->calls.on_trouble(p->calls.context, s, &why);
}

/* The sweep ends without its end; complete pages stay. */
static void sweep_failed(struct poller *p, enum log_level level, const char *code,
	const char *reason, int64_t rest_ms)
{
	take_page_back(p);
	pace_sweep_failed(&p->pace);
	save_pace(p);
	if (p->state == POLLER_STOPPED)
		return;
	poller_rest(p, rest_ms);
	int64_t wait = p->next_ms - clock_mono_ms();
	tell_failure(p, level, code, reason, wait > 0 ? wait : 0);
	p->calls.on_sweep(p->calls.context, false);
}

/* ---- rows ---- */

static enum status dead_letter(struct poller *p, const struct split_row *r, struct why *why)
{
	bool is_new = false;
	enum status s = spool_dead_letter(
		p->spool, r->reason, r->bytes, clock_wall_us(), &is_new, why);
	p->sweep.unusable++;
	if (s == STATUS_OK && is_new)
		log_warn("api.row",
			"row %" PRIu64 " of the list (byte %" PRIu64 ", %" PRIu64
			" bytes): %s; it is kept as a dead letter (scorebox spool ls); the other rows go on",
			p->sweep.offset + p->sweep.page_rows, r->at, r->length, r->reason);
	return s;
}

static void note_for_pace(struct poller *p, const struct row *row, int64_t changed_us)
{
	const struct pace_match m = {
		.started = row->started,
		.ended = row->ended,
		.is_test = text_equals_ignoring_case(row->match_type, "test"),
		.start_us = row->start_us,
		.start_time_known = row->start_time_known,
		.changed_us = changed_us,
	};
	pace_sweep_match(&p->pace, &m, clock_wall_us());
}

static enum status add_row(struct poller *p, const struct split_row *r, struct why *why)
{
	struct spool_last last;
	struct digest now, before;
	struct row row;
	struct why unread;
	enum status s = spool_last(p->spool, r->id, &last, why);
	if (s != STATUS_OK)
		return s;
	if (last.met) {
		p->sweep.page_repeated++;
		return STATUS_OK;
	}
	/* a row too rich to read is still published: only pacing and the word filter look into it */
	if (row_read(p->reader, r->bytes, &row, &unread) != STATUS_OK)
		row_clear(&row);
	else if (!row_matches_words(&row, p->config->matches))
		return STATUS_OK;
	digest_of(r->bytes.bytes, r->bytes.length, &now);
	memcpy(before.bytes, last.digest, sizeof before.bytes);
	bool is_new = change_is_new(
		last.known ? &before : NULL, &now, p->config->publish == PUBLISH_ALL);
	if (row.is_object)
		note_for_pace(p, &row, is_new ? 0 : last.changed_us);
	if (!is_new)
		return STATUS_OK;
	p->sweep.page_fresh++;
	return spool_add(p->spool, r->id, now.bytes, fetch_answered_us(p->fetch), r->bytes, why);
}

enum status sweep_row(void *context, const struct split_row *r, struct why *why)
{
	struct poller *p = context;
	p->sweep.page_rows++;
	p->progress++;
	return r->kind == SPLIT_ROW ? add_row(p, r, why) : dead_letter(p, r, why);
}

static enum status on_body(void *context, const char *bytes, size_t length, struct why *why)
{
	struct poller *p = context;
	p->progress += length;
	return split_feed(p->split, bytes, length, why);
}

/* ---- pages and sweeps ---- */

static void on_done(void *context, const struct fetch_result *result);

static void ask_page(struct poller *p)
{
	struct why why;
	split_reset(p->split);
	p->sweep.page_rows = p->sweep.page_repeated = p->sweep.page_fresh = 0;
	enum status s = spool_page_begin(p->spool, &why);
	if (s != STATUS_OK) {
		p->state = POLLER_STOPPED;
		p->calls.on_trouble(p->calls.context, s, &why);
		return;
	}
	s = fetch_start(p->fetch, p->config->source.offset_param, p->sweep.offset, on_body, on_done,
		p, &why);
	if (s != STATUS_OK)
		sweep_failed(p, LOG_WARN, "api.request", why.text, backoff_next_ms(&p->backoff));
}

static void sweep_complete(struct poller *p)
{
	char text[160];
	const struct sweep *w = &p->sweep;
	struct why why;
	int64_t now = clock_wall_us();
	pace_sweep_end(&p->pace, w->pages, now);
	backoff_reset(&p->backoff);
	save_pace(p);
	if (spool_forget_unseen(p->spool, now, forget_after_ms, &why) != STATUS_OK)
		log_warn("spool.forget", "%s; nothing lost; tried again after a later sweep",
			why.text);
	snprintf(text, sizeof text,
		"%u page%s, %" PRIu64 " rows, %" PRIu64 " new, %" PRIu64 " repeated, %" PRIu64
		" unusable",
		w->pages, w->pages == 1 ? "" : "s", w->rows, w->fresh, w->repeated, w->unusable);
	if (w->fresh)
		log_info("poll.changed", "%s", text);
	else
		log_debug("poll.same", "%s", text);
	tell_success(p);
	if (p->state != POLLER_STOPPED)
		poller_rest(p, 0);
	struct health_facts *f = health_begin(p->health);
	snprintf(f->last_poll, sizeof f->last_poll, "ok: %s", text);
	f->last_poll_us = f->last_sweep_us = now;
	f->poll_failing = false;
	health_end(p->health, w->fresh > 0);
	p->calls.on_sweep(p->calls.context, true);
}

/* Is the list read to its end? Rows may shift between pages, so offsets count rows received. */
static bool list_is_over(struct poller *p, const struct split_envelope *e)
{
	const struct sweep *w = &p->sweep;
	if (!*p->config->source.offset_param)
		return true;
	if (e->total >= 0 && w->offset >= (uint64_t)e->total)
		return true;
	if (!e->rows) {
		if (e->total >= 0)
			log_warn("api.paging",
				"an empty page at row %" PRIu64 " of %" PRId64
				"; nothing lost; the sweep ends here, the next one begins anew",
				w->offset, e->total);
		return true;
	}
	if (w->page_repeated == e->rows && w->pages > 1) {
		log_warn("api.paging",
			"page %u brought only rows already met: the server does not page by '%s'; nothing lost; the sweep ends here (check SCOREBOX_API_OFFSET_PARAM)",
			w->pages, p->config->source.offset_param);
		return true;
	}
	if (w->pages >= PAGE_CAP) {
		log_warn("api.paging",
			"%d pages and no end (total %" PRId64
			"); rows beyond are not read; narrow SCOREBOX_API_URL",
			PAGE_CAP, e->total);
		return true;
	}
	return false;
}

static void page_complete(struct poller *p, const struct split_envelope *e)
{
	struct why why;
	struct sweep *w = &p->sweep;
	enum status s = spool_page_commit(p->spool, &why);
	if (s != STATUS_OK) {
		p->state = POLLER_STOPPED;
		p->calls.on_trouble(p->calls.context, s, &why);
		return;
	}
	w->pages++;
	w->offset += e->rows;
	w->rows += e->rows;
	w->fresh += w->page_fresh;
	w->repeated += w->page_repeated;
	if (w->page_fresh)
		p->calls.on_rows(p->calls.context);
	if (list_is_over(p, e))
		sweep_complete(p);
	else
		ask_page(p);
}

/* The API said no in its own words (HTTP 200, status "failure"). */
static void refused_by_api(struct poller *p, const struct split_envelope *e)
{
	char reason[320];
	int64_t now = clock_wall_us();
	int64_t block_ms = pace_block_of_reason(&p->pace, e->reason, now);
	bool key = text_contains_ignoring_case(e->reason, "api key") ||
		   text_contains_ignoring_case(e->reason, "apikey");
	if (block_ms > 0) {
		pace_block(&p->pace, now, block_ms, e->reason);
		snprintf(reason, sizeof reason,
			"the API says \"%s\"; the block is kept across restarts and not probed",
			e->reason);
		sweep_failed(p, LOG_WARN, "api.quota", reason, block_ms);
	} else if (key) {
		snprintf(reason, sizeof reason,
			"API key rejected: \"%s\" (check SCOREBOX_API_KEY or SCOREBOX_API_KEY_FILE)",
			e->reason);
		sweep_failed(p, LOG_ERROR, "api.auth", reason, AUTH_REST_MS);
	} else {
		snprintf(reason, sizeof reason, "the API says no: \"%s\"",
			*e->reason ? e->reason : "no reason given");
		sweep_failed(p, LOG_WARN, "api.failure", reason, backoff_next_ms(&p->backoff));
	}
}

static void body_complete(struct poller *p, const struct fetch_result *result)
{
	struct split_envelope e;
	struct why why;
	char reason[500];
	enum status s = split_end(p->split, &e, &why);
	if (s != STATUS_OK) {
		snprintf(reason, sizeof reason,
			"%s, after %" PRIu64 " bytes; the page is thrown away", why.text,
			result->bytes);
		sweep_failed(p, LOG_WARN, "api.badjson", reason, backoff_next_ms(&p->backoff));
		return;
	}
	pace_quota(&p->pace, e.hits_today, e.hits_limit, e.hits_used, clock_wall_us());
	if (*p->config->source.ok && !(e.ok_seen && e.ok) && (e.ok_seen || *e.reason)) {
		refused_by_api(p, &e);
	} else if (!e.has_records || (*p->config->source.ok && !e.ok_seen)) {
		snprintf(reason, sizeof reason,
			"the answer is JSON but has no %s (check SCOREBOX_API_URL and SCOREBOX_SOURCE); the page is thrown away",
			e.has_records ? "success mark"
				      : "list of rows where the source profile expects it");
		sweep_failed(p, LOG_WARN, "api.shape", reason, backoff_next_ms(&p->backoff));
	} else {
		page_complete(p, &e);
	}
}

/* The body callback stopped the transfer: the spool, or the splitter. */
static void refused_by_us(struct poller *p, const struct fetch_result *result)
{
	char reason[500];
	if (result->refused == STATUS_FULL) {
		p->spool_full = true;
		sweep_failed(p, LOG_ERROR, "spool.full", result->why.text, POLLER_FULL_LOOK_MS);
	} else if (result->refused == STATUS_BAD_DATA) {
		snprintf(reason, sizeof reason, "%s; the page is thrown away", result->why.text);
		sweep_failed(p, LOG_WARN, "api.badjson", reason, backoff_next_ms(&p->backoff));
	} else {
		p->state = POLLER_STOPPED;
		p->calls.on_trouble(p->calls.context, result->refused, &result->why);
	}
}

static void on_done(void *context, const struct fetch_result *r)
{
	struct poller *p = context;
	switch (r->outcome) {
	case FETCH_OK:
		body_complete(p, r);
		return;
	case FETCH_REFUSED:
		refused_by_us(p, r);
		return;
	case FETCH_CANCELLED:
		take_page_back(p);
		return;
	case FETCH_AUTH:
		sweep_failed(p, LOG_ERROR, r->code, r->why.text, AUTH_REST_MS);
		return;
	case FETCH_QUOTA: {
		int64_t ms = r->retry_after_ms >= 0 ? r->retry_after_ms : QUOTA_REST_MS;
		pace_block(&p->pace, clock_wall_us(), ms, "HTTP 429");
		sweep_failed(p, LOG_WARN, r->code, r->why.text, ms);
		return;
	}
	case FETCH_REDIRECT:
	case FETCH_TOO_BIG:
		sweep_failed(p, LOG_ERROR, r->code, r->why.text, backoff_next_ms(&p->backoff));
		return;
	case FETCH_DNS:
	case FETCH_CONNECT:
	case FETCH_TIMEOUT:
	case FETCH_SLOW:
	case FETCH_RESET:
	case FETCH_PARTIAL:
	case FETCH_HEADERS:
	case FETCH_TLS:
	case FETCH_SERVER:
	case FETCH_HTTP:
	case FETCH_NOT_JSON:
		if (r->retry_after_ms > 0)
			pace_block(&p->pace, clock_wall_us(), r->retry_after_ms, r->code);
		sweep_failed(p, LOG_WARN, r->code, r->why.text, backoff_next_ms(&p->backoff));
		return;
	}
}

void sweep_start(struct poller *p)
{
	p->state = POLLER_SWEEPING;
	memset(&p->sweep, 0, sizeof p->sweep);
	spool_sweep_begin(p->spool);
	pace_sweep_begin(&p->pace);
	ask_page(p);
}
