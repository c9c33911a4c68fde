/* verb_run.c - the verbs that run the services, and the settings read anew on SIGHUP. */
#include "app/verb.h"

#include "base/log.h"

/* The service's threads borrow the first settings for good, and renewed ones until they asked
 * again and got others: so the last two renewed sets are kept. */
struct renewal {
	const struct call *call;
	struct settings_request request;
	struct settings *current, *before;
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

static const struct config *renew(void *context)
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
	settings_free(r->before);
	r->before = r->current;
	r->current = made;
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

	settings_free(r.current);
	settings_free(r.before);
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
