/* settings_registry.c - what must fit together where values are framed with a schema registry's ids. */
#include "app/settings_private.h"

#include <string.h>
#include <strings.h>

static bool is_local(const char *url)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "[::1]"};
	const char *host = url + strlen("http://");

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		size_t length = strlen(hosts[i]);

		if (!strncasecmp(host, hosts[i], length) && strchr(":/", host[length]))
			return true;
	}
	return false;
}

static void in_the_clear(struct loading *l)
{
	const struct config *c = &l->made->config;

	if (*c->registry_key)
		loading_wrong(l,
			"SCOREBOX_SCHEMA_REGISTRY_URL begins with http://: the login would go over the network in the clear; use https, or a registry without a login");
	else if (!is_local(c->registry_url))
		loading_warn(l,
			"SCOREBOX_SCHEMA_REGISTRY_URL begins with http://: whoever stands between could give another schema's id; keep registry and board in one network of your own, or use https");
	if (*c->registry_ca_file)
		loading_wrong(l,
			"SCOREBOX_SCHEMA_REGISTRY_CA_FILE is set, but SCOREBOX_SCHEMA_REGISTRY_URL has no TLS; use https, or unset this");
}

void settings_check_registry(struct loading *l)
{
	static const char *const names[] = {"SCOREBOX_SCHEMA_REGISTRY_KEY",
		"SCOREBOX_SCHEMA_REGISTRY_SECRET", "SCOREBOX_SCHEMA_REGISTRY_CA_FILE"};
	const struct config *c = &l->made->config;
	const char *const values[] = {c->registry_key, c->registry_secret, c->registry_ca_file};

	if (loading_bad(l, "SCOREBOX_SCHEMA_REGISTRY_URL"))
		return;
	for (size_t i = 0; !*c->registry_url && i < sizeof names / sizeof *names; i++)
		if (*values[i])
			loading_wrong(l,
				"%s is set, but SCOREBOX_SCHEMA_REGISTRY_URL is not; set that, or unset this",
				names[i]);
	if (*c->registry_url && !*c->registry_key != !*c->registry_secret &&
		!loading_bad(l, names[0]) && !loading_bad(l, names[1]))
		loading_wrong(l, "%s and %s go together; set both or none", names[0], names[1]);
	if (!strncasecmp(c->registry_url, "http://", 7))
		in_the_clear(l);
}
