/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <sys/stat.h>

#include "ownership.h"
#include "plan.h"
#include "xb/why.h"

/* The node's own paths, as the pod's author wrote them: links are followed, which is what hostPath promises. */
static const struct host_type {
	const char *name;
	mode_t kind;
	bool create;
	const char *is_not;
} types[] = {
	{ "DirectoryOrCreate", S_IFDIR, true, "a directory" },
	{ "Directory", S_IFDIR, false, "a directory" },
	{ "FileOrCreate", S_IFREG, true, "a file" },
	{ "File", S_IFREG, false, "a file" },
	{ "Socket", S_IFSOCK, false, "a socket file" },
	{ "CharDevice", S_IFCHR, false, "a character device" },
	{ "BlockDevice", S_IFBLK, false, "a block device" },
};

static const struct host_type *type_of(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

static bool leads_back(const char *path)
{
	struct xb_sv rest = xb_sv(path), part;

	while (xb_sv_split(&rest, '/', &part))
		if (xb_sv_is(part, ".."))
			return true;
	return false;
}

int hostpath_plan(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why)
{
	struct xb_jv type = xb_jv_get(source, "type");

	p->path = xb_jv_dup(xb_jv_get(source, "path"));
	p->type = xb_jv_text(type).n ? xb_jv_dup(type) : NULL;
	p->make = hostpath_make;
	if (!p->path || (!p->type && xb_jv_text(type).n))
		return -ENOMEM;
	if (p->path[0] != '/' || leads_back(p->path))
		return xb_why(reterr_why, -EINVAL, "invalid HostPath `%s`: must be an absolute path without '..'", p->path);
	if (p->type && !type_of(p->type))
		return xb_why(reterr_why, -EINVAL, "hostPath type check failed: %s is an invalid volume type", p->type);
	return 0;
}

static int make_folders(const char *path)
{
	_cleanup_free_ char *prefix = strdup(path);

	if (!prefix)
		return -ENOMEM;
	for (char *end = prefix; *end;) {
		char saved;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		saved = *end;
		*end = '\0';
		if (mkdir(prefix, 0755) < 0 && errno != EEXIST)
			return -errno;
		*end = saved;
	}
	return 0;
}

static int make_missing(const struct volume_plan *p, const struct host_type *t)
{
	_cleanup_close_ int fd = -1;

	if (t->kind == S_IFDIR)
		return make_folders(p->path);
	fd = open(p->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd < 0 && errno != EEXIST ? -errno : 0;
}

int hostpath_make(int pod, const struct volume_plan *p, char **reterr_why)
{
	const struct host_type *t = p->type ? type_of(p->type) : NULL;
	struct stat st;
	int r = 0;

	if (!t)
		return 0;
	if (t->create && stat(p->path, &st) < 0 && errno == ENOENT)
		r = make_missing(p, t);
	if (r) {
		errno = -r;
		return xb_why(reterr_why, r, "cannot make %s: %m", p->path);
	}
	if (stat(p->path, &st) < 0 || (st.st_mode & S_IFMT) != t->kind)
		return xb_why(reterr_why, -ENOTDIR, "hostPath type check failed: %s is not %s", p->path, t->is_not);
	return 0;
}

int local_make(int pod, const struct volume_plan *p, char **reterr_why)
{
	_cleanup_close_ int dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0 && errno == ENOENT)
		return xb_why(reterr_why, -ENOENT, "path \"%s\" does not exist", p->path);
	if (dir < 0)
		return xb_why(reterr_why, -errno, "cannot open %s: %m", p->path);
	r = p->has_group ? ownership_give(dir, p->group, false, p->on_root_mismatch) : 0;
	errno = -r;
	return r ? xb_why(reterr_why, r, "cannot give %s to group %u: %m", p->path, p->group) : 0;
}
