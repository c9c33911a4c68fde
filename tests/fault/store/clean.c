#include "scenario.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

void scenario_clean(const char *folder)
{
	DIR *d = opendir(folder);
	char name[PATH_MAX];

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		if (e->d_name[0] != '.' &&
			snprintf(name, sizeof name, "%s/%s", folder, e->d_name) < PATH_MAX)
			unlink(name);
	if (d)
		closedir(d);
}
