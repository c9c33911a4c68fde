/* fault_vfs.h - a layer over SQLite's own VFS whose n-th changing operation (create, write, sync, truncate,
 * delete) fails, or at which the power goes out. Files are real; what was written since the last sync is
 * known, so that a power cut can lose it, keep parts of it, or tear it. */
#pragma once
#include <stdbool.h>

enum fault {
	FAULT_NONE,  /* counts operations */
	FAULT_IO,    /* the operation fails with an I/O error */
	FAULT_FULL,  /* no space left; for sync: an I/O error */
	FAULT_POWER, /* nothing works from here on; then fault_vfs_reboot() */
};
enum survival {
	SURVIVES_NOTHING, /* only what was synced */
	SURVIVES_SOME,	  /* each write by chance, in any combination */
	SURVIVES_TORN,	  /* as SOME, and some writes only in part */
	SURVIVES_ALL,
};

void fault_vfs_install(void); /* as the default VFS, once */
/* `at` counts from 1; `sticky`: every operation from then on. */
void fault_vfs_arm(enum fault fault, int at, bool sticky);
bool fault_vfs_fired(void);
int fault_vfs_operations(void);
/* After a power cut and once all files are closed: puts on the disk what survives, and disarms. */
void fault_vfs_reboot(enum survival survival, unsigned seed);
void fault_vfs_forget(void); /* of which writes were not synced: between scenarios */
