/* pump.h - takes rows from the spool to Kafka: feeds the publisher's small window, frees what was
 * acknowledged, begins again from the oldest undelivered row after any failure. One thread; the loop's
 * callbacks drive it. */
#pragma once
#include "base/loop.h"
#include "kafka/publisher.h"
#include "service/config.h"
#include "service/health.h"
#include "store/spool.h"

struct pump;

/* `source` is ce_source, copied. The spool is lent and must outlive the pump. */
enum status pump_open(struct pump **out, struct loop *loop, struct spool *spool,
	const struct kafka_settings *kafka, const char *source, struct health *health,
	struct why *why) MUST_CHECK;
void pump_close(struct pump *p); /* what was acknowledged is freed; NULL is fine */

/* Rows stay in the spool until pump_frame. Call before the loop turns. */
void pump_hold(struct pump *p);
/* Rows go out, from now on framed with this schema's id. */
void pump_frame(struct pump *p, uint32_t schema_id);
/* Another name and password, from the next login at Kafka on. */
enum status pump_login(struct pump *p, const char *username, const char *password) MUST_CHECK;
/* New rows are visible: feed now. */
void pump_kick(struct pump *p);
/* Feeds no further row; what is out may still be acknowledged. */
void pump_finish(struct pump *p);
unsigned pump_out(const struct pump *p);
bool pump_empty(const struct pump *p); /* nothing waits in the spool and nothing is out */
uint64_t pump_delivered(const struct pump *p);
/* The spool's handle is dead: STATUS_IO or STATUS_FATAL of one of its calls, with the reason. */
enum status pump_trouble(const struct pump *p, struct why *why);
