/* scenario.h - a season in small: what the poller, the publisher and the consumer do with the stores, with a
 * ledger of what was confirmed to them. It carries on as the services do: a page that fails is aborted,
 * a dead handle is closed. Afterwards, on sound hardware, the ledger is compared with what is there. */
#pragma once

/* Each plays in `folder` and leaves everything closed. */
void spool_scenario(const char *folder);
void spool_scenario_check(const char *folder, const char *what);
void journal_scenario(const char *folder);
void journal_scenario_check(const char *folder, const char *what);
void scenario_clean(const char *folder);
