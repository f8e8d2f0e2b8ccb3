/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/stat.h>

#include "layer.h"
#include "needed.h"
#include "tar.h"
#include "xb/file.h"
#include "xb/why.h"
#include "../xalloc.h"

#define FILE_BYTES_MAX (256 << 20)

struct layer {
	struct xb_buf tar;
	struct xb_map *paths;           /* those that are in it */
};

struct layer *layer_new(void)
{
	struct layer *l = xalloc(calloc(1, sizeof(*l)));

	l->paths = xalloc(xb_map_new(XB_MAP_COPY));
	return l;
}

struct layer *layer_free(struct layer *l)
{
	if (!l)
		return NULL;
	xb_map_free(l->paths);
	xb_buf_done(&l->tar);
	free(l);
	return NULL;
}

static bool has(const struct layer *l, const char *path)
{
	return xb_map_get(l->paths, xb_sv(path));
}

/* The folders above path, then path itself, are in it from now on. */
static int enter(struct layer *l, const char *path, char **reterr_why)
{
	_cleanup_free_ char *p = xalloc(strdup(path));
	int r = 0;

	for (char *slash = p; !r && (slash = strchr(slash + 1, '/')); *slash = '/') {
		*slash = '\0';
		if (!has(l, p))
			r = layer_folder(l, p, 0755, reterr_why);
	}
	return r ? r : xb_map_set(l->paths, xb_sv(path), l, NULL);
}

static int told(int r, const char *path, char **reterr_why)
{
	return r ? xb_why(reterr_why, r, "'%s' cannot be in an image: %s", path, strerror(-r)) : 0;
}

int layer_folder(struct layer *l, const char *path, unsigned mode, char **reterr_why)
{
	int r = enter(l, path, reterr_why);

	return r ? r : told(tar_folder(&l->tar, path + 1, mode), path, reterr_why);
}

int layer_text(struct layer *l, const char *path, const char *text, char **reterr_why)
{
	int r = enter(l, path, reterr_why);

	return r ? r : told(tar_file(&l->tar, path + 1, 0644, xb_sv(text)), path, reterr_why);
}

int layer_link(struct layer *l, const char *path, const char *to, char **reterr_why)
{
	int r = enter(l, path, reterr_why);

	return r ? r : told(tar_link(&l->tar, path + 1, to), path, reterr_why);
}

int layer_copy(struct layer *l, const char *path, const char *from, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	struct stat st;
	int r;

	if (has(l, path))
		return 0;
	r = stat(from, &st) < 0 ? -errno : xb_file_read(from, FILE_BYTES_MAX, &bytes);
	if (r)
		return xb_why(reterr_why, r, "cannot read '%s': %s", from, strerror(-r));
	r = enter(l, path, reterr_why);
	return r ? r : told(tar_file(&l->tar, path + 1, st.st_mode & 0755, xb_buf_sv(&bytes)), path, reterr_why);
}

struct program {
	struct layer *layer;
	char **reterr_why;
};

static int add_needed(void *arg, const char *path)
{
	const struct program *p = arg;

	return has(p->layer, path) ? 0 : layer_program(p->layer, path, path, p->reterr_why);
}

int layer_program(struct layer *l, const char *path, const char *from, char **reterr_why)
{
	struct program p = { l, reterr_why };
	int r = layer_copy(l, path, from, reterr_why);

	return r ? r : needed_each(from, add_needed, &p, reterr_why);
}

int layer_end(struct layer *l, struct xb_sv *ret)
{
	tar_end(&l->tar);
	*ret = xb_buf_sv(&l->tar);
	return l->tar.err;
}
