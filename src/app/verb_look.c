/* verb_look.c - status, broker, and the two verbs of replay/ and demo. */
#include "app/demo.h"
#include "app/verb.h"
#include "base/file.h"
#include "base/log.h"
#include "kafka/client.h"
#include "kafka/embedded.h"
#include "replay/replay.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_BYTES = 64 * 1024, BROKER_PARTITIONS = 4 };

/* A daemon that was killed could not write that it ends. Its lock is not tried: one that starts
 * right now would find it taken. */
static void tell_stale(const char *text)
{
	const char *member = strstr(text, "\"pid\":");
	long pid = member ? strtol(member + 6, NULL, 10) : 0;

	if (pid > 0 && strstr(text, "\"running\":true") && kill((pid_t)pid, 0) && errno == ESRCH)
		log_warn("status.stale",
			"pid %ld, which wrote this, runs no more and did not end in order; committed rows "
			"are safe; start it again",
			pid);
}

static enum status show_status(const char *folder, struct why *why)
{
	char path[PATH_MAX], *text;
	size_t length;
	enum status s = file_join(folder, SERVICE_STATUS_FILE, path, sizeof path);

	if (s != STATUS_OK)
		return fail(why, s, "folder '%.100s...': the path is too long", folder);
	s = file_read(path, STATUS_BYTES, &text, &length, why);
	if (s != STATUS_OK)
		return s;
	printf("%s%s", text, length && text[length - 1] == '\n' ? "" : "\n");
	tell_stale(text);
	free(text);
	return STATUS_OK;
}

/* The services of the Debian package have a folder each below the usual one: a line each. The first failure's
 * status and reason; STATUS_NOT_FOUND: there is none. */
static enum status show_services(const char *folder, unsigned *shown, struct why *why)
{
	static const char *const names[] = {"produce", "consume"};
	enum status failed = STATUS_OK;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[PATH_MAX];
		struct why here;
		enum status s = file_join(folder, names[i], path, sizeof path);

		if (s == STATUS_OK)
			s = show_status(path, &here);
		else
			s = fail(&here, s, "folder '%.100s...': the path is too long", folder);
		if (s == STATUS_OK) {
			++*shown;
		} else if (s != STATUS_NOT_FOUND && failed == STATUS_OK) {
			failed = s;
			*why = here;
		}
	}
	return failed == STATUS_OK && !*shown ? STATUS_NOT_FOUND : failed;
}

int verb_status(struct call *call)
{
	const char *folder = call->config->state_dir;
	unsigned shown = 0;
	struct why why;
	enum status s = show_status(folder, &why);

	if (s == STATUS_NOT_FOUND)
		s = show_services(folder, &shown, &why);
	if (s == STATUS_NOT_FOUND) {
		log_error("status.none",
			"no daemon has written '%s/" SERVICE_STATUS_FILE
			"'; start `scorebox produce`, `consume` or `both`, or "
			"name its folder in SCOREBOX_STATE_DIR",
			folder);
		return EXIT_PEER;
	}
	if (s != STATUS_OK) {
		log_error("status.unread", "%s; %s", why.text,
			shown ? "only the other service's status is shown" : "nothing is shown");
		return EXIT_STORAGE;
	}
	return fflush(stdout) ? EXIT_STORAGE : EXIT_DONE;
}

int verb_demo(struct call *call)
{
	return demo_main(call->argc, call->argv);
}

int verb_serve(struct call *call)
{
	return replay_serve_main(call->argc, call->argv);
}

/* The cluster's threads must not take the signals that end us: they are blocked before it
 * starts. */
int verb_broker(struct call *call)
{
	unsigned partitions = call->options.partitions ? call->options.partitions
						       : BROKER_PARTITIONS;
	const char *topic = call->options.topic ? call->options.topic : "cricket-live-data";
	struct embedded *embedded;
	struct why why;
	sigset_t ends;
	int signal_number;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	if (kafka_check_topic(topic, &why) != STATUS_OK)
		return usage_error("broker: --topic: %s", why.text);
	if (embedded_open(&embedded, 1, partitions, topic, &why) != STATUS_OK) {
		log_error("broker.failed", "%s; nothing was started", why.text);
		return EXIT_INTERNAL;
	}
	printf("%s\n", embedded_bootstrap(embedded));
	fflush(stdout);
	log_warn("broker.memory",
		"this embedded broker keeps nothing: its records are gone when it ends, and beyond "
		"5 MiB a partition the oldest go silently; for demo and tests only");
	sigwait(&ends, &signal_number);
	embedded_close(embedded);
	return EXIT_DONE;
}
