/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include "openapi.h"

/* --- what can be asked in a query --- */

#define CREATE XB_VERB_CREATE
#define DELETE XB_VERB_DELETE
#define DELETE_ALL XB_VERB_DELETECOLLECTION
#define LIST XB_VERB_LIST
#define WRITE (XB_VERB_CREATE | XB_VERB_UPDATE | XB_VERB_PATCH)

static const struct parameter {
	const char *name, *type;
	unsigned verbs;
	bool inlined;                  /* version 2: kubectl looks for it in the operation, and follows no reference */
} parameters[] = {
	{ "allowWatchBookmarks", "boolean", LIST, false },
	{ "continue", "string", LIST | DELETE_ALL, false },
	{ "dryRun", "string", WRITE | DELETE | DELETE_ALL, true },
	{ "fieldManager", "string", WRITE, false },
	{ "fieldSelector", "string", LIST | DELETE_ALL, false },
	{ "fieldValidation", "string", WRITE, true },
	{ "force", "boolean", XB_VERB_PATCH, false },
	{ "gracePeriodSeconds", "integer", DELETE | DELETE_ALL, false },
	{ "labelSelector", "string", LIST | DELETE_ALL, false },
	{ "limit", "integer", LIST | DELETE_ALL, false },
	{ "orphanDependents", "boolean", DELETE | DELETE_ALL, false },
	{ "propagationPolicy", "string", DELETE | DELETE_ALL, false },
	{ "resourceVersion", "string", LIST | DELETE_ALL, false },
	{ "resourceVersionMatch", "string", LIST | DELETE_ALL, false },
	{ "sendInitialEvents", "boolean", LIST | DELETE_ALL, false },
	{ "timeoutSeconds", "integer", LIST | DELETE_ALL, false },
	{ "watch", "boolean", LIST, false },
};

/* The members of a parameter that is not a body. */
static void write_members(struct openapi *o, const char *name, const char *in, const char *type)
{
	xb_jw_kstr(&o->w, "name", name);
	xb_jw_kstr(&o->w, "in", in);
	if (!strcmp(in, "path"))
		xb_jw_kbool(&o->w, "required", true);
	if (openapi_is_v3(o)) {
		xb_jw_key(&o->w, "schema");
		xb_jw_object(&o->w);
	}
	xb_jw_kstr(&o->w, "type", type);
	xb_jw_kbool(&o->w, "uniqueItems", true);
	if (openapi_is_v3(o))
		xb_jw_end(&o->w);
}

static void write_query(struct openapi *o, const struct parameter *p)
{
	_cleanup_buf_ struct xb_buf ref = {};

	xb_jw_object(&o->w);
	if (openapi_is_v3(o) || p->inlined) {
		write_members(o, p->name, "query", p->type);
	} else {
		xb_buf_addf(&ref, "#/parameters/%s", p->name);
		xb_jw_ksv(&o->w, "$ref", xb_buf_sv(&ref));
	}
	xb_jw_end(&o->w);
}

void openapi_write_parameters(struct openapi *o)
{
	for (unsigned i = 0; i < ARRAY_SIZE(parameters); i++) {
		if (parameters[i].inlined)
			continue;
		xb_jw_key(&o->w, parameters[i].name);
		xb_jw_object(&o->w);
		write_members(o, parameters[i].name, "query", parameters[i].type);
		xb_jw_end(&o->w);
	}
}

/* --- operations --- */

/* One path: of a kind's objects, of one, or of its subresource. */
struct place {
	const struct xb_kind *kind;
	const struct xb_subresource *sub;
	bool named, everywhere;        /* everywhere: the objects of all namespaces */
	bool with_path;                /* with what follows the subresource */
};

/* Somebody else answers there: a text, or a stream. */
static bool is_anothers(const struct place *p)
{
	return p->sub && !p->sub->type;
}
static bool is_connect(const struct place *p)
{
	return is_anothers(p) && p->sub->kind;
}

static const struct operation {
	enum xb_verb verb;
	const char *method, *action, *id; /* id: what the operation's begins with */
	bool named;
	const char *codes[3];
} operations[] = {
	{ XB_VERB_LIST, "get", "list", "list", false, { "200" } },
	{ XB_VERB_CREATE, "post", "post", "create", false, { "200", "201", "202" } },
	{ XB_VERB_DELETECOLLECTION, "delete", "deletecollection", "delete", false, { "200" } },
	{ XB_VERB_GET, "get", "get", "read", true, { "200" } },
	{ XB_VERB_UPDATE, "put", "put", "replace", true, { "200", "201" } },
	{ XB_VERB_PATCH, "patch", "patch", "patch", true, { "200", "201" } },
	{ XB_VERB_DELETE, "delete", "delete", "delete", true, { "200", "202" } },
};

/* Those of what is connected to: by the method, whatever it means to who answers. */
static const struct operation connects[] = {
	{ XB_VERB_GET, "get", "connect", "connect", true, { "200" } },
	{ XB_VERB_CREATE, "post", "connect", "connect", true, { "200" } },
	{ XB_VERB_UPDATE, "put", "connect", "connect", true, { "200" } },
	{ XB_VERB_PATCH, "patch", "connect", "connect", true, { "200" } },
	{ XB_VERB_DELETE, "delete", "connect", "connect", true, { "200" } },
};

/* "get", ... of a place, with how many there are. */
static const struct operation *operations_of(const struct place *p, unsigned *ret_n)
{
	*ret_n = is_connect(p) ? ARRAY_SIZE(connects) : ARRAY_SIZE(operations);
	return is_connect(p) ? connects : operations;
}

static bool has_operation(const struct place *p, const struct operation *x)
{
	if (p->everywhere)
		return x->verb == XB_VERB_LIST && p->kind->verbs & XB_VERB_LIST;
	if (p->sub)
		return p->sub->verbs & x->verb;
	return x->named == p->named && p->kind->verbs & x->verb;
}

/* "rbac.authorization.k8s.io" as "rbacAuthorization", "" as "core"; with its first letter as wanted. */
static void add_group(struct xb_buf *out, const char *group, bool capital)
{
	struct xb_sv rest = xb_sv(*group ? group : "core"), part;

	if (xb_sv_ends(rest, ".k8s.io"))
		rest.n -= strlen(".k8s.io");
	while (xb_sv_split(&rest, '.', &part)) {
		xb_buf_addc(out, capital ? toupper((unsigned char)part.p[0]) : part.p[0]);
		xb_buf_add(out, part.p + 1, part.n - 1);
		capital = true;
	}
}

static void add_capital(struct xb_buf *out, const char *word)
{
	xb_buf_addc(out, toupper((unsigned char)*word));
	xb_buf_adds(out, word + 1);
}

/* "readCoreV1NamespacedPodStatus": generated clients name their functions so. */
static void write_id(struct openapi *o, const struct place *p, const struct operation *x)
{
	_cleanup_buf_ struct xb_buf id = {};

	xb_buf_adds(&id, x->id);
	add_group(&id, p->kind->group, true);
	add_capital(&id, p->kind->version);
	if (is_connect(p))
		add_capital(&id, x->method);
	if (x->verb == XB_VERB_DELETECOLLECTION)
		xb_buf_adds(&id, "Collection");
	if (p->kind->namespaced && !p->everywhere)
		xb_buf_adds(&id, "Namespaced");
	xb_buf_adds(&id, p->kind->kind);
	if (p->sub)
		add_capital(&id, p->sub->name);
	if (p->everywhere)
		xb_buf_adds(&id, "ForAllNamespaces");
	if (p->with_path)
		xb_buf_adds(&id, "WithPath");
	xb_jw_ksv(&o->w, "operationId", xb_buf_sv(&id));
	xb_buf_clear(&id);
	add_group(&id, p->kind->group, false);
	xb_buf_addf(&id, "_%s", p->kind->version);
	xb_jw_key(&o->w, "tags");
	xb_jw_array(&o->w);
	xb_jw_sv(&o->w, xb_buf_sv(&id));
	xb_jw_end(&o->w);
}

static void write_schema_of(struct openapi *o, const char *package, const char *name)
{
	xb_jw_key(&o->w, "schema");
	xb_jw_object(&o->w);
	openapi_write_ref(o, package, name);
	xb_jw_end(&o->w);
}

/* Version 3: the schema by media types. */
static void write_content(struct openapi *o, const char *const *types, const char *package, const char *name)
{
	xb_jw_key(&o->w, "content");
	xb_jw_object(&o->w);
	for (; *types; types++) {
		xb_jw_key(&o->w, *types);
		xb_jw_object(&o->w);
		write_schema_of(o, package, name);
		xb_jw_end(&o->w);
	}
	xb_jw_end(&o->w);
}

static const char *const any_type[] = { "*/*", NULL };
static const char *const answer_types[] = { "application/json", "application/yaml", NULL };
static const char *const patch_types[] = {
	"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
	"application/apply-patch+yaml", NULL
};

static void write_strings(struct openapi *o, const char *key, const char *const *all)
{
	xb_jw_key(&o->w, key);
	xb_jw_array(&o->w);
	for (; *all; all++)
		xb_jw_str(&o->w, *all);
	xb_jw_end(&o->w);
}

static const struct xb_type *body_type(const struct place *p)
{
	return p->sub ? p->sub->type : p->kind->type;
}

/* The type of the operation's body; false when it has none. */
static bool find_body(const struct place *p, const struct operation *x, const char **ret_package, const char **ret_name)
{
	const struct xb_type *t = x->verb & (DELETE | DELETE_ALL) ? &xb_type_delete_options : body_type(p);

	if (x->verb == XB_VERB_GET || x->verb == XB_VERB_LIST || is_anothers(p))
		return false;
	*ret_package = x->verb == XB_VERB_PATCH ? OPENAPI_META : t->package;
	*ret_name = x->verb == XB_VERB_PATCH ? "Patch" : t->name;
	return true;
}

static void write_operation_parameters(struct openapi *o, const struct place *p, const struct operation *x)
{
	const char *package, *name;

	xb_jw_key(&o->w, "parameters");
	xb_jw_array(&o->w);
	if (!openapi_is_v3(o) && find_body(p, x, &package, &name)) {
		xb_jw_object(&o->w);
		xb_jw_kstr(&o->w, "name", "body");
		xb_jw_kstr(&o->w, "in", "body");
		if (x->verb & WRITE)
			xb_jw_kbool(&o->w, "required", true);
		write_schema_of(o, package, name);
		xb_jw_end(&o->w);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(parameters); i++)
		if (parameters[i].verbs & x->verb && !is_anothers(p))
			write_query(o, &parameters[i]);
	xb_jw_end(&o->w);
}

static void write_body(struct openapi *o, const struct place *p, const struct operation *x)
{
	const char *package, *name;

	if (!find_body(p, x, &package, &name))
		return;
	xb_jw_key(&o->w, "requestBody");
	xb_jw_object(&o->w);
	write_content(o, x->verb == XB_VERB_PATCH ? patch_types : any_type, package, name);
	if (x->verb & WRITE)
		xb_jw_kbool(&o->w, "required", true);
	xb_jw_end(&o->w);
}

static void write_text_response(struct openapi *o)
{
	static const char version_2[] = "{\"description\":\"OK\",\"schema\":{\"type\":\"string\"}}";
	static const char version_3[] = "{\"description\":\"OK\",\"content\":{\"*/*\":{\"schema\":{\"type\":\"string\"}}}}";

	xb_jw_key(&o->w, "200");
	xb_jw_raw(&o->w, xb_sv(openapi_is_v3(o) ? version_3 : version_2));
}

static void write_body_responses(struct openapi *o, const struct place *p, const struct operation *x)
{
	const struct xb_type *t = x->verb & (DELETE | DELETE_ALL) ? &xb_type_status : body_type(p);
	const char *name = x->verb == XB_VERB_LIST ? p->kind->list_kind : t->name;
	static const char *const words[] = { "OK", "Created", "Accepted" };

	for (unsigned i = 0; i < ARRAY_SIZE(x->codes) && x->codes[i]; i++) {
		xb_jw_key(&o->w, x->codes[i]);
		xb_jw_object(&o->w);
		xb_jw_kstr(&o->w, "description", words[x->codes[i][2] - '0']);
		if (openapi_is_v3(o))
			write_content(o, answer_types, t->package, name);
		else
			write_schema_of(o, t->package, name);
		xb_jw_end(&o->w);
	}
}

static void write_responses(struct openapi *o, const struct place *p, const struct operation *x)
{
	xb_jw_key(&o->w, "responses");
	xb_jw_object(&o->w);
	if (is_anothers(p))
		write_text_response(o);
	else
		write_body_responses(o, p, x);
	xb_jw_key(&o->w, "401");
	xb_jw_raw(&o->w, XB_SV("{\"description\":\"Unauthorized\"}"));
	xb_jw_end(&o->w);
}

static void write_operation(struct openapi *o, const struct place *p, const struct operation *x)
{
	xb_jw_key(&o->w, x->method);
	xb_jw_object(&o->w);
	if (!openapi_is_v3(o)) {
		write_strings(o, "consumes", x->verb == XB_VERB_PATCH && !is_anothers(p) ? patch_types : any_type);
		write_strings(o, "produces", is_anothers(p) ? any_type : answer_types);
	}
	write_id(o, p, x);
	write_operation_parameters(o, p, x);
	if (openapi_is_v3(o))
		write_body(o, p, x);
	write_responses(o, p, x);
	xb_jw_kstr(&o->w, "x-kubernetes-action", x->action);
	xb_jw_key(&o->w, "x-kubernetes-group-version-kind");
	if (p->sub && p->sub->kind)
		openapi_write_gvk(o, p->sub->group, p->sub->version, p->sub->kind);
	else
		openapi_write_gvk(o, p->kind->group, p->kind->version, p->kind->kind);
	xb_jw_end(&o->w);
}

/* --- paths --- */

static void write_path_parameters(struct openapi *o, const struct place *p)
{
	const bool has[] = { p->named, p->kind->namespaced && !p->everywhere, p->with_path };
	static const char *const names[] = { "name", "namespace", "path" };

	xb_jw_key(&o->w, "parameters");
	xb_jw_array(&o->w);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!has[i])
			continue;
		xb_jw_object(&o->w);
		write_members(o, names[i], "path", "string");
		xb_jw_end(&o->w);
	}
	xb_jw_end(&o->w);
}

static void write_path(struct openapi *o, const struct place *p)
{
	const struct xb_kind *k = p->kind;
	_cleanup_buf_ struct xb_buf path = {};
	bool any = false;
	unsigned n;
	const struct operation *all = operations_of(p, &n);

	for (unsigned i = 0; i < n; i++)
		any |= has_operation(p, &all[i]);
	if (!any)
		return;
	xb_buf_addf(&path, "/%s%s/%s%s/%s%s", *k->group ? "apis/" : "api", k->group, k->version,
		    k->namespaced && !p->everywhere ? "/namespaces/{namespace}" : "", k->plural, p->named ? "/{name}" : "");
	if (p->sub)
		xb_buf_addf(&path, "/%s%s", p->sub->name, p->with_path ? "/{path}" : "");
	xb_jw_keysv(&o->w, xb_buf_sv(&path));
	xb_jw_object(&o->w);
	for (unsigned i = 0; i < n; i++)
		if (has_operation(p, &all[i]))
			write_operation(o, p, &all[i]);
	write_path_parameters(o, p);
	xb_jw_end(&o->w);
}

bool openapi_has(const struct openapi *o, const struct xb_kind *k)
{
	return !o->of || (!strcmp(k->group, o->of->group) && !strcmp(k->version, o->of->version));
}

void openapi_write_paths(struct openapi *o)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		if (!openapi_has(o, *k))
			continue;
		if ((*k)->namespaced)
			write_path(o, &(struct place){ .kind = *k, .everywhere = true });
		write_path(o, &(struct place){ .kind = *k });
		write_path(o, &(struct place){ .kind = *k, .named = true });
		for (unsigned i = 0; i < (*k)->n_subresources; i++) {
			const struct xb_subresource *sub = &(*k)->subresources[i];

			write_path(o, &(struct place){ .kind = *k, .sub = sub, .named = true });
			if (sub->any_path)
				write_path(o, &(struct place){ .kind = *k, .sub = sub, .named = true, .with_path = true });
		}
	}
}
