#include "app/stick.h"

#include <dirent.h>
#include <grp.h>
#include <limits.h>
#include <mntent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct stick_places stick_places = {FILE_MOUNTINFO, "/dev/disk/by-uuid", "/etc/fstab"};

void stick_find_user(struct stick_user *out)
{
	const struct passwd *found = getpwnam("scorebox");

	*out = (struct stick_user){.uid = geteuid(), .groups = {getegid()}, .group_count = 1};
	if (!found)
		found = getpwuid(out->uid);
	if (!found) {
		snprintf(out->name, sizeof out->name, "%u", (unsigned)out->uid);
		return;
	}
	snprintf(out->name, sizeof out->name, "%s", found->pw_name);
	out->uid = found->pw_uid;
	out->group_count = STICK_GROUPS;
	if (getgrouplist(out->name, found->pw_gid, out->groups, &out->group_count) < 0) {
		out->groups[0] = found->pw_gid;
		out->group_count = 1;
	}
}

/* ---- may it write ---- */

/* `bits` are those of others: 1 to go through, 3 to write there as well. */
static bool allowed(const struct stat *st, const struct stick_user *user, mode_t bits)
{
	if (user->uid == 0)
		return true;
	if (st->st_uid == user->uid)
		return (st->st_mode >> 6 & bits) == bits;
	for (int i = 0; i < user->group_count; i++)
		if (st->st_gid == user->groups[i])
			return (st->st_mode >> 3 & bits) == bits;
	return (st->st_mode & bits) == bits;
}

/* Every folder on the way lets the user through, and the last one that exists lets it write. */
static bool may_write(const char *path, const struct stick_user *user)
{
	char part[PATH_MAX];
	struct stat st, last;
	bool through = stat("/", &last) == 0;

	for (const char *end = path; through && *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
		if (stat(part, &st) != 0)
			break;
		through = allowed(&last, user, 1);
		last = st;
	}
	return through && allowed(&last, user, 3);
}

/* ---- the line ---- */

static const struct {
	const char *type, *written, *options;
} kinds[] = {
	{"vfat", "vfat", ",umask=022,utf8,flush"},
	{"exfat", "exfat", ",umask=022"},
	{"ntfs3", "ntfs3", ",umask=022"},
	{"fuseblk", "auto", ",umask=022"},
};
enum { KINDS = sizeof kinds / sizeof *kinds, VFAT = 0 };

static size_t kind_of(const char *type)
{
	size_t i = 0;

	while (i < KINDS && strcmp(kinds[i].type, type) != 0)
		i++;
	return i;
}

/* UUID=..., else the device itself; false where it is none, as with a share of the network. */
static bool device_of(const char *source, const char *by_uuid, char *out, size_t out_bytes)
{
	char real[PATH_MAX], link[PATH_MAX], target[PATH_MAX];
	DIR *folder = opendir(by_uuid);

	if (*source != '/' || !realpath(source, real))
		*real = '\0';
	snprintf(out, out_bytes, "%s", *source == '/' ? source : "");
	for (const struct dirent *e; folder && *real && (e = readdir(folder));) {
		if (snprintf(link, sizeof link, "%s/%s", by_uuid, e->d_name) < (int)sizeof link &&
			realpath(link, target) && strcmp(target, real) == 0)
			snprintf(out, out_bytes, "UUID=%s", e->d_name);
	}
	if (folder)
		closedir(folder);
	return *out;
}

/* A path of fstab(5): blanks as \040. */
static void print_escaped(const char *path, char *out, size_t out_bytes)
{
	size_t used = 0;

	for (; *path && used + 5 < out_bytes; path++)
		used += (size_t)snprintf(out + used, out_bytes - used,
			*path == ' ' || *path == '\\' ? "\\%03o" : "%c", (unsigned char)*path);
	out[used] = '\0';
}

static void make_line(struct stick *s, const char *by_uuid)
{
	char device[300] = "UUID=XXXX-XXXX", point[200], owner[80] = "";
	size_t kind = s->attached ? kind_of(s->mount.type) : VFAT;

	s->keeps_owners = kind == KINDS;
	if (s->attached && !device_of(s->mount.source, by_uuid, device, sizeof device))
		return;
	if (!s->attached && !s->wanted)
		return;
	print_escaped(s->attached ? s->mount.point : s->folder, point, sizeof point);
	if (!s->keeps_owners)
		snprintf(owner, sizeof owner, "uid=%s,gid=%s", s->user.name, s->user.name);
	snprintf(s->line, sizeof s->line,
		"%s %s %s %s%s,noatime,nofail,x-systemd.device-timeout=10s 0 %d", device, point,
		s->keeps_owners ? s->mount.type : kinds[kind].written,
		s->keeps_owners ? "defaults" : owner, s->keeps_owners ? "" : kinds[kind].options,
		s->keeps_owners ? 2 : 0);
}

/* Not every C library takes the escapes out. */
static bool stands_in(const char *fstab, const char *point)
{
	char escaped[PATH_MAX];
	FILE *f = setmntent(fstab, "re");
	bool found = false;

	print_escaped(point, escaped, sizeof escaped);
	for (const struct mntent *e; f && !found && (e = getmntent(f));)
		found = strcmp(e->mnt_dir, point) == 0 || strcmp(e->mnt_dir, escaped) == 0;
	if (f)
		endmntent(f);
	return found;
}

void stick_look(const char *folder, const struct stick_user *user,
	const struct stick_places *places, struct stick *out)
{
	*out = (struct stick){.folder = folder, .user = *user};
	out->wanted = file_is_removable_place(folder);
	out->attached = file_mount_of(folder, places->mountinfo, &out->mount);
	out->may_write = may_write(folder, user);
	out->in_fstab = stands_in(places->fstab, out->attached ? out->mount.point : folder);
	make_line(out, places->by_uuid);
}

void stick_print(const struct stick *s, FILE *out)
{
	const char *name = s->user.name;
	bool missing = s->wanted && !s->attached;

	fprintf(out, "  workbooks in '%s'", s->folder);
	if (s->attached)
		fprintf(out, ", %s on %s", s->mount.type, s->mount.source);
	if (missing)
		fputs(": nothing is mounted there now", out);
	else
		fprintf(out, ": the user %s %s write there", name,
			s->may_write ? "may" : "may NOT");
	fputc('\n', out);
	if (!missing && !s->may_write && (!s->attached || s->keeps_owners))
		fprintf(out, "    give it the folder: chown %s: '%s'\n", name, s->folder);
	if (!*s->line || (s->in_fstab && (missing || s->may_write || s->keeps_owners)))
		return;
	fprintf(out, "    %s /etc/fstab, so that %s%s at each boot, which does not wait for it:\n",
		s->in_fstab ? "in the place of its line in" : "a line for",
		s->keeps_owners ? "it is mounted" : "it is mounted for ",
		s->keeps_owners ? "" : name);
	fprintf(out, "      %s\n", s->line);
	if (missing)
		fputs("      (lsblk -f tells the stick's UUID and its file system)\n", out);
}
