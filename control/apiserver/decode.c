/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "decode.h"
#include "xb/protobuf.h"
#include "xb/yaml.h"

#define STRICT_MAX 100 /* findings told; upstream stops at as many */

/* Unknown and duplicate fields, as they are told to the client: in the fault, or one warning each. */
struct findings {
	struct request *request;
	struct xb_buf *text;
	unsigned n;
};

struct expected expected_of(const struct route *t)
{
	const struct xb_kind *k = t->kind;

	if (t->sub && t->sub->kind)
		return (struct expected){ t->sub->group, t->sub->version, t->sub->kind, t->sub->type };
	return (struct expected){ k->group, k->version, k->kind, t->sub ? t->sub->type : k->type };
}

/* v1.33: what is not said is Warn. */
static bool strict(const struct request *q)
{
	return xb_sv_is(q->query.field_validation, "Strict");
}

static bool silent(const struct request *q)
{
	return xb_sv_is(q->query.field_validation, "Ignore");
}

static void find(struct findings *f, const char *what, const char *path)
{
	_cleanup_buf_ struct xb_buf one = {};

	if (silent(f->request) || f->n++ >= STRICT_MAX)
		return;
	xb_buf_addf(&one, "%s field ", what);
	xb_buf_addq(&one, xb_sv(path));
	if (!strict(f->request)) {
		request_warn(f->request, xb_buf_sv(&one));
		return;
	}
	xb_buf_adds(f->text, f->text->n ? ", " : "");
	xb_buf_addsv(f->text, xb_buf_sv(&one));
}

static void on_unknown(void *arg, const char *path)
{
	find(arg, "unknown", path);
}

static void on_duplicate(void *arg, const char *path)
{
	find(arg, "duplicate", path);
}

/* The first bytes of a body that could not be read, as upstream shows them. */
static void add_summary(struct xb_sv body, struct xb_buf *out)
{
	size_t n = MIN(body.n, (size_t)30);

	if (!body.n) {
		xb_buf_adds(out, "<empty>");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (body.p[0] == '{')
			xb_buf_addc(out, body.p[i]);
		else
			xb_buf_addf(out, "%02x", (unsigned char)body.p[i]);
	}
	if (n < body.n)
		xb_buf_adds(out, " ...");
}

static int unrecognized(struct request *q, struct expected want, const char *prefix, struct xb_sv why)
{
	_cleanup_buf_ struct xb_buf summary = {};

	add_summary(xb_http_body(q->http), &summary);
	if (summary.err)
		return summary.err;
	return xb_status_bad_request(&q->fault, "the object provided is unrecognized (must be of type %s): %s%.*s (%.*s)", want.kind,
				     prefix, XB_SV_ARG(why), (int)summary.n, summary.p);
}

static struct expected claimed_kind(struct xb_sv api_version, struct xb_sv kind, struct expected want, struct xb_arena *a)
{
	struct xb_sv group, rest = api_version;

	if (kind.n)
		want.kind = xb_arena_strn(a, kind);
	if (!api_version.n)
		return want;
	xb_sv_split(&rest, '/', &group);
	want.group = rest.p ? xb_arena_strn(a, group) : "";
	want.version = xb_arena_strn(a, rest.p ? rest : group);
	return want;
}

static const char *version_text(struct xb_arena *a, struct expected e)
{
	const struct xb_sv texts[] = { xb_sv(e.group), XB_SV("/"), xb_sv(e.version) };

	return *e.group ? xb_arena_join(a, texts, ARRAY_SIZE(texts)) : e.version;
}

static int check_kind(struct request *q, struct expected want, const struct xb_tree *object)
{
	struct expected is = claimed_kind(xb_tree_gettext(object, "apiVersion"), xb_tree_gettext(object, "kind"), want, q->arena);
	const char *version;

	if (!is.group || !is.version || !is.kind)
		return -ENOMEM;
	if (!strcmp(is.group, want.group) && !strcmp(is.version, want.version) && !strcmp(is.kind, want.kind))
		return 0;
	/* these are registered with every group */
	if (want.type == &xb_type_delete_options && !strcmp(is.kind, want.kind))
		return 0;
	/* policy/v1 and v1beta1 have the same Eviction, and a pod takes both */
	if (q->route.sub && !strcmp(q->route.sub->name, "eviction") && !strcmp(is.group, want.group) && !strcmp(is.kind, want.kind))
		return 0;
	version = version_text(q->arena, is);
	if (!version)
		return -ENOMEM;
	if (!xb_kind_by_name(xb_sv(is.group), xb_sv(is.version), xb_sv(is.kind)))
		return xb_status_bad_request(&q->fault,
			"%s in version \"%s\" cannot be handled as a %s: no kind \"%s\" is registered for version \"%s\" in scheme \"%s\"",
			is.kind, version, want.kind, is.kind, version, "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30");
	return xb_status_bad_request(&q->fault,
		"%s in version \"%s\" cannot be handled as a %s: converting (%s.%s) to (%s.%s): unknown conversion",
		is.kind, version, want.kind, is.version, is.kind, *want.group ? want.group : "core", want.kind);
}

static int yaml_to_json(struct xb_sv bytes, struct xb_buf *out, struct xb_buf *retwhy)
{
	_cleanup_(xb_yaml_freep) struct xb_yaml *y = NULL;
	int r;

	r = xb_yaml_new(bytes, NULL, &y);
	if (r)
		return r;
	r = xb_yaml_next(y, out, retwhy);
	if (!r)
		xb_buf_adds(out, "null");
	return r < 0 ? r : out->err;
}

static int parse(struct request *q, struct xb_sv bytes, bool yaml, struct xb_json **ret, struct xb_buf *retwhy)
{
	_cleanup_buf_ struct xb_buf json = {};
	struct xb_json_fault fault;
	int r;

	if (yaml) {
		r = yaml_to_json(bytes, &json, retwhy);
		if (r)
			return r;
		bytes = xb_buf_sv(&json);
	}
	r = xb_json_parse(bytes, NULL, ret, &fault);
	if (r == -EBADMSG)
		xb_json_fault_text(&fault, retwhy);
	else if (r == -E2BIG)
		xb_buf_adds(retwhy, "exceeded max depth or size");
	return r;
}

int decode_bytes(struct request *q, struct xb_sv bytes, bool yaml, struct xb_tree **ret, struct xb_buf *retwhy)
{
	struct findings f = { .request = q, .text = &q->strict };
	struct xb_json *doc = NULL;
	int r;

	r = parse(q, bytes, yaml, &doc, retwhy);
	if (r)
		return r;
	r = request_keep(q, doc);
	if (r)
		return r;
	*ret = xb_tree_from(q->arena, xb_json_root(doc), on_duplicate, &f);
	return *ret ? 0 : -ENOMEM;
}

static const char *go_type_name(const struct xb_tree *n)
{
	switch (n->type) {
	case XB_JSON_ARRAY:
		return "array";
	case XB_JSON_STRING:
		return "string";
	case XB_JSON_NUMBER:
		return "number";
	case XB_JSON_BOOL:
		return "bool";
	default:
		return NULL;
	}
}

/* Upstream reads apiVersion and kind first, into a struct of Go: its texts for a body that does not fit it. */
static int check_shape(struct request *q, struct expected want, const struct xb_tree *n)
{
	static const char *const members[] = { "apiVersion", "kind" };
	const char *prefix = "couldn't get version/kind; json parse error: json: cannot unmarshal ", *is = go_type_name(n);

	if (is)
		return unrecognized(q, want, prefix, xb_sv(xb_arena_printf(q->arena,
			"%s into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }", is)));
	for (unsigned i = 0; i < ARRAY_SIZE(members); i++) {
		const struct xb_tree *m = xb_tree_get(n, members[i]);

		if (m && m->type != XB_JSON_STRING && m->type != XB_JSON_NULL)
			return unrecognized(q, want, prefix, xb_sv(xb_arena_printf(q->arena, "%s into Go struct field .%s of type string",
				m->type == XB_JSON_OBJECT ? "object" : go_type_name(m), members[i])));
	}
	return 0;
}

static int cannot_handle(struct request *q, struct expected want, const char *why)
{
	const char *version = version_text(q->arena, want);

	if (!version)
		return -ENOMEM;
	return xb_status_bad_request(&q->fault, "%s in version \"%s\" cannot be handled as a %s: %s", want.kind, version, want.kind, why);
}

/* The body may go with its connection while the request still waits for the store; the tree may not. */
static int decode_protobuf(struct request *q, struct expected want, struct xb_tree **ret)
{
	struct xb_sv body = xb_arena_sv(q->arena, xb_http_body(q->http));
	struct xb_tree *object = xb_tree_object(q->arena), *version, *kind;
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_protobuf_envelope e;
	int r;

	if (!body.p)
		return -ENOMEM;
	r = xb_protobuf_open(body, &e, &why);
	if (r == -EBADMSG)
		return unrecognized(q, want, "", xb_buf_sv(&why));
	if (r)
		return r;
	version = xb_tree_str(q->arena, e.api_version);
	kind = xb_tree_str(q->arena, e.kind);
	if (!object || !version || !kind)
		return -ENOMEM;
	xb_tree_setc(object, "apiVersion", version);
	xb_tree_setc(object, "kind", kind);
	r = check_kind(q, want, object);
	if (r)
		return r;
	r = xb_protobuf_decode(q->arena, want.type, e.message, object, &why);
	if (r == -EBADMSG)
		return cannot_handle(q, want, why.p);
	if (r)
		return r;
	*ret = object;
	return 0;
}

int decode_tree(struct request *q, struct expected want, bool empty_allowed, struct xb_tree **ret)
{
	enum body_type type = negotiate_body(xb_http_header(q->http, "content-type"));
	struct xb_sv body = xb_http_body(q->http);
	_cleanup_buf_ struct xb_buf why = {};
	struct xb_tree *n = NULL;
	int r;

	if (empty_allowed && !xb_sv_trim(body).n) {
		*ret = NULL;
		return 0;
	}
	if (type == BODY_PROTOBUF)
		return decode_protobuf(q, want, ret);
	if (type != BODY_JSON && type != BODY_YAML)
		return xb_status_set(&q->fault, 415, "UnsupportedMediaType",
				     "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf");
	r = decode_bytes(q, body, type == BODY_YAML, &n, &why);
	if (r == -EBADMSG || r == -E2BIG)
		return unrecognized(q, want, type == BODY_YAML ? "" : "couldn't get version/kind; json parse error: ",
				    xb_buf_sv(&why));
	if (r)
		return r;
	r = check_shape(q, want, n);
	if (r)
		return r;
	if (n->type == XB_JSON_NULL)
		n = xb_tree_object(q->arena);
	if (!n)
		return -ENOMEM;
	r = check_kind(q, want, n);
	if (r)
		return r;
	*ret = n;
	return 0;
}

static int stamp_kind(struct request *q, struct expected want, struct xb_tree *object)
{
	const char *version = version_text(q->arena, want);
	struct xb_tree *v = version ? xb_tree_str(q->arena, xb_sv(version)) : NULL;
	struct xb_tree *k = xb_tree_str(q->arena, xb_sv(want.kind));

	if (!v || !k)
		return -ENOMEM;
	xb_tree_setc(object, "apiVersion", v);
	xb_tree_setc(object, "kind", k);
	return 0;
}

int decode_fields(struct request *q, struct expected want, struct xb_tree *object, struct xb_buf *retwhy)
{
	const struct strategy *s = strategy_of(q->route.kind);
	struct findings f = { .request = q, .text = &q->strict };
	struct xb_decode d = { .arena = q->arena, .unknown = on_unknown, .arg = &f };
	int r;

	r = stamp_kind(q, want, object);
	if (r)
		return r;
	r = xb_schema_decode(&d, want.type, object, &q->fault);
	if (r == -EINVAL && q->fault.code) {
		xb_buf_adds(retwhy, q->fault.message ? q->fault.message : "");
		return retwhy->err ? retwhy->err : -EBADMSG;
	}
	if (r)
		return r;
	if (q->strict.n) {
		xb_buf_addf(retwhy, "strict decoding error: %s", q->strict.p);
		return retwhy->err ? retwhy->err : -EBADMSG;
	}
	if (q->strict.err)
		return q->strict.err;
	if (want.type != q->route.kind->type)
		return 0;
	r = xb_kind_to_stored(q->route.kind, q->arena, object);
	if (r)
		return r;
	if (s->defaults)
		s->defaults(&q->write, object);
	return q->write.no_memory ? -ENOMEM : 0;
}

int decode_object(struct request *q, struct expected want, struct xb_tree *object)
{
	_cleanup_buf_ struct xb_buf why = {};
	int r = decode_fields(q, want, object, &why);

	return r == -EBADMSG ? cannot_handle(q, want, why.p) : r;
}

int decode_body(struct request *q, struct xb_tree **ret)
{
	struct expected want = expected_of(&q->route);
	int r;

	r = decode_tree(q, want, false, ret);
	return r ? r : decode_object(q, want, *ret);
}
