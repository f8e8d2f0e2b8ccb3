/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_ADMISSION_FIXTURE_H
#define TEST_ADMISSION_FIXTURE_H
/*
 * A server that is nothing but a store, and creations as admission plugins see them. JSON is written with ' for ". What a plugin
 * says is text: "" when it lets the object pass, else the fault's message.
 */
#include "../store/fixture.h"
#include "../../../../control/apiserver/admission_plugin.h"
#include "../../../../control/apiserver/quota_tally.h"

static struct fixture fixture;
static struct server server;
static struct request *request;

static inline int setup(void **state)
{
	fixture_init(&fixture);
	fixture_open(&fixture);
	server = (struct server){ .store = fixture.s, .tallies = quota_tallies_new(fixture.s) };
	request = request_new(&server, NULL);
	return request ? 0 : -1;
}

static inline int teardown(void **state)
{
	request = request_free(request);
	quota_tallies_free(server.tallies);
	fixture_done(&fixture);
	return 0;
}

static inline const char *quoted(const char *text)
{
	char *copy = xb_arena_strn(request->arena, xb_sv(text));

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

static inline void stored(void *arg, int error, struct store_object *o)
{
	assert_int_equal(error, 0);
	*(bool *)arg = true;
}

/* Commits an object; its text has an empty resourceVersion. */
static inline void store(const char *group, const char *plural, const char *namespace_, const char *name, const char *json)
{
	const struct xb_kind *k = xb_kind_by_resource(xb_sv(group), XB_SV("v1"), xb_sv(plural));
	const char *key = route_key(request->arena, k, xb_sv(namespace_), xb_sv(name)), *text = quoted(json);
	const char *hole = strstr(text, "\"resourceVersion\":\"");
	struct store_value value = { .bytes = xb_sv(text) };
	bool done = false;

	assert_non_null(hole);
	value.hole = (size_t)(hole - text) + strlen("\"resourceVersion\":\"");
	assert_int_equal(store_put(fixture.s, key, 0, &value, stored, &done), 0);
	while (!done)
		uv_run(&fixture.loop, UV_RUN_ONCE);
}
#define META(name) "'metadata':{'name':'" name "','namespace':'n','resourceVersion':''}"

/* The write of a new object in namespace n. */
static inline struct write *creation(const char *group, const char *plural)
{
	request->write = (struct write){
		.arena = request->arena, .kind = xb_kind_by_resource(xb_sv(group), XB_SV("v1"), xb_sv(plural)),
		.namespace_ = XB_SV("n"), .name = XB_SV("x"), .now = "2026-01-01T00:00:00Z",
	};
	xb_status_done(&request->fault);
	return &request->write;
}

static inline const char *said(int error)
{
	assert_int_equal(error != 0, request->fault.code != 0);
	return request->fault.message ? request->fault.message : "";
}

static inline const char *admit(admission_plugin *plugin, const char *group, const char *plural, const char *json, struct xb_tree **ret)
{
	struct attempt t = { .request = request, .write = creation(group, plural), .object = xb_tree_parse(request->arena, quoted(json)) };

	*ret = t.object;
	return said(plugin(&t));
}

static inline const char *text_of(const struct xb_tree *n)
{
	_cleanup_buf_ struct xb_buf b = {};

	if (!n)
		return "";
	xb_tree_write(n, &b);
	for (char *p = b.p; *p; p++)
		if (*p == '"')
			*p = '\'';
	return xb_arena_strn(request->arena, xb_buf_sv(&b));
}

#endif
