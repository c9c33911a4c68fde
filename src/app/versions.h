/* versions.h - private to app/: made by the build. */
#pragma once
extern const char version_of_program[];
extern const char versions_of_libraries[];	/* "name version" lines */
