/* framing.h - keeps the id of the schema with which values are framed: asks the schema registry in the
 * background, remembers what it said in the spool's database, by registry and subject.
 *
 *	no id yet ──────────► rows wait in the spool; asked again after 1 s … 5 min until there is one
 *	an id of before ────► rows go out with it at once; the registry is asked whether there is a newer one
 *
 * A registry that is away, refuses, or was emptied never loses a row, and never stops a box that once knew. */
#pragma once
#include "service/parts.h"
#include "store/spool.h"

struct framing_calls {
	void *context;
	/* Frame with this schema's id from now on; also from within framing_open. */
	void (*on_schema)(void *context, uint32_t id);
	void (*on_trouble)(
		void *context, enum status s, const struct why *why); /* the spool is dead */
};

struct framing;
/* Registry and topic are those of parts->config; the login and the authorities those of `config`, which is
 * the newest. Loop and spool are lent. STATUS_IO, STATUS_FATAL: the spool is dead. */
enum status framing_open(struct framing **out, struct loop *loop, struct spool *spool,
	const struct parts *parts, const struct config *config, const struct framing_calls *calls,
	struct why *why) MUST_CHECK;
void framing_close(struct framing *f); /* NULL is fine */
/* Login and authorities read anew; asks at once whether there is a newer schema. */
void framing_renew(struct framing *f, const struct config *config);
