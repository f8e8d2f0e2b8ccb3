/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/statvfs.h>
#include "inner.h"
#include "xb/time.h"

/* One after the other: list, measure, remove each. */
struct collection {
	struct images *images;
	bool all;
	void (*done)(void *arg, int error, uint64_t freed);
	void *arg;
	struct runtime_call *call;
	uint64_t wanted, freed;
	XB_VEC(char *) tried;           /* IDs */
	uint64_t size;                  /* of the one that is being removed */
};

static void collection_free(struct collection *c)
{
	runtime_cancel(c->call);
	for (size_t k = 0; k < c->tried.n; k++)
		free(c->tried.v[k]);
	xb_vec_done(&c->tried);
	free(c);
}

void collection_stop(struct images *i)
{
	if (i->collection)
		collection_free(i->collection);
	i->collection = NULL;
}

static void finish(struct collection *c, int error)
{
	void (*done)(void *arg, int error, uint64_t freed) = c->done;
	uint64_t freed = c->freed;
	void *arg = c->arg;

	c->images->collection = NULL;
	if (freed)
		list_images(c->images);
	collection_free(c);
	done(arg, error, freed);
}

/* --- which */
static bool was_tried(const struct collection *c, const char *id)
{
	for (size_t k = 0; k < c->tried.n; k++)
		if (!strcmp(c->tried.v[k], id))
			return true;
	return false;
}

static bool may_go(const struct collection *c, const struct record *d, int64_t now)
{
	return !d->pinned && now - d->found_ms >= (int64_t)c->images->config.gc_min_age_ms && !was_tried(c, d->id) &&
	       !record_is_used(c->images, d);
}

/* The longest unused; of those, the longest here. */
static const struct record *next(const struct collection *c)
{
	const struct record *best = NULL;
	int64_t now = xb_time_ms();

	for (size_t k = 0; k < c->images->records.n; k++) {
		const struct record *d = &c->images->records.v[k];

		if (may_go(c, d, now) &&
		    (!best || d->used_ms < best->used_ms || (d->used_ms == best->used_ms && d->found_ms < best->found_ms)))
			best = d;
	}
	return best;
}

/* --- away with them */
static void remove_next(struct collection *c);

static void on_removed(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct collection *c = arg;

	c->call = NULL;
	if (code == XB_GRPC_OK)
		c->freed += c->size;
	remove_next(c);
}

static int remove_one(struct collection *c, const struct record *d)
{
	Runtime__V1__RemoveImageRequest m = RUNTIME__V1__REMOVE_IMAGE_REQUEST__INIT;
	Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;
	char *id = strdup(d->id);

	if (!id || xb_vec_push(&c->tried, id)) {
		free(id);
		return -ENOMEM;
	}
	c->size = d->size;
	spec.image = id;
	m.image = &spec;
	return runtime_call(c->images->config.runtime, RPC_REMOVE_IMAGE, &m.base, 0, on_removed, c, &c->call);
}

static void remove_next(struct collection *c)
{
	const struct record *d = c->freed < c->wanted ? next(c) : NULL;
	int r = d ? remove_one(c, d) : 0;

	if (r || !d)
		finish(c, r ? r : c->freed < c->wanted && !c->all ? -ENOSPC : 0);
}

/* --- how much */
static uint64_t wanted(const struct images *i, const struct statvfs *st)
{
	uint64_t capacity = (uint64_t)st->f_blocks * st->f_frsize, available = (uint64_t)st->f_bavail * st->f_frsize;
	uint64_t used_percent = capacity ? 100 - available * 100 / capacity : 0;
	uint64_t low = capacity / 100 * (100 - i->config.gc_low_percent);

	return used_percent >= i->config.gc_high_percent && low > available ? low - available : 0;
}

static void on_measured(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct collection *c = arg;
	struct statvfs st;

	c->call = NULL;
	if (code == XB_GRPC_OK)
		images_take_folder(c->images, (const Runtime__V1__ImageFsInfoResponse *)reply);
	if (code != XB_GRPC_OK || !c->images->folder || statvfs(c->images->folder, &st) < 0) {
		finish(c, -EIO);
		return;
	}
	c->wanted = wanted(c->images, &st);
	remove_next(c);
}

static int measure(struct collection *c)
{
	Runtime__V1__ImageFsInfoRequest m = RUNTIME__V1__IMAGE_FS_INFO_REQUEST__INIT;

	return runtime_call(c->images->config.runtime, RPC_IMAGE_FS_INFO, &m.base, 0, on_measured, c, &c->call);
}

static void on_listed(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct collection *c = arg;
	int r;

	c->call = NULL;
	if (code != XB_GRPC_OK) {
		finish(c, -EIO);
		return;
	}
	images_take_list(c->images, (const Runtime__V1__ListImagesResponse *)reply);
	if (c->all) {
		c->wanted = UINT64_MAX;
		remove_next(c);
		return;
	}
	r = measure(c);
	if (r)
		finish(c, r);
}

void images_collect_cancel(struct images *i)
{
	collection_stop(i);
}

int images_collect(struct images *i, bool all, void (*done)(void *arg, int error, uint64_t freed), void *arg)
{
	Runtime__V1__ListImagesRequest m = RUNTIME__V1__LIST_IMAGES_REQUEST__INIT;
	struct collection *c;
	int r;

	if (i->collection)
		return -EALREADY;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct collection){ .images = i, .all = all, .done = done, .arg = arg };
	r = runtime_call(i->config.runtime, RPC_LIST_IMAGES, &m.base, 0, on_listed, c, &c->call);
	if (r)
		collection_free(c);
	else
		i->collection = c;
	return r;
}
