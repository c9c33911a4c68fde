/* notify.h - tells the service manager how we are (the protocol of sd_notify(3): datagrams to
 * $NOTIFY_SOCKET). Without that variable every call does nothing. */
#pragma once
#include <stdint.h>

void notify_ready(void);
void notify_stopping(void);
void notify_reloading(void);
void notify_status(const char *text);
/* The manager wants a sign of life at least this often (half of $WATCHDOG_USEC); 0: it wants none. */
int64_t notify_watchdog_ms(void);
void notify_alive(void);
