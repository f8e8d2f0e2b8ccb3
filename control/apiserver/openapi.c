/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/sha.h>
#include "paths.h"
#include "server.h"
#include "xb/vec.h"

/*
 * OpenAPI v3: a document for each group's version, written from the types' rows when it is asked for. It has what clients
 * look for: schemas with their patch strategies, group-version-kinds, and the query parameters of the writing verbs.
 */
struct types {
	XB_VEC(const struct xb_type *) list; /* in the order in which they were met */
};

static void types_done(struct types *t)
{
	xb_vec_done(&t->list);
}

static int add_type(struct types *t, const struct xb_type *type)
{
	int r;

	for (size_t i = 0; i < t->list.n; i++)
		if (t->list.v[i] == type)
			return 0;
	r = xb_vec_push(&t->list, type);
	for (unsigned i = 0; !r && i < type->n_fields; i++)
		if (type->fields[i].kind == XB_T_OBJECT)
			r = add_type(t, type->fields[i].type);
	return r;
}

static void write_ref(struct xb_jw *w, const struct xb_type *t)
{
	_cleanup_buf_ struct xb_buf ref = {};

	xb_buf_addf(&ref, "#/components/schemas/%s.%s", t->package, t->name);
	xb_jw_object(w);
	xb_jw_ksv(w, "$ref", xb_buf_sv(&ref));
	xb_jw_end(w);
}

static void write_element(struct xb_jw *w, const struct xb_field *f)
{
	static const struct {
		const char *type, *format;
	} scalars[] = {
		[XB_T_STRING] = { "string", NULL }, [XB_T_BOOL] = { "boolean", NULL }, [XB_T_INT32] = { "integer", "int32" },
		[XB_T_INT64] = { "integer", "int64" }, [XB_T_DOUBLE] = { "number", "double" }, [XB_T_BYTES] = { "string", "byte" },
		[XB_T_TIME] = { "string", "date-time" }, [XB_T_MICRO_TIME] = { "string", "date-time" },
		[XB_T_INT_OR_STRING] = { "string", "int-or-string" }, [XB_T_ANY] = { "object", NULL },
	};

	if (f->kind == XB_T_OBJECT) {
		write_ref(w, f->type);
		return;
	}
	xb_jw_object(w);
	if (f->kind == XB_T_QUANTITY) {
		xb_jw_key(w, "oneOf");
		xb_jw_raw(w, XB_SV("[{\"type\":\"string\"},{\"type\":\"number\"}]"));
	} else {
		xb_jw_kstr(w, "type", scalars[f->kind].type);
		if (scalars[f->kind].format)
			xb_jw_kstr(w, "format", scalars[f->kind].format);
	}
	xb_jw_end(w);
}

static void write_map_keys(struct xb_jw *w, const char *keys)
{
	struct xb_sv rest = xb_sv(keys), key;

	xb_jw_kstr(w, "x-kubernetes-list-type", "map");
	xb_jw_key(w, "x-kubernetes-list-map-keys");
	xb_jw_array(w);
	while (xb_sv_split(&rest, ',', &key))
		xb_jw_sv(w, key);
	xb_jw_end(w);
}

static void write_strategy(struct xb_jw *w, const struct xb_field *f)
{
	if (f->shape == XB_LIST && f->map_keys)
		write_map_keys(w, f->map_keys);
	else if (f->shape == XB_LIST)
		xb_jw_kstr(w, "x-kubernetes-list-type", f->flags & XB_F_LIST_SET ? "set" : "atomic");
	if (f->flags & XB_F_ATOMIC && f->shape == XB_MAP)
		xb_jw_kstr(w, "x-kubernetes-map-type", "atomic");
	if (f->flags & XB_F_MERGE)
		xb_jw_kstr(w, "x-kubernetes-patch-strategy", f->flags & XB_F_RETAIN_KEYS ? "merge,retainKeys" : "merge");
	else if (f->flags & XB_F_RETAIN_KEYS)
		xb_jw_kstr(w, "x-kubernetes-patch-strategy", "retainKeys");
	if (f->merge_key)
		xb_jw_kstr(w, "x-kubernetes-patch-merge-key", f->merge_key);
}

static void write_property(struct xb_jw *w, const struct xb_field *f)
{
	xb_jw_key(w, f->name);
	if (f->shape == XB_ONE && f->kind != XB_T_OBJECT) {
		write_element(w, f);
		return;
	}
	xb_jw_object(w);
	if (f->shape == XB_ONE) { /* a reference alone may have no neighbours */
		xb_jw_key(w, "allOf");
		xb_jw_array(w);
		write_element(w, f);
		xb_jw_end(w);
	} else {
		xb_jw_kstr(w, "type", f->shape == XB_LIST ? "array" : "object");
		xb_jw_key(w, f->shape == XB_LIST ? "items" : "additionalProperties");
		write_element(w, f);
	}
	write_strategy(w, f);
	xb_jw_end(w);
}

static void write_gvk(struct xb_jw *w, const char *group, const char *version, const char *kind)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "group", group);
	xb_jw_kstr(w, "version", version);
	xb_jw_kstr(w, "kind", kind);
	xb_jw_end(w);
}

static void write_schema_kind(struct xb_jw *w, const struct xb_type *t)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		if ((*k)->type != t)
			continue;
		xb_jw_key(w, "x-kubernetes-group-version-kind");
		xb_jw_array(w);
		write_gvk(w, (*k)->group, (*k)->version, (*k)->kind);
		xb_jw_end(w);
	}
}

static void write_schema(struct xb_jw *w, const struct xb_type *t)
{
	_cleanup_buf_ struct xb_buf name = {};
	bool required = false;

	xb_buf_addf(&name, "%s.%s", t->package, t->name);
	xb_jw_keysv(w, xb_buf_sv(&name));
	xb_jw_object(w);
	xb_jw_kstr(w, "type", "object");
	xb_jw_key(w, "properties");
	xb_jw_object(w);
	for (unsigned i = 0; i < t->n_fields; i++) {
		write_property(w, &t->fields[i]);
		required |= t->fields[i].flags & XB_F_REQUIRED;
	}
	xb_jw_end(w);
	if (required) {
		xb_jw_key(w, "required");
		xb_jw_array(w);
		for (unsigned i = 0; i < t->n_fields; i++)
			if (t->fields[i].flags & XB_F_REQUIRED)
				xb_jw_str(w, t->fields[i].name);
		xb_jw_end(w);
	}
	if (t->atomic)
		xb_jw_kstr(w, "x-kubernetes-map-type", "atomic");
	write_schema_kind(w, t);
	xb_jw_end(w);
}

/* --- paths --- */

static void write_parameters(struct xb_jw *w)
{
	static const char *const names[] = { "dryRun", "fieldManager", "fieldValidation" };

	xb_jw_key(w, "parameters");
	xb_jw_array(w);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		xb_jw_object(w);
		xb_jw_kstr(w, "name", names[i]);
		xb_jw_kstr(w, "in", "query");
		xb_jw_key(w, "schema");
		xb_jw_raw(w, XB_SV("{\"type\":\"string\",\"uniqueItems\":true}"));
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static const struct operation {
	enum xb_verb verb;
	const char *method, *action;
	bool one;                      /* on a named object */
} operations[] = {
	{ XB_VERB_LIST, "get", "list", false }, { XB_VERB_CREATE, "post", "post", false },
	{ XB_VERB_DELETECOLLECTION, "delete", "deletecollection", false }, { XB_VERB_GET, "get", "get", true },
	{ XB_VERB_UPDATE, "put", "put", true }, { XB_VERB_PATCH, "patch", "patch", true }, { XB_VERB_DELETE, "delete", "delete", true },
};

static void write_operation(struct xb_jw *w, const struct xb_kind *k, const struct operation *o)
{
	xb_jw_key(w, o->method);
	xb_jw_object(w);
	xb_jw_kstr(w, "x-kubernetes-action", o->action);
	xb_jw_key(w, "x-kubernetes-group-version-kind");
	write_gvk(w, k->group, k->version, k->kind);
	if (o->verb != XB_VERB_LIST && o->verb != XB_VERB_GET)
		write_parameters(w);
	xb_jw_key(w, "responses");
	xb_jw_raw(w, XB_SV("{\"200\":{\"description\":\"OK\"}}"));
	xb_jw_end(w);
}

static void write_path(struct xb_jw *w, const struct xb_kind *k, bool one)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_addf(&path, "/%s%s/%s%s/%s%s", *k->group ? "apis/" : "api", k->group, k->version,
		    k->namespaced ? "/namespaces/{namespace}" : "", k->plural, one ? "/{name}" : "");
	xb_jw_keysv(w, xb_buf_sv(&path));
	xb_jw_object(w);
	for (unsigned i = 0; i < ARRAY_SIZE(operations); i++)
		if (operations[i].one == one && k->verbs & operations[i].verb)
			write_operation(w, k, &operations[i]);
	xb_jw_end(w);
}

static bool is_of(const struct xb_kind *k, const struct xb_kind *first)
{
	return !strcmp(k->group, first->group) && !strcmp(k->version, first->version);
}

/* The document of the group's version that the kind first is of. */
static int write_document(const struct xb_kind *first, struct xb_buf *out)
{
	_cleanup_(types_done) struct types types = {};
	struct xb_jw w = XB_JW(out);
	int r = 0;

	xb_jw_object(&w);
	xb_jw_kstr(&w, "openapi", "3.0.0");
	xb_jw_key(&w, "info");
	xb_jw_raw(&w, XB_SV("{\"title\":\"Kubernetes\",\"version\":\"v1.33.0\"}"));
	xb_jw_key(&w, "paths");
	xb_jw_object(&w);
	for (const struct xb_kind *const *k = xb_kinds; *k && !r; k++) {
		if (!is_of(*k, first))
			continue;
		write_path(&w, *k, false);
		write_path(&w, *k, true);
		r = add_type(&types, (*k)->type);
	}
	xb_jw_end(&w);
	xb_jw_key(&w, "components");
	xb_jw_object(&w);
	xb_jw_key(&w, "schemas");
	xb_jw_object(&w);
	for (size_t i = 0; i < types.list.n; i++)
		write_schema(&w, types.list.v[i]);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return r ? r : xb_jw_finish(&w);
}

static void hash_text(struct xb_sv document, char ret[2 * SHA256_DIGEST_LENGTH + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)document.p, document.n, digest);
	for (unsigned i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02X", digest[i]);
}

static void document_path(const struct xb_kind *first, struct xb_buf *out)
{
	if (*first->group)
		xb_buf_addf(out, "apis/%s/%s", first->group, first->version);
	else
		xb_buf_addf(out, "api/%s", first->version);
}

static int write_index_entry(struct xb_jw *w, const struct xb_kind *first)
{
	_cleanup_buf_ struct xb_buf document = {}, path = {}, url = {};
	char hash[2 * SHA256_DIGEST_LENGTH + 1];
	int r;

	r = write_document(first, &document);
	if (r)
		return r;
	hash_text(xb_buf_sv(&document), hash);
	document_path(first, &path);
	xb_buf_addf(&url, "/openapi/v3/%s?hash=%s", path.p ? path.p : "", hash);
	xb_jw_keysv(w, xb_buf_sv(&path));
	xb_jw_object(w);
	xb_jw_ksv(w, "serverRelativeURL", xb_buf_sv(&url));
	xb_jw_end(w);
	return path.err ? path.err : url.err;
}

static int reply_index(struct request *q)
{
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);
	int r = 0;

	xb_jw_object(&w);
	xb_jw_key(&w, "paths");
	xb_jw_object(&w);
	for (const struct xb_kind *const *k = xb_kinds; *k && !r; k++)
		if (discovery_first_of(k, true))
			r = write_index_entry(&w, *k);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (r) {
		xb_buf_done(&body);
		return r;
	}
	request_reply_buf(q, 200, "application/json", &body);
	return 0;
}

static int reply_document(struct request *q, const struct xb_kind *first)
{
	char hash[2 * SHA256_DIGEST_LENGTH + 1], etag[sizeof(hash) + 2];
	struct xb_buf body = {};
	int r;

	r = write_document(first, &body);
	if (r) {
		xb_buf_done(&body);
		return r;
	}
	hash_text(xb_buf_sv(&body), hash);
	snprintf(etag, sizeof(etag), "\"%s\"", hash);
	xb_http_add_header(q->http, "Etag", etag);
	xb_http_add_header(q->http, "Vary", "Accept");
	if (xb_sv_is(query_value(q->arena, xb_http_query(q->http), "hash"), hash))
		xb_http_add_header(q->http, "Cache-Control", "public, immutable");
	if (xb_sv_is(xb_http_header(q->http, "if-none-match"), etag)) {
		xb_buf_done(&body);
		request_reply(q, 304, NULL, (struct xb_sv){});
		return 0;
	}
	request_reply_buf(q, 200, "application/json", &body);
	return 0;
}

int openapi_v3(struct request *q)
{
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_sv rest = q->path;

	rest.p += strlen("/openapi/v3");
	rest.n -= strlen("/openapi/v3");
	if (rest.n <= 1)
		return reply_index(q);
	rest.p++;
	rest.n--;
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		if (!discovery_first_of(k, true))
			continue;
		xb_buf_clear(&path);
		document_path(*k, &path);
		if (xb_sv_eq(rest, xb_buf_sv(&path)))
			return reply_document(q, *k);
	}
	return route_not_found(&q->fault);
}

/*
 * OpenAPI v2 is asked for by old kubectl, as protobuf, before it writes anything; a document without paths or definitions
 * makes it go on without checks of its own. gnostic's Document: 1 is swagger, 2 is info with 1 title and 2 version.
 * Its parser of media types does not take the "@" in what it asks for, so the answer's type has none.
 */
int openapi_v2(struct request *q)
{
	struct xb_sv accept = xb_http_header(q->http, "accept");

	if (accept.n && memmem(accept.p, accept.n, "protobuf", strlen("protobuf")))
		request_reply(q, 200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
			      XB_SV("\012\0032.0\022\025\012\012Kubernetes\022\007v1.33.0"));
	else
		request_reply(q, 200, "application/json",
			      XB_SV("{\"swagger\":\"2.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"v1.33.0\"},\"paths\":{},\"definitions\":{}}"));
	return 0;
}
