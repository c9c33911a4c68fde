/* check.c - the verb `check`: what counts, what it costs, what it allows. Wrong settings never
 * come here: they were all reported while they were read. */
#include "app/check.h"

#include "app/verb.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "service/poller.h"
#include "store/spool.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

static enum status read_note(
	const struct config *config, const char *path, char *out, size_t out_bytes)
{
	static const uint8_t no_run[RUN_BYTES];
	struct spool_opening opening;
	struct spool *spool;
	struct why why;
	enum status s = spool_open(&spool, path, service_spool_cap(config), config->spool_full,
		no_run, &opening, &why);

	if (s != STATUS_OK) {
		log_warn("spool.unread", "%s; the poller's memory is not shown", why.text);
		return s;
	}
	if (*opening.set_aside)
		log_error("spool.damaged",
			"the spool was damaged and is set aside as '%s'; what waited in it was not "
			"sent; a new one is begun",
			opening.set_aside);
	s = spool_note_get(spool, POLLER_PACE_NOTE, out, out_bytes, &why);
	spool_close(spool);
	return s;
}

bool check_pace(const struct config *config, struct pace *out)
{
	char path[PATH_MAX], note[512];
	struct why why;
	pid_t holder;
	int lock;

	pace_init(out);
	if (file_join(config->state_dir, SERVICE_SPOOL_FILE, path, sizeof path) != STATUS_OK ||
		access(path, R_OK | W_OK) != 0 ||
		file_lock_instance(config->state_dir, &lock, &holder, &why) != STATUS_OK)
		return false;

	enum status s = read_note(config, path, note, sizeof note);

	close(lock);
	if (s == STATUS_OK)
		pace_load(out, note);
	return s == STATUS_OK && out->hits_limit > 0;
}

static void print_budget_line(void *context, const char *line)
{
	fprintf(context, "  %s\n", line);
}

static void print_budget(const struct config *config)
{
	struct budget budget;
	struct why why;

	printf("\nMemory\n");
	if (settings_budget(config, &budget, &why) == STATUS_OK)
		budget_print(&budget, print_budget_line, stdout);
}

static void print_block(const struct pace *pace)
{
	char until[CLOCK_TEXT_BYTES];

	if (pace->blocked_until_us <= clock_wall_us())
		return;
	clock_format(pace->blocked_until_us, 0, until);
	printf("  blocked by the API until %s (%s); it is not asked before\n", until,
		pace->blocked_why);
}

static void print_pace(const struct config *config, const struct pace *pace, bool known)
{
	printf("\nPolling\n");
	if (!config->poll_auto) {
		printf("  every %lld ms, whatever the quota says; a block or Retry-After is obeyed\n",
			(long long)config->poll_fixed_ms);
	} else if (known) {
		printf("  %lld hits a day, %u page%s a sweep: %u sweeps a day\n",
			(long long)pace->hits_limit, pace->pages_per_sweep,
			pace->pages_per_sweep == 1 ? "" : "s", pace_sweeps_per_day(pace));
	} else {
		printf("  not polled here yet; the free plan's 100 hits a day at 2 to 5 pages a sweep are 20 to 50 "
		       "sweeps a day\n");
	}
	print_block(pace);
}

/* The settings are ceilings; the partition may allow less. */
static void print_storage(const struct config *config)
{
	printf("\nStorage\n");
	if (config->mode != MODE_CONSUME)
		printf("  spool at most %llu MiB\n",
			(unsigned long long)service_spool_cap(config) >> 20);
	if (config->mode != MODE_PRODUCE)
		printf("  journal at most %llu MiB\n",
			(unsigned long long)service_journal_cap(config) >> 20);
}

static void warn_embedded(const struct config *config)
{
	if (config->kafka_embedded)
		log_warn("kafka.embedded",
			"SCOREBOX_KAFKA_BROKERS=embedded keeps nothing: all records are gone with the "
			"process; for demo and tests only; name a real broker");
}

int verb_check(struct call *call)
{
	const struct config *config = call->config;
	struct pace pace;
	bool known = check_pace(config, &pace);
	int code = EXIT_DONE;

	printf("Settings\n");
	settings_print_effective(call->settings, stdout);
	print_budget(config);
	print_storage(config);
	if (config->mode != MODE_CONSUME)
		print_pace(config, &pace, known);
	fflush(stdout);
	warn_embedded(config);
	if (call->options.online)
		code = check_online(config, &pace, stdout);
	else
		printf("\nThe settings are right. `scorebox check --online` tries the peers and the storage.\n");
	return fflush(stdout) ? EXIT_STORAGE : code;
}
