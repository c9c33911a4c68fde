/* check.c - the verb `check`: what counts, what it costs, what it allows. Wrong settings never
 * come here: they were all reported while they were read. */
#include "app/check.h"

#include "app/stick.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/log.h"
#include "service/service.h"

#include <string.h>

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

static void print_stick(const char *folder)
{
	struct stick_user user;
	struct stick stick;

	stick_find_user(&user);
	stick_look(folder, &user, &stick_places, &stick);
	stick_print(&stick, stdout);
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
	if (*config->output_dir)
		print_stick(config->output_dir);
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
		code = check_online(config, &pace, &call->options, stdout);
	else
		printf("\nThe settings are right. `scorebox check --online` tries the peers and the storage.\n");
	return fflush(stdout) ? EXIT_STORAGE : code;
}
