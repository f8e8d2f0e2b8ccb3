/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "inner.h"
#include "xb/time.h"

#define MAX_NAMES 5 /* upstream's MaxNamesPerImageInNodeStatus */

static void record_done(struct record *d)
{
	for (char **n = d->names; n && *n; n++)
		free(*n);
	free(d->names);
	free(d->id);
}

void records_done(struct images *i)
{
	for (size_t k = 0; k < i->records.n; k++)
		record_done(&i->records.v[k]);
	xb_vec_done(&i->records);
}

static const struct record *known(const struct images *i, const char *id)
{
	for (size_t k = 0; k < i->records.n; k++)
		if (!strcmp(i->records.v[k].id, id))
			return &i->records.v[k];
	return NULL;
}

bool record_is_used(const struct images *i, const struct record *d)
{
	bool used = i->config.in_use(i->config.arg, d->id);

	for (char **n = d->names; !used && *n; n++)
		used = i->config.in_use(i->config.arg, *n) || (i->config.sandbox_image && !strcmp(*n, i->config.sandbox_image));
	return used;
}

static bool add_names(struct record *d, char *const *names, size_t n, size_t *at)
{
	for (size_t k = 0; k < n; k++, (*at)++) {
		d->names[*at] = strdup(names[k]);
		if (!d->names[*at])
			return false;
	}
	return true;
}

static int record_of(const struct images *i, const Runtime__V1__Image *m, struct record *ret)
{
	const struct record *old = known(i, m->id);
	struct record d = { .id = strdup(m->id), .size = m->size, .pinned = m->pinned, .found_ms = old ? old->found_ms : xb_time_ms(),
			    .used_ms = old ? old->used_ms : 0 };
	size_t n = 0;

	d.names = calloc(m->n_repo_digests + m->n_repo_tags + 1, sizeof(*d.names));
	if (!d.id || !d.names || !add_names(&d, m->repo_digests, m->n_repo_digests, &n) ||
	    !add_names(&d, m->repo_tags, m->n_repo_tags, &n)) {
		record_done(&d);
		return -ENOMEM;
	}
	if (record_is_used(i, &d))
		d.used_ms = xb_time_ms();
	*ret = d;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->size != y->size ? (x->size < y->size ? 1 : -1) : strcmp(x->id, y->id);
}

void images_take_list(struct images *i, const Runtime__V1__ListImagesResponse *r)
{
	__typeof__(i->records) old = i->records, new = {};

	for (size_t k = 0; k < r->n_images; k++) {
		struct record d;

		if (record_of(i, r->images[k], &d))
			continue;
		if (xb_vec_push(&new, d))
			record_done(&d);
	}
	if (new.n)
		qsort(new.v, new.n, sizeof(*new.v), by_size);
	i->records = new;
	for (size_t k = 0; k < old.n; k++)
		record_done(&old.v[k]);
	xb_vec_done(&old);
}

static void on_list(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct images *i = arg;
	bool again = i->list_again;

	i->listing = NULL;
	i->list_again = false;
	if (code == XB_GRPC_OK)
		images_take_list(i, (const Runtime__V1__ListImagesResponse *)reply);
	if (again)
		list_images(i);
}

void images_take_folder(struct images *i, const Runtime__V1__ImageFsInfoResponse *r)
{
	char *folder = r->n_image_filesystems && r->image_filesystems[0]->fs_id ? strdup(r->image_filesystems[0]->fs_id->mountpoint) : NULL;

	if (!folder)
		return;
	free(i->folder);
	i->folder = folder;
}

static void on_measure(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const Runtime__V1__ImageFsInfoResponse *r = (const Runtime__V1__ImageFsInfoResponse *)reply;
	struct images *i = arg;

	i->measuring = NULL;
	if (code == XB_GRPC_OK)
		images_take_folder(i, r);
}

void list_images(struct images *i)
{
	Runtime__V1__ListImagesRequest m = RUNTIME__V1__LIST_IMAGES_REQUEST__INIT;
	Runtime__V1__ImageFsInfoRequest f = RUNTIME__V1__IMAGE_FS_INFO_REQUEST__INIT;

	if (i->listing)
		i->list_again = true;
	else
		runtime_call(i->config.runtime, RPC_LIST_IMAGES, &m.base, 0, on_list, i, &i->listing);
	if (!i->folder && !i->measuring)
		runtime_call(i->config.runtime, RPC_IMAGE_FS_INFO, &f.base, 0, on_measure, i, &i->measuring);
}

void images_write_status(const struct images *i, unsigned max, struct xb_jw *w)
{
	xb_jw_array(w);
	for (size_t k = 0; k < i->records.n && k < max; k++) {
		const struct record *d = &i->records.v[k];

		xb_jw_object(w);
		xb_jw_key(w, "names");
		xb_jw_array(w);
		for (unsigned n = 0; n < MAX_NAMES && d->names[n]; n++)
			xb_jw_str(w, d->names[n]);
		xb_jw_end(w);
		xb_jw_kint(w, "sizeBytes", (int64_t)d->size);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}
