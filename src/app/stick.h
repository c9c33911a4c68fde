/* stick.h - private to app/: who may write to the folder of the workbooks, and the line of /etc/fstab with which
 * the daemon's user may. Nothing is written, and nothing is mounted. */
#pragma once
#include "base/file.h"
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

enum { STICK_GROUPS = 32 };
struct stick_user {
	char name[33];
	uid_t uid;
	gid_t groups[STICK_GROUPS]; /* its own first */
	int group_count;
};

/* Where to look; tests look elsewhere. */
struct stick_places {
	const char *mountinfo, *by_uuid, *fstab;
};
extern const struct stick_places stick_places;

struct stick {
	const char *folder; /* lent */
	struct stick_user user;
	bool wanted;   /* a place for sticks, /media and the like */
	bool attached; /* something is mounted there: `mount` */
	struct file_mount mount;
	bool own; /* the user is who runs this: the kernel was asked. Else mode bits were read */
	bool may_write;	   /* as far as that tells */
	bool in_fstab;	   /* what is attached there, or would be */
	bool network;	   /* owners and rights are its server's matter */
	bool keeps_owners; /* its file system knows owners; else the mount's options decide */
	bool moved;	 /* the user cannot reach where it is attached: `point` is another place */
	char point[200]; /* where the line has it */
	char line[600];	 /* for /etc/fstab; "" where none would help */
};

/* The user scorebox where there is one, for that is whom the services run as; else who runs this. */
void stick_find_user(struct stick_user *out);
void stick_look(const char *folder, const struct stick_user *user,
	const struct stick_places *places, struct stick *out);
/* A line or some for `check`. */
void stick_print(const struct stick *s, FILE *out);
/* The package's services write to few places. True: not there, as they come; says what they want. */
bool stick_shut_out(const struct stick *s, char *out, size_t out_bytes);
