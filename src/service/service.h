/* service.h - the verbs that run: produce, consume, both, and books. Each opens in order, loops, closes in
 * reverse; returns an exit code (0 done, 69 a peer could not be reached, 70 internal, 74 storage, 75 another
 * instance runs here, 78 settings or fenced). SIGTERM and SIGINT end them within 10 s. */
#pragma once
#include "service/config.h"

enum {
	EXIT_DONE = 0,
	EXIT_WRONG_USAGE = 64,
	EXIT_PEER = 69,
	EXIT_INTERNAL = 70,
	EXIT_STORAGE = 74,
	EXIT_INSTANCE = 75,
	EXIT_SETTINGS = 78,
};

/* On SIGHUP the service asks for the settings anew (NULL or failing: it goes on with the old ones and says
 * so). A returned config stays valid until a later call that succeeds and names another one as being in use;
 * the one in use may be of any age, since new ones may be no good. */
typedef const struct config *service_reload(void *context, const struct config *in_use);

int service_run(const struct config *config, service_reload *reload,
	void *reload_context); /* by config->mode */
/* Rebuilds all workbooks from the journal without Kafka. */
int service_books(const struct config *config);
/* `spool drain`: empties the spool to Kafka without polling. */
int service_drain(const struct config *config);

/* Paths below the state folder, for verbs that look into them. */
#define SERVICE_SPOOL_FILE   "spool.db"
#define SERVICE_JOURNAL_FILE "journal.db"
#define SERVICE_STATUS_FILE  "status.json"

/* The spool's effective cap: the setting, at most a quarter of the partition. The journal's: at most half. */
uint64_t service_spool_cap(const struct config *config);
uint64_t service_journal_cap(const struct config *config);
