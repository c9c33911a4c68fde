/* stick_file.h - scorebox-status.txt on the USB stick, for a person without a screen. Written by an errand: a stick
 * may take its time. CR LF, since it is opened in Notepad. */
#pragma once
#include "board/pipe_lines.h"
#include "board/places.h"
#include "base/status.h"

enum { STICK_LOG_LINES = 50 };

struct stick_file {
	const struct places *places;
	const char *screen;	 /* text of the status screen */
	const char *status_path; /* of the daemon's status.json */
	const struct log_tail *tail;
};

/* Beside its name, synced, then renamed; no symbolic link is followed. STATUS_NOT_FOUND: no stick is mounted;
 * STATUS_DENIED, _FULL, _IO: it cannot be written. */
enum status stick_file_write(const struct stick_file *f, struct why *why) MUST_CHECK;
/* STATUS_NOT_FOUND unless `folder` itself is where something is mounted; then *fd is the folder there. */
enum status stick_folder_open(int *out_fd, const char *folder, struct why *why) MUST_CHECK;
