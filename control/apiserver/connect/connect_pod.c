/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "../server.h"
#include "connect_pod.h"
#include "xb/rest.h"
#include "xb/time.h"

int pod_find(struct request *q, struct xb_jv *ret)
{
	const char *key = route_key(q->arena, q->route.kind, q->route.namespace_, q->route.name);
	struct store_object *o = key ? store_get(q->server->store, key) : NULL;

	if (!key)
		return -ENOMEM;
	if (!o)
		return xb_status_not_found(&q->fault, "", "pods", q->route.name);
	*ret = xb_json_root(o->doc);
	return 0;
}

static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

static bool has_container(struct xb_jv pod, struct xb_sv name)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", lists[i])); xb_jit_next(&it);)
			if (xb_sv_eq(xb_jv_text(xb_jv_get(it.value, "name")), name))
				return true;
	return false;
}

static int ask_for_container(struct request *q, struct xb_jv pod)
{
	_cleanup_buf_ struct xb_buf names = {};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", lists[i])); xb_jit_next(&it);)
			xb_buf_addf(&names, "%s%.*s", names.n ? " " : "", XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "name"))));
	if (names.err)
		return names.err;
	return xb_status_bad_request(&q->fault, "a container name must be specified for pod %.*s, choose one of: [%s]",
				     XB_SV_ARG(q->route.name), names.p);
}

int pod_container_meant(struct request *q, struct xb_jv pod, const char **ret)
{
	struct xb_jv containers = xb_jv_path(pod, "spec", "containers");
	struct xb_sv name = query_value(q->arena, xb_http_query(q->http), "container");

	if (!name.n && xb_jv_count(containers) != 1)
		return ask_for_container(q, pod);
	if (!name.n)
		name = xb_jv_text(xb_jv_get(xb_jv_at(containers, 0), "name"));
	else if (!has_container(pod, name))
		return xb_status_bad_request(&q->fault, "container %.*s is not valid for pod %.*s", XB_SV_ARG(name),
					     XB_SV_ARG(q->route.name));
	*ret = xb_arena_strn(q->arena, name);
	return *ret ? 0 : -ENOMEM;
}

int pod_node(struct request *q, struct xb_jv pod, struct xb_sv *ret)
{
	*ret = xb_jv_text(xb_jv_path(pod, "spec", "nodeName"));
	if (!ret->n)
		return xb_status_bad_request(&q->fault, "pod %.*s does not have a host assigned", XB_SV_ARG(q->route.name));
	return 0;
}

/* As Go's conversion does it: anything but these is true. */
bool pod_query_true(const struct request *q, const char *name)
{
	struct xb_sv v = query_value(q->arena, xb_http_query(q->http), name);

	return v.p && !(v.n == 5 && !strncasecmp(v.p, "false", 5)) && !xb_sv_is(v, "0");
}

static int check_value(struct request *q, const char *name, struct xb_sv value, bool is_time)
{
	int64_t ignored;
	int r = is_time ? 0 : xb_sv_i64(value, &ignored);

	if (r)
		return xb_status_bad_request(&q->fault, "unable to decode query parameter %s: strconv.ParseInt: parsing \"%.*s\": %s", name,
					     XB_SV_ARG(value), r == -ERANGE ? "value out of range" : "invalid syntax");
	if (is_time && xb_time_parse(value, &ignored))
		return xb_status_bad_request(&q->fault, "parsing time \"%.*s\" as RFC3339", XB_SV_ARG(value));
	return 0;
}

/* What is out of range, or does not go together, is refused as PodLogOptions' validation does. */
static int check_log_options(struct request *q)
{
	static const struct {
		const char *name;
		int64_t least;
		const char *why;
	} rows[] = {
		{ "limitBytes", 1, "must be greater than 0" },
		{ "sinceSeconds", 1, "must be greater than 0" },
		{ "tailLines", 0, "must be greater than or equal to 0" },
	};
	struct xb_sv query = xb_http_query(q->http);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xb_sv value = query_value(q->arena, query, rows[i].name);
		int64_t n;

		if (value.n && !xb_sv_i64(value, &n) && n < rows[i].least)
			return xb_status_set(&q->fault, 422, "Invalid", "PodLogOptions \"%.*s\" is invalid: %s: Invalid value: %lld: %s",
					     XB_SV_ARG(q->route.name), rows[i].name, (long long)n, rows[i].why);
	}
	if (query_value(q->arena, query, "sinceSeconds").n && query_value(q->arena, query, "sinceTime").n)
		return xb_status_set(&q->fault, 422, "Invalid",
				     "PodLogOptions \"%.*s\" is invalid: : Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
				     XB_SV_ARG(q->route.name));
	return 0;
}

int pod_log_query(struct request *q, struct xb_buf *path)
{
	static const char *const truths[] = { "follow", "previous", "timestamps" };
	static const char *const values[] = { "limitBytes", "sinceSeconds", "sinceTime", "tailLines", "stream" };
	struct xb_sv query = xb_http_query(q->http);
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(truths); i++)
		if (pod_query_true(q, truths[i]))
			xb_rest_add_query(path, truths[i], XB_SV("true"));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct xb_sv value = query_value(q->arena, query, values[i]);

		if (!value.n)
			continue;
		r = !strcmp(values[i], "stream") ? 0 : check_value(q, values[i], value, !strcmp(values[i], "sinceTime"));
		if (r)
			return r;
		xb_rest_add_query(path, values[i], value);
	}
	r = check_log_options(q);
	return r ? r : path->err;
}

static int add_all(struct request *q, const char *name, struct xb_buf *path)
{
	struct xb_sv rest = xb_http_query(q->http), pair, key;

	while (xb_sv_split(&rest, '&', &pair)) {
		_cleanup_buf_ struct xb_buf value = {};

		if (!xb_sv_split(&pair, '=', &key) || !xb_sv_is(key, name))
			continue;
		if (xb_http_decode(pair, true, &value))
			return xb_status_bad_request(&q->fault, "invalid URL escape in the query");
		xb_rest_add_query(path, name, xb_buf_sv(&value));
	}
	return 0;
}

int pod_stream_query(struct request *q, bool with_command, struct xb_buf *path)
{
	static const char *const names[][2] = { { "stderr", "error" }, { "stdin", "input" }, { "stdout", "output" }, { "tty", "tty" } };
	int r = with_command ? add_all(q, "command", path) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !r; i++)
		if (pod_query_true(q, names[i][0]))
			xb_rest_add_query(path, names[i][1], XB_SV("1"));
	return r ? r : path->err;
}

int pod_ports_query(struct request *q, struct xb_buf *path)
{
	_cleanup_buf_ struct xb_buf ports = {};
	struct xb_sv rest = xb_http_query(q->http), pair, key;

	while (xb_sv_split(&rest, '&', &pair)) {
		uint64_t port;

		if (!xb_sv_split(&pair, '=', &key) || !xb_sv_is(key, "ports"))
			continue;
		if (xb_sv_u64(pair, &port) || !port || port > 65535)
			return xb_status_bad_request(&q->fault, "unable to parse \"%.*s\" as a port", XB_SV_ARG(pair));
		xb_buf_addf(&ports, "%s%llu", ports.n ? "," : "", (unsigned long long)port);
	}
	if (ports.n)
		xb_rest_add_query(path, "port", xb_buf_sv(&ports));
	return ports.err ? ports.err : path->err;
}
