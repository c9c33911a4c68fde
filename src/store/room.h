/* room.h - how much of the card a store may use; private to store/. The stated cap is shared among
 *
 *	cap = database pages | write-ahead log | ballast
 *
 * so that the sum on the card never exceeds it, and so that rows can still be deleted when the card is
 * full: a deletion writes to the log before it frees anything. When the card (not our cap) is full, the
 * ballast file is given up, and the database may grow no further until there is room for it again. */
#pragma once
#include "store/database.h"

struct room {
	uint64_t cap; /* the effective figure */
	uint64_t ballast_bytes;
	uint64_t commit_bytes;	   /* rows staged in one commit */
	uint64_t log_bytes;	   /* what the log may hold */
	unsigned checkpoint_pages; /* log length at which it is moved into the database */
	int64_t max_pages;
	int64_t pages, free_pages; /* of the database, as of room_refresh */
	bool card_full;		   /* ballast given up */
};

/* `cap` becomes at most 1/share of the file system. `log_share`: the log gets at least 1/log_share of the cap
 * (0: what commits need), for where readers may keep it from beginning anew. */
enum status room_setup(struct room *r, struct database *d, uint64_t cap, unsigned share,
	unsigned log_share, struct why *why) MUST_CHECK;
/* Asks SQLite for pages and free_pages; right within a transaction too. */
enum status room_refresh(struct room *r, struct database *d, struct why *why) MUST_CHECK;
int64_t room_pages_left(const struct room *r);
uint64_t room_used_bytes(const struct room *r);
/* What the database itself may use: the cap less log and ballast; less where the card is full. */
uint64_t room_most_bytes(const struct room *r);
/* Pages that a row of this length takes, with its share of inner pages. */
int64_t room_pages_for(uint64_t bytes);
/* The log is longer than its share: a reader keeps it. */
bool room_log_is_long(const struct room *r, const struct database *d);
/* After STATUS_FULL from SQLite: gives up the ballast. */
void room_card_is_full(struct room *r, struct database *d);
/* Takes the ballast back when the card has room again; does nothing otherwise. */
void room_look_again(struct room *r, struct database *d);
