/* demo_folder.h - private to app/: ./scorebox-demo/, where the demo leaves its workbooks. */
#pragma once
#include "base/status.h"

#define DEMO_FOLDER "scorebox-demo"
#define DEMO_STATE  DEMO_FOLDER "/.state"
#define DEMO_LOG    DEMO_FOLDER "/demo.log"
#define DEMO_CA	    DEMO_STATE "/api-ca.pem"

/* Makes the folder, or takes what an earlier demo left out of it: workbooks of its match, its
 * index, its log and its state; nothing else. STATUS_DENIED: the folder is there and no demo made
 * it. */
enum status demo_folder_prepare(struct why *why) MUST_CHECK;
/* Calls `call` with the path of each workbook, the match's before Matches.xlsx; returns how
 * many. */
unsigned demo_folder_books(void (*call)(void *context, const char *path), void *context);
