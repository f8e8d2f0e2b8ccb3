/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/queue.h>
#include "renewals.h"
#include "xb/json.h"
#include "xb/map.h"
#include "xb/time.h"

#define RENEWALS_MAX 16384
#define BODY_MAX 4096
#define TIME_BYTES (sizeof("2006-01-02T15:04:05.000000Z") - 1)

/* Of a body: version and time stand where the next one's do. */
struct span {
	uint32_t at, n;
};
struct renewal {
	TAILQ_ENTRY(renewal) link;
	uint64_t revision;
	struct span version, time;      /* version.n: 0 for none */
	uint32_t key_n, n;
	char text[];                    /* the key, then the body */
};
struct renewals {
	struct xb_map *by_key;
	TAILQ_HEAD(renewal_list, renewal) list; /* the last to go first */
};

struct renewals *renewals_new(void)
{
	struct renewals *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	TAILQ_INIT(&r->list);
	r->by_key = xb_map_new(XB_MAP_BORROW);
	return r->by_key ? r : renewals_free(r);
}

static struct xb_sv key_of(const struct renewal *n)
{
	return (struct xb_sv){ n->text, n->key_n };
}

static void drop(struct renewals *r, struct renewal *n)
{
	xb_map_del(r->by_key, key_of(n));
	TAILQ_REMOVE(&r->list, n, link);
	free(n);
}

struct renewals *renewals_free(struct renewals *r)
{
	if (!r)
		return NULL;
	while (!TAILQ_EMPTY(&r->list))
		drop(r, TAILQ_FIRST(&r->list));
	xb_map_free(r->by_key);
	free(r);
	return NULL;
}

static struct span span_of(const struct xb_json *doc, struct xb_sv text)
{
	return text.n ? (struct span){ (uint32_t)(text.p - xb_json_bytes(doc).p), (uint32_t)text.n } : (struct span){};
}

static struct renewal *renewal_new(struct xb_sv key, struct xb_sv body, const char *renewed)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct renewal *n;
	struct xb_sv time;

	if (body.n > BODY_MAX || xb_json_parse(body, NULL, &doc, NULL))
		return NULL;
	time = xb_jv_text(xb_jv_path(xb_json_root(doc), "spec", renewed));
	n = time.n == TIME_BYTES ? malloc(sizeof(*n) + key.n + body.n) : NULL;
	if (!n)
		return NULL;
	*n = (struct renewal){
		.version = span_of(doc, xb_jv_meta(xb_json_root(doc), "resourceVersion")), .time = span_of(doc, time),
		.key_n = (uint32_t)key.n, .n = (uint32_t)body.n,
	};
	memcpy(n->text, key.p, key.n);
	memcpy(n->text + key.n, body.p, body.n);
	return n;
}

void renewals_note(struct renewals *r, struct xb_sv key, uint64_t revision, struct xb_sv body, const char *renewed)
{
	struct renewal *n = xb_map_get(r->by_key, key);

	if (n)
		drop(r, n);
	n = renewal_new(key, body, renewed);
	if (!n)
		return;
	n->revision = revision;
	TAILQ_INSERT_TAIL(&r->list, n, link);
	if (xb_map_set(r->by_key, key_of(n), n, NULL))
		drop(r, n);
	else if (xb_map_count(r->by_key) > RENEWALS_MAX)
		drop(r, TAILQ_FIRST(&r->list));
}

static bool same(const struct renewal *n, struct xb_sv body, uint32_t from, uint32_t to)
{
	return !memcmp(n->text + n->key_n + from, body.p + from, to - from);
}

static bool says_but_for(const struct renewal *n, struct xb_sv body, struct span first, struct span second)
{
	return same(n, body, 0, first.at) && same(n, body, first.at + first.n, second.at) && same(n, body, second.at + second.n, n->n);
}

static bool is_canonical(struct xb_sv time)
{
	int64_t us;

	return !xb_time_parse(time, &us) && xb_sv_is(time, xb_time_format_micro(us).s);
}

bool renewals_said(struct renewals *r, struct xb_sv key, uint64_t revision, struct xb_sv body, struct xb_sv version,
		   struct xb_sv *ret_time)
{
	const struct renewal *n = xb_map_get(r->by_key, key);
	bool in_order;

	if (!n || n->revision != revision || n->n != body.n)
		return false;
	in_order = n->version.at < n->time.at;
	if (!says_but_for(n, body, in_order ? n->version : n->time, in_order ? n->time : n->version))
		return false;
	*ret_time = (struct xb_sv){ body.p + n->time.at, n->time.n };
	return (!n->version.n || xb_sv_eq((struct xb_sv){ body.p + n->version.at, n->version.n }, version)) && is_canonical(*ret_time);
}

void renewals_again(struct renewals *r, struct xb_sv key, uint64_t revision)
{
	struct renewal *n = xb_map_get(r->by_key, key);

	if (!n)
		return;
	n->revision = revision;
	TAILQ_REMOVE(&r->list, n, link);
	TAILQ_INSERT_TAIL(&r->list, n, link);
}
