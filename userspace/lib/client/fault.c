/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault.h"
#include "xb/json.h"

static const char *reason_of(int code, struct xb_jv reason)
{
	static const struct {
		int code; /* 0: only by name */
		const char *reason;
	} known[] = {
		{ 400, "BadRequest" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "NotFound" },
		{ 405, "MethodNotAllowed" }, { 406, "NotAcceptable" }, { 409, "Conflict" }, { 0, "AlreadyExists" },
		{ 410, "Gone" }, { 0, "Expired" }, { 413, "RequestEntityTooLarge" }, { 415, "UnsupportedMediaType" },
		{ 422, "Invalid" }, { 429, "TooManyRequests" }, { 500, "InternalError" }, { 0, "ServerTimeout" },
		{ 503, "ServiceUnavailable" }, { 504, "Timeout" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (xb_jv_streq(reason, xb_sv(known[i].reason)))
			return known[i].reason;
	for (size_t i = 0; i < ARRAY_SIZE(known) && !xb_jv_is(reason); i++)
		if (known[i].code == code)
			return known[i].reason;
	return "Unknown";
}

static void read_causes(struct xb_jv causes, struct xb_status *ret)
{
	for (struct xb_jit it = xb_jv_iter(causes); xb_jit_next(&it);) {
		_cleanup_free_ char *reason = xb_jv_dup(xb_jv_get(it.value, "reason"));
		_cleanup_free_ char *message = xb_jv_dup(xb_jv_get(it.value, "message"));
		_cleanup_free_ char *field = xb_jv_dup(xb_jv_get(it.value, "field"));

		xb_status_cause(ret, reason ? reason : "", xb_sv(message), xb_sv(field));
	}
}

void fault_read(int code, struct xb_sv body, struct xb_status *ret)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_free_ char *message = NULL, *group = NULL, *kind = NULL, *name = NULL;
	struct xb_jv sent = {}, details;
	int64_t seconds = 0;

	if (xb_json_parse(body, NULL, &doc, NULL) >= 0 && xb_jv_streq(xb_jv_get(xb_json_root(doc), "kind"), XB_SV("Status")))
		sent = xb_json_root(doc);
	message = xb_jv_dup(xb_jv_get(sent, "message"));
	if (message)
		xb_status_set(ret, code, reason_of(code, xb_jv_get(sent, "reason")), "%s", message);
	else
		xb_status_set(ret, code, reason_of(code, (struct xb_jv){}), "the server answered %d: %.*s", code,
			      (int)MIN(body.n, 200), body.p ? body.p : "");
	details = xb_jv_get(sent, "details");
	if (!xb_jv_is(details))
		return;
	xb_jv_i64(xb_jv_get(details, "retryAfterSeconds"), &seconds);
	ret->retry_after = (int)MAX(0, MIN(seconds, 3600));
	group = xb_jv_dup(xb_jv_get(details, "group"));
	kind = xb_jv_dup(xb_jv_get(details, "kind"));
	name = xb_jv_dup(xb_jv_get(details, "name"));
	xb_status_details(ret, group, kind, xb_sv(name));
	read_causes(xb_jv_get(details, "causes"), ret);
}
