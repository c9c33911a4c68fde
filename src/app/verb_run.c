/* verb_run.c - the verbs that run the services, and the settings read anew on SIGHUP. */
#include "app/verb.h"

#include "base/log.h"

/* The service borrows the first settings for good, and of the renewed ones the set that it has in
 * use; the other one here is the newest, which it may have refused. */
enum { KEPT = 2 };

struct renewal {
	const struct call *call;
	struct settings_request request;
	struct settings *kept[KEPT];
};

static void report_renewal(void *context, bool wrong, const char *text)
{
	(void)context;
	if (wrong)
		log_error("config",
			"%s; the settings stay as they were; correct it and send SIGHUP again",
			text);
	else
		log_warn("config", "%s", text);
}

static void keep(struct renewal *r, struct settings *made, const struct config *in_use)
{
	for (int i = 0; i < KEPT; i++) {
		if (r->kept[i] && settings_config(r->kept[i]) == in_use)
			continue;
		settings_free(r->kept[i]);
		r->kept[i] = made;
		made = NULL;
	}
}

static const struct config *renew(void *context, const struct config *in_use)
{
	struct renewal *r = context;
	struct settings *made;
	struct why why;
	enum status s = settings_load(&made, &r->request, &why);

	if (s != STATUS_OK) {
		if (s != STATUS_BAD_DATA)
			log_error("config", "%s; the settings stay as they were", why.text);
		return NULL;
	}
	call_apply(r->call, settings_config(made));
	settings_report_fixed(r->call->settings, made, report_renewal);
	keep(r, made, in_use);
	return settings_config(made);
}

int verb_run(struct call *call)
{
	struct renewal r = {.call = call, .request = call->request};

	/* What runs cannot change by a signal: neither the mode nor what it wants. */
	r.request.mode_given = true;
	r.request.mode = call->config->mode;
	r.request.report = report_renewal;

	int code = service_run(call->config, renew, &r);

	for (int i = 0; i < KEPT; i++)
		settings_free(r.kept[i]);
	return code;
}

int verb_drain(struct call *call)
{
	return service_drain(call->config);
}

int verb_books(struct call *call)
{
	return service_books(call->config);
}
