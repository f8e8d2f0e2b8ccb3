/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "query.h"
#include "xb/field_error.h"
#include "xb/http_server.h"

#define MANAGER_MAX 128 /* bytes of fieldManager */

enum query_type { TEXT, TRUTH, TRUTH3, NUMBER };
static const struct parameter {
	const char *name;
	enum query_type type;
	size_t offset;
} parameters[] = {
#define ROW(name, type, member) { name, type, offsetof(struct query, member) }
	ROW("labelSelector", TEXT, label_selector),
	ROW("fieldSelector", TEXT, field_selector),
	ROW("resourceVersion", TEXT, resource_version),
	ROW("resourceVersionMatch", TEXT, resource_version_match),
	ROW("continue", TEXT, continue_),
	ROW("fieldManager", TEXT, field_manager),
	ROW("fieldValidation", TEXT, field_validation),
	ROW("propagationPolicy", TEXT, propagation),
	ROW("includeObject", TEXT, include_object),
	ROW("timeout", TEXT, timeout),
	ROW("limit", NUMBER, limit),
	ROW("timeoutSeconds", NUMBER, timeout_seconds),
	ROW("gracePeriodSeconds", NUMBER, grace_seconds),
	ROW("watch", TRUTH, watch),
	ROW("allowWatchBookmarks", TRUTH, allow_bookmarks),
	ROW("force", TRUTH, force),
	ROW("sendInitialEvents", TRUTH3, send_initial_events),
	ROW("orphanDependents", TRUTH3, orphan_dependents),
#undef ROW
};

static int decode(struct xb_arena *a, struct xb_sv raw, struct xb_sv *ret)
{
	_cleanup_buf_ struct xb_buf text = {};
	int r;

	r = xb_http_decode(raw, true, &text);
	if (r || text.err)
		return r ? r : text.err;
	*ret = xb_arena_sv(a, xb_buf_sv(&text));
	return text.n && !ret->p ? -ENOMEM : 0;
}

/* As Go's conversion does it: anything but these is true. */
static bool truth(struct xb_sv v)
{
	return v.n && !(v.n == 5 && !strncasecmp(v.p, "false", 5)) && !xb_sv_is(v, "0");
}

static int assign(const struct parameter *p, struct xb_sv value, struct query *q, struct xb_status *reterr)
{
	void *member = (char *)q + p->offset;
	int r;

	switch (p->type) {
	case TEXT:
		*(struct xb_sv *)member = value;
		return 0;
	case TRUTH:
		*(bool *)member = truth(value);
		return 0;
	case TRUTH3:
		*(enum query_truth *)member = truth(value) ? QUERY_TRUE : QUERY_FALSE;
		return 0;
	case NUMBER:
		r = xb_sv_i64(value, member);
		if (r)
			return xb_status_bad_request(reterr, "strconv.ParseInt: parsing \"%.*s\": %s", XB_SV_ARG(value),
						     r == -ERANGE ? "value out of range" : "invalid syntax");
		return 0;
	}
	return 0;
}

static int take(struct xb_arena *a, struct xb_sv name, struct xb_sv raw, struct query *q, struct xb_status *reterr)
{
	struct xb_sv value = {};
	int r;

	r = decode(a, raw, &value);
	if (r)
		return r == -EINVAL ? xb_status_bad_request(reterr, "invalid URL escape in the query") : r;
	if (xb_sv_is(name, "dryRun")) {
		if (q->n_dry_run < ARRAY_SIZE(q->dry_run))
			q->dry_run[q->n_dry_run++] = value;
		return 0;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(parameters); i++)
		if (xb_sv_is(name, parameters[i].name) && value.n)
			return assign(&parameters[i], value, q, reterr);
	return 0;
}

int query_parse(struct xb_arena *a, struct xb_sv text, struct query *ret, struct xb_status *reterr)
{
	struct query q = { .grace_seconds = -1 };
	struct xb_sv pair, name;
	int r;

	while (xb_sv_split(&text, '&', &pair)) {
		if (!xb_sv_split(&pair, '=', &name))
			continue;
		r = take(a, name, pair, &q, reterr);
		if (r)
			return r;
	}
	*ret = q;
	return 0;
}

struct xb_sv query_value(struct xb_arena *a, struct xb_sv text, const char *name)
{
	struct xb_sv pair, key, value = {};

	while (xb_sv_split(&text, '&', &pair))
		if (xb_sv_split(&pair, '=', &key) && xb_sv_is(key, name))
			return decode(a, pair, &value) || !value.p ? XB_SV("") : value;
	return (struct xb_sv){};
}

static void check_watch(struct xb_field_errors *e, const struct query *q)
{
	static const char *const matches[] = { "NotOlderThan", NULL };
	const struct xb_path *at = XB_PATH(NULL, "resourceVersionMatch");
	struct xb_sv match = q->resource_version_match;

	if (q->send_initial_events != QUERY_UNSET && !xb_sv_is(match, "NotOlderThan"))
		xb_err_forbidden(e, at, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
	if (!match.n)
		return;
	if (q->send_initial_events == QUERY_UNSET)
		xb_err_forbidden(e, at, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
	if (!xb_sv_is(match, "NotOlderThan"))
		xb_err_unsupported(e, at, match, matches);
	if (q->continue_.n)
		xb_err_forbidden(e, at, "resourceVersionMatch is forbidden when continue is provided");
}

static void check_list(struct xb_field_errors *e, const struct query *q)
{
	static const char *const matches[] = { "Exact", "NotOlderThan", "", NULL };
	const struct xb_path *at = XB_PATH(NULL, "resourceVersionMatch");
	struct xb_sv match = q->resource_version_match;

	if (match.n) {
		if (!q->resource_version.n)
			xb_err_forbidden(e, at, "resourceVersionMatch is forbidden unless resourceVersion is provided");
		if (q->continue_.n)
			xb_err_forbidden(e, at, "resourceVersionMatch is forbidden when continue is provided");
		if (!xb_sv_is(match, "Exact") && !xb_sv_is(match, "NotOlderThan"))
			xb_err_unsupported(e, at, match, matches);
		if (xb_sv_is(match, "Exact") && xb_sv_is(q->resource_version, "0"))
			xb_err_forbidden(e, at, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
	}
	if (q->send_initial_events != QUERY_UNSET)
		xb_err_forbidden(e, XB_PATH(NULL, "sendInitialEvents"), "sendInitialEvents is forbidden for list");
}

int query_check_list(struct xb_arena *a, const struct query *q, struct xb_status *reterr)
{
	struct xb_field_errors e = { .arena = a };

	if (q->watch)
		check_watch(&e, q);
	else
		check_list(&e, q);
	return xb_field_errors_status(&e, "meta.k8s.io", "ListOptions", (struct xb_sv){}, reterr);
}

/* By hand, because the finding prints the whole list as Go would. */
static int check_dry_run(const struct query *q, const char *kind, struct xb_status *reterr)
{
	_cleanup_buf_ struct xb_buf text = {};
	bool good = true;

	for (unsigned i = 0; i < q->n_dry_run; i++)
		good = good && xb_sv_is(q->dry_run[i], "All");
	if (good)
		return 0;
	xb_buf_adds(&text, "Unsupported value: []string{");
	for (unsigned i = 0; i < q->n_dry_run; i++) {
		xb_buf_adds(&text, i ? ", " : "");
		xb_buf_addq(&text, q->dry_run[i]);
	}
	xb_buf_adds(&text, "}: supported values: \"All\"");
	if (text.err)
		return text.err;
	xb_status_set(reterr, 422, "Invalid", "%s.meta.k8s.io \"\" is invalid: dryRun: %s", kind, text.p);
	xb_status_details(reterr, "meta.k8s.io", kind, (struct xb_sv){});
	xb_status_cause(reterr, "FieldValueNotSupported", xb_buf_sv(&text), XB_SV("dryRun"));
	return -EINVAL;
}

int query_check_write(struct xb_arena *a, const struct query *q, const char *kind, struct xb_status *reterr)
{
	static const char *const validations[] = { "Ignore", "Strict", "Warn", NULL };
	struct xb_field_errors e = { .arena = a };
	bool known = !q->field_validation.n;
	int r;

	r = check_dry_run(q, kind, reterr);
	if (r)
		return r;
	for (unsigned i = 0; validations[i]; i++)
		known = known || xb_sv_is(q->field_validation, validations[i]);
	if (q->field_manager.n > MANAGER_MAX)
		xb_err_too_long(&e, XB_PATH(NULL, "fieldManager"), MANAGER_MAX);
	if (!known)
		xb_err_unsupported(&e, XB_PATH(NULL, "fieldValidation"), q->field_validation, validations);
	return xb_field_errors_status(&e, "meta.k8s.io", kind, (struct xb_sv){}, reterr);
}

int query_revision(struct xb_sv text, bool list, uint64_t *ret, struct xb_status *reterr)
{
	_cleanup_buf_ struct xb_buf why = {};
	int r;

	if (!text.n) {
		*ret = 0;
		return 0;
	}
	r = xb_sv_u64(text, ret);
	if (!r)
		return 0;
	xb_buf_adds(&why, "resourceVersion: Invalid value: ");
	xb_buf_addq(&why, text);
	xb_buf_adds(&why, ": strconv.ParseUint: parsing ");
	xb_buf_addq(&why, text);
	xb_buf_adds(&why, r == -ERANGE ? ": value out of range" : ": invalid syntax");
	if (why.err)
		return why.err;
	if (list)
		return xb_status_bad_request(reterr, "invalid resource version: %s", why.p);
	return xb_status_set(reterr, 500, NULL, "%s", why.p);
}
