/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/evp.h>

#include "edit.h"
#include "keys.h"
#include "table.h"

/* stringData is for writing only: it goes into data, over what stands there. */
static void defaults(struct write *w, struct xb_tree *object)
{
	struct xb_tree *plain = xb_tree_get(object, "stringData"), *data;

	if (!plain)
		return;
	data = plain->first ? edit_obtain(w, object, "data") : NULL;
	xb_tree_each(s, plain)
		edit_entry(w, data, s->key, xb_sv(keys_encode(w->arena, s->text)));
	xb_tree_remove(plain);
}

static void prepare_update(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	if (!xb_tree_gettext(object, "type").n)
		edit_keep(w, object, old, "type");
}

/* Keys that a type demands; a second name means: one of them, or both. */
static const struct {
	const char *type, *key, *or_key;
} demands[] = {
	{ "kubernetes.io/dockercfg", ".dockercfg", NULL },
	{ "kubernetes.io/dockerconfigjson", ".dockerconfigjson", NULL },
	{ "kubernetes.io/basic-auth", "username", "password" },
	{ "kubernetes.io/ssh-auth", "ssh-privatekey", NULL },
	{ "kubernetes.io/tls", "tls.crt", NULL },
	{ "kubernetes.io/tls", "tls.key", NULL },
};

/* NULL when the bytes are a JSON object, else why not, as Go says it; in the arena. */
static const char *json_fault(struct xb_arena *a, struct xb_sv base64)
{
	unsigned char *bytes = xb_arena_alloc(a, base64.n / 4 * 3 + 1);
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_json_fault fault = { .byte = -1, .what = "unexpected end of JSON input" };
	int r;

	if (!bytes || EVP_DecodeBlock(bytes, (const unsigned char *)base64.p, (int)base64.n) < 0)
		return "illegal base64 data";
	r = xb_json_parse((struct xb_sv){ (char *)bytes, keys_decoded_size(base64) }, NULL, &d, &fault);
	if (!r)
		return xb_jv_type(xb_json_root(d)) == XB_JSON_OBJECT ? NULL : "json: cannot unmarshal into Go value of type map[string]interface {}";
	xb_json_fault_text(&fault, &text);
	return xb_arena_strn(a, xb_buf_sv(&text));
}

static void validate_docker(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *config)
{
	const char *fault = config ? json_fault(e->arena, xb_tree_text(config)) : NULL;

	if (fault)
		xb_err_invalid_sv(e, at, XB_SV("<secret contents redacted>"), "%s", fault);
}

static void validate_type(struct xb_field_errors *e, const struct xb_tree *object)
{
	static const char account[] = "kubernetes.io/service-account.name";
	const struct xb_tree *data = xb_tree_get(object, "data"), *type = xb_tree_get(object, "type");
	const struct xb_path *at = XB_PATH(NULL, "data");

	if (xb_tree_is(type, "kubernetes.io/service-account-token") &&
	    !xb_tree_gettext(xb_tree_path(object, "metadata", "annotations"), account).n)
		xb_err_required(e, XB_PATH_KEY(XB_PATH(XB_PATH(NULL, "metadata"), "annotations"), xb_sv(account)), "");
	for (size_t i = 0; i < ARRAY_SIZE(demands); i++) {
		const struct xb_tree *value = xb_tree_get(data, demands[i].key);
		const char *or_key = demands[i].or_key;

		if (!xb_tree_is(type, demands[i].type) || (or_key && (value || xb_tree_get(data, or_key))))
			continue;
		if (!value)
			xb_err_required(e, XB_PATH_KEY(at, xb_sv(demands[i].key)), "");
		if (or_key)
			xb_err_required(e, XB_PATH_KEY(at, xb_sv(or_key)), "");
		if (demands[i].key[0] == '.')
			validate_docker(e, XB_PATH_KEY(at, xb_sv(demands[i].key)), value);
	}
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	const struct xb_path *data = XB_PATH(NULL, "data");
	size_t total = 0;

	xb_tree_each(d, xb_tree_get(object, "data")) {
		xb_validate(e, XB_PATH_KEY(data, d->key), d->key, xb_check_config_key);
		total += keys_decoded_size(d->text);
	}
	if (total > KEYS_MAX_BYTES)
		xb_err_too_long(e, data, KEYS_MAX_BYTES);
	validate_type(e, object);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	static const char *const fixed[] = { "data", NULL };

	xb_validate_immutable(e, XB_PATH(NULL, "type"), xb_tree_get(object, "type"), xb_tree_get(old, "type"));
	keys_validate_immutable(e, object, old, fixed);
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Type", "string", "", "Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types", 0 },
	{ "Data", "string", "", "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4", 0 },
	COLUMN_AGE,
};

static void row(struct table_row *r, struct xb_jv object)
{
	cell_name(r, object);
	cell_text(r, xb_jv_get(object, "type"), "");
	xb_jw_int(r->w, (int64_t)xb_jv_count(xb_jv_get(object, "data")));
	cell_age(r, object);
}

const struct strategy secret_strategy = {
	.group = "", .kind = "Secret",
	.name = xb_check_dns1123_subdomain,
	.defaults = defaults,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_update = validate_update,
	.unconditional_update = true,
	COLUMNS(columns),
	.row = row,
};
