/* login.h - private to feed/: the login that HTTP carries in a header. */
#pragma once

/* "Basic ..." of RFC 7617 for the Authorization header, the caller's to wipe and free; NULL: no memory. What
 * follows "Basic " is registered as a secret of the log. */
char *login_basic(const char *user, const char *secret);
