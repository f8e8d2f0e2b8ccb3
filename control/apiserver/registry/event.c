/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>

#include "edit.h"
#include "table.h"

enum { MAX_WORD = 128, MAX_MESSAGE = 1024 };

static void validate_word(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv word)
{
	if (!word.n)
		xb_err_required(e, at, "");
	if (word.n > MAX_WORD)
		xb_err_invalid_sv(e, at, word, "can have at most %d characters", MAX_WORD);
}

/* Events that say eventTime are of the new form, and are checked more strictly. */
static void validate_new_form(struct xb_field_errors *e, const struct xb_tree *object)
{
	struct xb_sv component = xb_tree_gettext(object, "reportingComponent"), message = xb_tree_gettext(object, "message");

	if (!component.n)
		xb_err_required(e, XB_PATH(NULL, "reportingController"), "");
	xb_validate(e, XB_PATH(NULL, "reportingController"), component, xb_check_qualified_name);
	validate_word(e, XB_PATH(NULL, "reportingInstance"), xb_tree_gettext(object, "reportingInstance"));
	validate_word(e, XB_PATH(NULL, "action"), xb_tree_gettext(object, "action"));
	validate_word(e, XB_PATH(NULL, "reason"), xb_tree_gettext(object, "reason"));
	if (message.n > MAX_MESSAGE)
		xb_err_invalid_sv(e, XB_PATH(NULL, "message"), XB_SV(""), "can have at most %d characters", MAX_MESSAGE);
}

/* Clients of events.k8s.io write the new form only. */
static bool is_strict(const struct write *w)
{
	return w->kind->stored;
}

static void validate_series(struct xb_field_errors *e, const struct xb_tree *series)
{
	if (!series)
		return;
	if (xb_tree_geti64(series, "count", 0) < 2)
		xb_err_invalid_sv(e, XB_PATH(NULL, "series.count"), XB_SV(""), "should be at least 2");
	if (!xb_tree_get(series, "lastObservedTime"))
		xb_err_required(e, XB_PATH(NULL, "series.lastObservedTime"), "");
}

static void validate_strictly(struct xb_field_errors *e, const struct xb_tree *object)
{
	static const char *const unset[] = { "firstTimestamp", "lastTimestamp", "count" };
	const struct xb_tree *type = xb_tree_get(object, "type");

	validate_series(e, xb_tree_get(object, "series"));
	if (!xb_tree_get(object, "eventTime"))
		xb_err_required(e, XB_PATH(NULL, "eventTime"), "");
	if (!xb_tree_is(type, "Normal") && !xb_tree_is(type, "Warning"))
		xb_err_invalid_sv(e, XB_PATH(NULL, "type"), XB_SV(""), "has invalid value: %.*s", XB_SV_ARG(xb_tree_text(type)));
	for (unsigned i = 0; i < ARRAY_SIZE(unset); i++)
		if (xb_tree_get(object, unset[i]))
			xb_err_invalid_sv(e, XB_PATH(NULL, unset[i]), XB_SV(""), "needs to be unset");
	if (!edit_is_empty(xb_tree_get(object, "source")))
		xb_err_invalid_sv(e, XB_PATH(NULL, "source"), XB_SV(""), "needs to be unset");
}

/* Only the series goes on. */
static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const struct {
		const char *name, *said;
	} kept[] = {
		{ "involvedObject", "involvedObject" }, { "reason", "reason" }, { "message", "message" }, { "source", "source" },
		{ "firstTimestamp", "firstTimestamp" }, { "lastTimestamp", "lastTimestamp" }, { "count", "count" }, { "type", "type" },
		{ "eventTime", "eventTime" }, { "action", "action" }, { "related", "related" },
		{ "reportingComponent", "reportingController" }, { "reportingInstance", "reportingInstance" },
	};

	if (!is_strict(w))
		return;
	if (!edit_same(object, old, "series"))
		validate_series(e, xb_tree_get(object, "series"));
	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
		xb_validate_immutable(e, XB_PATH(NULL, kept[i].said), xb_tree_get(object, kept[i].name), xb_tree_get(old, kept[i].name));
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	struct xb_sv namespace_ = xb_tree_gettext(xb_tree_get(object, "metadata"), "namespace");
	struct xb_sv involved = xb_tree_gettext(xb_tree_get(object, "involvedObject"), "namespace");
	const struct xb_tree *event_time = xb_tree_get(object, "eventTime");
	bool new_form = event_time && event_time->type == XB_JSON_STRING;
	bool matches = xb_sv_eq(namespace_, involved);

	/* what is about an object without namespace lies in the default one */
	if (!involved.n)
		matches = xb_sv_is(namespace_, "default") || (new_form && xb_sv_is(namespace_, "kube-system"));
	if (!matches)
		xb_err_invalid_sv(e, XB_PATH(XB_PATH(NULL, "involvedObject"), "namespace"), involved,
				  "does not match event.namespace");
	if (new_form)
		validate_new_form(e, object);
}

static int begin(struct write *w, struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	if (!object || old || !is_strict(w))
		return 0;
	validate(w, object, e);
	validate_strictly(e, object);
	return 0;
}

static const struct column columns[] = {
	{ "Last Seen", "string", "", "The time at which the most recent occurrence of this event was recorded.", 0 },
	{ "Type", "string", "", "Type of this event (Normal, Warning), new types could be added in the future", 0 },
	{ "Reason", "string", "", "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.", 0 },
	{ "Object", "string", "", "The object that this event is about.", 0 },
	{ "Subobject", "string", "", "If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object reference is to a container within a pod, this would take on a value like: \"spec.containers{name}\" (where \"name\" refers to the name of the container that triggered the event) or if no container name is specified \"spec.containers[2]\" (container with index 2 in this pod). This syntax is chosen only to have some well-defined way of referencing a part of an object.", 1 },
	{ "Source", "string", "", "The component reporting this event. Should be a short machine understandable string.", 1 },
	{ "Message", "string", "", "A human-readable description of the status of this operation.", 0 },
	{ "First Seen", "string", "", "The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)", 1 },
	{ "Count", "string", "", "The number of times this event has occurred.", 1 },
	{ "Name", "string", "name", "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names", 1 },
};

static struct xb_jv or_else(struct xb_jv v, struct xb_jv otherwise)
{
	return xb_jv_text(v).n ? v : otherwise;
}

static void cell_target(struct table_row *r, struct xb_jv involved)
{
	struct xb_sv kind = xb_jv_text(xb_jv_get(involved, "kind")), name = xb_jv_text(xb_jv_get(involved, "name"));
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	for (size_t i = 0; i < kind.n; i++)
		xb_buf_addc(&b, (char)tolower((unsigned char)kind.p[i]));
	if (name.n)
		xb_buf_addc(&b, '/');
	xb_buf_addsv(&b, name);
	cell_close(r, &b, "");
}

static void cell_source(struct table_row *r, struct xb_jv object)
{
	struct xb_jv component = or_else(xb_jv_path(object, "source", "component"), xb_jv_get(object, "reportingComponent"));
	struct xb_jv host = or_else(xb_jv_path(object, "source", "host"), xb_jv_get(object, "reportingInstance"));
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	xb_buf_addsv(&b, xb_jv_text(component));
	if (xb_jv_text(host).n)
		xb_buf_adds(&b, ", ");
	xb_buf_addsv(&b, xb_jv_text(host));
	cell_close(r, &b, "");
}

static void cell_message(struct table_row *r, struct xb_jv message)
{
	_cleanup_buf_ struct xb_buf b = {};

	xb_json_unescape(xb_jv_text(message), &b);
	xb_jw_sv(r->w, xb_sv_trim(xb_buf_sv(&b)));
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv series = xb_jv_get(object, "series");
	struct xb_jv first = or_else(xb_jv_get(object, "firstTimestamp"), xb_jv_get(object, "eventTime"));
	struct xb_jv last = or_else(xb_jv_get(object, "lastTimestamp"), first);

	cell_since(r, xb_jv_is(series) ? xb_jv_get(series, "lastObservedTime") : last);
	cell_text(r, xb_jv_get(object, "type"), "");
	cell_text(r, xb_jv_get(object, "reason"), "");
	cell_target(r, xb_jv_get(object, "involvedObject"));
	cell_text(r, xb_jv_path(object, "involvedObject", "fieldPath"), "");
	cell_source(r, object);
	cell_message(r, xb_jv_get(object, "message"));
	cell_since(r, first);
	if (xb_jv_is(series))
		cell_int(r, xb_jv_get(series, "count"), 0);
	else
		cell_int(r, xb_jv_get(object, "count"), 1);
	cell_name(r, object);
}

const struct strategy event_strategy = {
	.group = "", .kind = "Event",
	.name = xb_check_dns1123_subdomain,
	.begin = begin,
	.validate = validate,
	.validate_update = validate_update,
	.create_on_update = true,
	.unconditional_update = true,
	.expires = true,
	.relaxed = true,
	COLUMNS(columns),
	.row = row,
};
