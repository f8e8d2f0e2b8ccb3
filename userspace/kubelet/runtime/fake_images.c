/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "fake.h"
#include "xb/time.h"

#define IMAGE_BYTES 1000000

struct xb_sv fake_image_last_part(const char *name)
{
	struct xb_sv rest = xb_sv(name), part = {};

	while (xb_sv_split(&rest, '/', &part))
		;
	rest = part;
	xb_sv_split(&rest, '@', &part);
	rest = part;
	xb_sv_split(&rest, ':', &part);
	return part;
}

/* As containerd names it: with a registry and a tag. NULL without memory. */
static char *full_name(const char *name)
{
	struct xb_sv rest = xb_sv(name), first = {};
	const char *last = strrchr(name, '/'), *tag = strpbrk(last ? last : name, ":@") ? "" : ":latest";
	bool registry;
	char *full;

	xb_sv_split(&rest, '/', &first);
	registry = rest.p && (memchr(first.p, '.', first.n) || memchr(first.p, ':', first.n) || xb_sv_is(first, "localhost"));
	if (asprintf(&full, "%s%s%s%s", registry ? "" : "docker.io/", registry || rest.p ? "" : "library/", name, tag) < 0)
		return NULL;
	return full;
}

static bool is_there(const char *name)
{
	return !xb_sv_is(fake_image_last_part(name), "not-found");
}

/* Of the name, so that two kubelets say the same of one image. */
char *fake_image_id(struct fake_turn *t, const char *name)
{
	_cleanup_free_ char *full = full_name(name);
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (const char *p = full; p && *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return xb_arena_printf(t->arena, "sha256:%016lx%016lx%016lx%016lx", h, h * 3, h * 5, h * 7);
}

int fake_image_use(struct fake *f, const char *name)
{
	_cleanup_free_ char *full = full_name(name);

	if (!is_there(name))
		return -ENOENT;
	if (!full)
		return -ENOMEM;
	for (size_t i = 0; i < f->images.n; i++)
		if (!strcmp(f->images.v[i], full))
			return 0;
	if (xb_vec_push(&f->images, full))
		return -ENOMEM;
	full = NULL;
	return 0;
}

static Runtime__V1__Image *image_of(struct fake_turn *t, const char *name)
{
	_cleanup_free_ char *full = full_name(name);
	Runtime__V1__Image *image = FAKE_NEW(t, Image, IMAGE);
	const char *at = full ? strchr(full, '@') : NULL;
	char **names = xb_arena_alloc(t->arena, sizeof(*names));

	if (!image || !names || !full)
		return NULL;
	names[0] = fake_copy(t, full);
	image->id = fake_image_id(t, name);
	image->size = IMAGE_BYTES;
	if (at) {
		image->repo_digests = names;
		image->n_repo_digests = 1;
	} else {
		image->repo_tags = names;
		image->n_repo_tags = 1;
	}
	return image->id ? image : NULL;
}

/* The image that was pulled or used and has this name or ID; NULL for none. */
static char **find_image(struct fake_turn *t, const char *name)
{
	_cleanup_free_ char *full = full_name(name);

	for (size_t i = 0; i < t->f->images.n; i++) {
		const char *id = fake_image_id(t, t->f->images.v[i]);

		if ((full && !strcmp(full, t->f->images.v[i])) || (id && !strcmp(id, name)))
			return &t->f->images.v[i];
	}
	return NULL;
}

int fake_list_images(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__ListImagesRequest *q = request;
	const char *wanted = q->filter && q->filter->image ? q->filter->image->image : "";
	char **only = wanted[0] ? find_image(t, wanted) : NULL;
	Runtime__V1__ListImagesResponse *reply = to;

	reply->images = xb_arena_alloc(t->arena, (t->f->images.n + 1) * sizeof(void *));
	for (size_t i = 0; i < t->f->images.n; i++) {
		Runtime__V1__Image *image = image_of(t, t->f->images.v[i]);

		if (!image || !reply->images)
			return fake_no_memory(t);
		if (!wanted[0] || only == &t->f->images.v[i])
			reply->images[reply->n_images++] = image;
	}
	return XB_GRPC_OK;
}

int fake_image_status(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__ImageStatusRequest *q = request;
	Runtime__V1__ImageStatusResponse *reply = to;
	char **found;

	if (!q->image || !is_there(q->image->image))
		return XB_GRPC_OK;
	found = find_image(t, q->image->image);
	reply->image = image_of(t, found ? *found : q->image->image);
	return reply->image ? XB_GRPC_OK : fake_no_memory(t);
}

int fake_pull_image(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__PullImageRequest *q = request;
	const char *name = q->image ? q->image->image : "";
	_cleanup_free_ char *full = full_name(name);
	Runtime__V1__PullImageResponse *reply = to;
	int r = fake_image_use(t->f, name);

	if (r == -ENOENT && full)
		return fake_fail(t, XB_GRPC_NOT_FOUND, "failed to pull and unpack image \"%s\": failed to resolve reference \"%s\": %s: not found",
				 full, full, full);
	reply->image_ref = fake_image_id(t, name);
	return r == 0 && reply->image_ref ? XB_GRPC_OK : fake_no_memory(t);
}

int fake_remove_image(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__RemoveImageRequest *q = request;
	char **found = q->image ? find_image(t, q->image->image) : NULL;

	if (found) {
		free(*found);
		xb_vec_remove(&t->f->images, found - t->f->images.v);
	}
	return XB_GRPC_OK;
}

int fake_image_fs_info(struct fake_turn *t, const void *request, void *to)
{
	Runtime__V1__ImageFsInfoResponse *reply = to;
	Runtime__V1__FilesystemUsage *u = FAKE_NEW(t, FilesystemUsage, FILESYSTEM_USAGE);
	Runtime__V1__FilesystemIdentifier *id = FAKE_NEW(t, FilesystemIdentifier, FILESYSTEM_IDENTIFIER);
	Runtime__V1__UInt64Value *used = FAKE_NEW(t, UInt64Value, UINT64_VALUE);

	reply->image_filesystems = xb_arena_alloc(t->arena, sizeof(void *));
	if (!u || !id || !used || !reply->image_filesystems)
		return fake_no_memory(t);
	id->mountpoint = "/";
	used->value = t->f->images.n * IMAGE_BYTES;
	u->timestamp = xb_time_now() * 1000;
	u->fs_id = id;
	u->used_bytes = u->inodes_used = used;
	reply->image_filesystems[0] = u;
	reply->n_image_filesystems = 1;
	return XB_GRPC_OK;
}
