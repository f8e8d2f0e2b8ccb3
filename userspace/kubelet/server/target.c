/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "target.h"
#include "xb/http_server.h"
#include "xb/time.h"
#include "xb/vec.h"

enum names { NO_NAMES, POD_NAMES, CONTAINER_NAMES, CONTAINER_NAMES_ONLY }; /* what follows; but in the last, a uid may be after the pod */

static const struct row {
	const char *path;
	enum endpoint endpoint;
	enum names names;
	bool get, post;
} rows[] = {
	{ "/healthz", ENDPOINT_HEALTHZ, NO_NAMES, true, false },
	{ "/healthz/ping", ENDPOINT_HEALTHZ, NO_NAMES, true, false },
	{ "/healthz/log", ENDPOINT_HEALTHZ, NO_NAMES, true, false },
	{ "/healthz/syncloop", ENDPOINT_HEALTHZ, NO_NAMES, true, false },
	{ "/pods", ENDPOINT_PODS, NO_NAMES, true, false },
	{ "/runningpods", ENDPOINT_RUNNING_PODS, NO_NAMES, true, false },
	{ "/configz", ENDPOINT_CONFIGZ, NO_NAMES, true, false },
	{ "/metrics", ENDPOINT_METRICS, NO_NAMES, true, false },
	{ "/metrics/cadvisor", ENDPOINT_METRICS_CADVISOR, NO_NAMES, true, false },
	{ "/metrics/resource", ENDPOINT_METRICS_RESOURCE, NO_NAMES, true, false },
	{ "/metrics/probes", ENDPOINT_METRICS_PROBES, NO_NAMES, true, false },
	{ "/stats/summary", ENDPOINT_STATS_SUMMARY, NO_NAMES, true, false },
	{ "/containerLogs", ENDPOINT_LOGS, CONTAINER_NAMES_ONLY, true, false },
	{ "/exec", ENDPOINT_EXEC, CONTAINER_NAMES, true, true },
	{ "/attach", ENDPOINT_ATTACH, CONTAINER_NAMES, true, true },
	{ "/portForward", ENDPOINT_PORT_FORWARD, POD_NAMES, true, true },
	{ "/run", ENDPOINT_RUN, CONTAINER_NAMES, false, true },
};

/* Is path that, or below it? rest: what follows the slash behind it. */
static bool is_below(struct xb_sv path, const char *top, struct xb_sv *ret_rest)
{
	size_t n = strlen(top);

	if (!xb_sv_starts(path, top) || (path.n > n && path.p[n] != '/'))
		return false;
	*ret_rest = path.n > n ? (struct xb_sv){ path.p + n + 1, path.n - n - 1 } : (struct xb_sv){};
	return true;
}

#define PARTS_MAX 4
/* -ENOENT: an empty part, or too many. */
static int split(struct xb_sv rest, struct xb_sv parts[PARTS_MAX], unsigned *ret_n)
{
	struct xb_sv part;
	unsigned n = 0;

	while (xb_sv_split(&rest, '/', &part)) {
		if (!part.n || n == PARTS_MAX)
			return -ENOENT;
		parts[n++] = part;
	}
	*ret_n = n;
	return 0;
}

static int take_names(struct xb_sv rest, enum names names, struct target *ret)
{
	struct xb_sv parts[PARTS_MAX];
	unsigned n, least = names == POD_NAMES ? 2 : 3, most = names == CONTAINER_NAMES_ONLY ? 3 : least + 1;
	int r = split(rest, parts, &n);

	if (r || n < least || n > most)
		return -ENOENT;
	ret->namespace_ = xb_sv_dup(parts[0]);
	ret->pod = xb_sv_dup(parts[1]);
	if (n > least)
		ret->uid = xb_sv_dup(parts[2]);
	if (names != POD_NAMES)
		ret->container = xb_sv_dup(parts[n - 1]);
	if (!ret->namespace_ || !ret->pod || (n > least && !ret->uid) || (names != POD_NAMES && !ret->container))
		return -ENOMEM;
	return 0;
}

void target_done(struct target *r)
{
	free(r->namespace_);
	free(r->pod);
	free(r->uid);
	free(r->container);
	*r = (struct target){};
}

int target_parse(struct xb_sv method, struct xb_sv path, struct target *ret)
{
	_cleanup_(target_done) struct target target = {};
	const struct row *row = NULL;
	struct xb_sv rest = {};
	int r;

	if (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	for (size_t i = 0; !row && i < ARRAY_SIZE(rows); i++)
		if (rows[i].names ? is_below(path, rows[i].path, &rest) : xb_sv_is(path, rows[i].path))
			row = &rows[i];
	if (!row)
		return -ENOENT;
	if (row->names) {
		r = take_names(rest, row->names, &target);
		if (r)
			return r;
	}
	if (!(row->get && xb_sv_is(method, "GET")) && !(row->post && xb_sv_is(method, "POST")))
		return -EOPNOTSUPP;
	target.endpoint = row->endpoint;
	*ret = target;
	target = (struct target){};
	return 0;
}

/* --- for the authorizer --- */

const char *target_verb(struct xb_sv method)
{
	static const char *const verbs[][2] = {
		{ "POST", "create" }, { "GET", "get" }, { "PUT", "update" }, { "PATCH", "patch" }, { "DELETE", "delete" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (xb_sv_is(method, verbs[i][0]))
			return verbs[i][1];
	return "";
}

static const char *subresource_of(struct xb_sv path, const char *const (*table)[2], size_t n)
{
	struct xb_sv rest;

	for (size_t i = 0; i < n; i++)
		if (is_below(path, table[i][0], &rest))
			return table[i][1];
	return NULL;
}

void target_subresources(struct xb_sv path, const char *ret[TARGET_SUBRESOURCES])
{
	static const char *const fine[][2] = {
		{ "/pods", "pods" }, { "/healthz", "healthz" }, { "/configz", "configz" }, { "/statusz", "statusz" }, { "/runningpods", "pods" },
	};
	static const char *const coarse[][2] = {
		{ "/stats", "stats" }, { "/metrics", "metrics" }, { "/logs", "log" }, { "/checkpoint", "checkpoint" },
	};
	const char *first = subresource_of(path, fine, ARRAY_SIZE(fine)), *last = subresource_of(path, coarse, ARRAY_SIZE(coarse));
	unsigned n = 0;

	if (first)
		ret[n++] = first;
	ret[n++] = last ? last : "proxy";
	ret[n] = NULL;
}

/* --- queries --- */

/* The next value of that name, decoded. 1, 0 at the end, -EINVAL, -ENOMEM. */
static int next_value(struct xb_sv *rest, const char *name, char **ret)
{
	struct xb_sv pair, key;

	while (xb_sv_split(rest, '&', &pair)) {
		_cleanup_buf_ struct xb_buf text = {};
		int r;

		if (!xb_sv_split(&pair, '=', &key) || !xb_sv_is(key, name))
			continue;
		r = xb_http_decode(pair, true, &text);
		if (r)
			return r;
		xb_buf_addc(&text, '\0');
		*ret = xb_buf_steal(&text);
		return *ret ? 1 : -ENOMEM;
	}
	return 0;
}

int query_text(struct xb_sv query, const char *name, char **ret)
{
	char *value = NULL;
	int r = next_value(&query, name, &value);

	if (r < 0)
		return r;
	*ret = value;
	return 0;
}

void query_free_all(char **values)
{
	for (char **v = values; v && *v; v++)
		free(*v);
	free(values);
}

int query_all(struct xb_sv query, const char *name, char ***ret)
{
	XB_VEC(char *) all = {};
	char *value = NULL;
	int r, e;

	while ((r = next_value(&query, name, &value)) > 0 && !(r = xb_vec_push(&all, value)))
		value = NULL;
	free(value);
	e = xb_vec_push(&all, NULL);
	if (r || e) {
		for (size_t i = 0; i < all.n; i++)
			free(all.v[i]);
		xb_vec_done(&all);
		return r ? r : e;
	}
	*ret = all.v;
	return 0;
}

/* As Go's conversion of parameters: anything but these is true. */
static int read_bool(struct xb_sv query, const char *name, bool *ret)
{
	_cleanup_free_ char *text = NULL;
	int r = query_text(query, name, &text);

	*ret = text && strcasecmp(text, "false") && strcmp(text, "0");
	return r;
}

static int read_number(struct xb_sv query, const char *name, int64_t least, int64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	int64_t n;
	int r = query_text(query, name, &text);

	if (r || !text || !*text)
		return r;
	if (xb_sv_i64(xb_sv(text), &n))
		return -EINVAL;
	if (n < least)
		return -EDOM;
	*ret = n;
	return 0;
}

static int read_since(struct xb_sv query, int64_t now_us, int64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	int64_t seconds = 0, at;
	int r = read_number(query, "sinceSeconds", 1, &seconds);

	r = r ? r : query_text(query, "sinceTime", &text);
	if (r)
		return r;
	if (text && *text) {
		if (xb_time_parse(xb_sv(text), &at))
			return -EINVAL;
		if (seconds)
			return -EDOM;
		*ret = at;
	} else if (seconds) {
		*ret = seconds < now_us / 1000000 ? now_us - seconds * 1000000 : 0;
	}
	return 0;
}

int query_log_options(struct xb_sv query, int64_t now_us, bool *ret_previous, struct log_wanted *ret)
{
	struct log_wanted w = { .tail_lines = -1, .limit_bytes = -1 };
	bool previous = false;
	int r = read_bool(query, "previous", &previous);

	r = r ? r : read_bool(query, "follow", &w.follow);
	r = r ? r : read_bool(query, "timestamps", &w.timestamps);
	r = r ? r : read_number(query, "tailLines", 0, &w.tail_lines);
	r = r ? r : read_number(query, "limitBytes", 1, &w.limit_bytes);
	r = r ? r : read_since(query, now_us, &w.since_us);
	if (r)
		return r;
	*ret_previous = previous;
	*ret = w;
	return 0;
}
