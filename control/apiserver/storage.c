/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "../store/store.h"
#include "options.h"
#include "registry/strategy.h"
#include "storage.h"
#include "xb/log.h"
#include "xb/why.h"

char *storage_prefix(const struct xb_kind *k)
{
	char *prefix;

	return asprintf(&prefix, "%s%s%s/", k->plural, *k->group ? "." : "", k->group) < 0 ? NULL : prefix;
}

static void on_refuses(void *arg, int error)
{
	const struct apiserver_options *o = arg;

	if (error == -EDQUOT)
		log_err("the database has reached --quota-backend-bytes=%lld: objects can be read and deleted, but not written",
			(long long)o->quota_backend_bytes);
	else if (error)
		log_err_errno(error, "the store in '%s' cannot write: %m. Reads and watches go on; writes are refused, and tried again every second",
			      o->data_dir);
	else
		log_info("the store in '%s' writes again", o->data_dir);
}

static unsigned history_seconds(const struct apiserver_options *o)
{
	int64_t seconds = o->etcd_compaction_interval / 1000;

	return o->etcd_compaction_interval ? (unsigned)MIN(MAX(seconds, 1), UINT32_MAX) : UINT32_MAX;
}

static int tell_kind(struct store *s, const struct xb_kind *k)
{
	_cleanup_free_ char *prefix = storage_prefix(k);
	int r = prefix ? 0 : -ENOMEM;

	if (!r && strategy_of(k)->relaxed)
		r = store_relax(s, prefix);
	return r;
}

static int tell_kinds(struct store *s)
{
	int r = 0;

	for (const struct xb_kind *const *k = xb_kinds; !r && *k; k++)
		if (!(*k)->stored)
			r = tell_kind(s, *k);
	return r;
}

int storage_open(const struct apiserver_options *o, uv_loop_t *loop, struct store **ret, char **reterr_why)
{
	_cleanup_(store_closep) struct store *s = NULL;
	const struct store_config config = {
		.data_dir = o->data_dir,
		.loop = loop,
		.history_seconds = history_seconds(o),
		.quota = (uint64_t)o->quota_backend_bytes,
		.refuses = on_refuses,
		.arg = (void *)o,
	};
	int r = store_open(&config, &s, reterr_why);

	if (r)
		return r;
	r = tell_kinds(s);
	if (r)
		return xb_why(reterr_why, r, "out of memory");
	*ret = TAKE_PTR(s);
	return 0;
}
