/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/sha.h>
#include "openapi.h"
#include "paths.h"
#include "server.h"

static int write_document(struct openapi *o)
{
	int r;

	xb_jw_object(&o->w);
	xb_jw_kstr(&o->w, openapi_is_v3(o) ? "openapi" : "swagger", openapi_is_v3(o) ? "3.0.0" : "2.0");
	xb_jw_key(&o->w, "info");
	xb_jw_raw(&o->w, XB_SV("{\"title\":\"Kubernetes\",\"version\":\"v1.33.0\"}"));
	xb_jw_key(&o->w, "paths");
	xb_jw_object(&o->w);
	openapi_write_paths(o);
	xb_jw_end(&o->w);
	if (openapi_is_v3(o)) {
		xb_jw_key(&o->w, "components");
		xb_jw_object(&o->w);
	}
	xb_jw_key(&o->w, openapi_is_v3(o) ? "schemas" : "definitions");
	xb_jw_object(&o->w);
	r = openapi_write_schemas(o);
	xb_jw_end(&o->w);
	if (!openapi_is_v3(o)) {
		xb_jw_key(&o->w, "parameters");
		xb_jw_object(&o->w);
		openapi_write_parameters(o);
	}
	xb_jw_end(&o->w);
	xb_jw_end(&o->w);
	return r;
}

int openapi_write(const struct xb_kind *of, struct xb_buf *out)
{
	struct openapi o = { .w = XB_JW(out), .of = of };
	int r = write_document(&o);

	return r ? r : xb_jw_finish(&o.w);
}

#define HASH_TEXT (2 * SHA256_DIGEST_LENGTH + 1)

static void hash_text(struct xb_sv document, char ret[HASH_TEXT])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)document.p, document.n, digest);
	for (unsigned i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02X", digest[i]);
}

/* Answers what the client has already, by its ETag, with 304 (RFC 9110 section 13.1.2); true when that was so. */
static bool reply_unchanged(struct request *q, const char *hash)
{
	char etag[HASH_TEXT + 2];

	snprintf(etag, sizeof(etag), "\"%s\"", hash);
	xb_http_add_header(q->http, "Etag", etag);
	xb_http_add_header(q->http, "Vary", "Accept");
	if (!xb_sv_is(xb_http_header(q->http, "if-none-match"), etag))
		return false;
	request_reply(q, 304, NULL, (struct xb_sv){});
	return true;
}

/* --- version 2: all in one --- */

/*
 * Both forms are made when they are first asked for and stay: they depend on nothing but the program's rows. JSON is asked
 * for by people, and protobuf by kubectl up to 1.26 before each write. Nothing is locked: the loop has one
 * thread.
 */
static struct document {
	struct xb_buf body;
	char hash[HASH_TEXT];
} json, gnostic;

static int make_json(struct xb_buf *out)
{
	return openapi_write(NULL, out);
}

static int make_gnostic(struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf text = {};
	int r;

	if (json.body.n)
		return openapi_to_gnostic(xb_buf_sv(&json.body), out);
	r = openapi_write(NULL, &text);
	return r ? r : openapi_to_gnostic(xb_buf_sv(&text), out);
}

static int document_make(struct document *d, int (*make)(struct xb_buf *out))
{
	_cleanup_buf_ struct xb_buf made = {};
	int r;

	if (d->body.n)
		return 0;
	r = make(&made);
	if (r)
		return r;
	hash_text(xb_buf_sv(&made), d->hash);
	d->body = made;
	made = (struct xb_buf){};
	return 0;
}

/* Clients' parsers of media types do not take the "@" that they ask with: the answer's type has a point there. */
#define ASKED "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
#define ANSWERED "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

static bool wants_gnostic(struct xb_sv accept)
{
	struct xb_sv clause, type;

	while (xb_sv_split(&accept, ',', &clause)) {
		xb_sv_split(&clause, ';', &type);
		type = xb_sv_trim(type);
		if (xb_sv_is(type, ASKED) || xb_sv_is(type, ANSWERED))
			return true;
		if (xb_sv_is(type, "application/json") || xb_sv_is(type, "*/*"))
			return false;
	}
	return false;
}

int openapi_v2(struct request *q)
{
	const bool protobuf = wants_gnostic(xb_http_header(q->http, "accept"));
	struct document *d = protobuf ? &gnostic : &json;
	int r;

	r = document_make(d, protobuf ? make_gnostic : make_json);
	if (r)
		return r;
	if (!reply_unchanged(q, d->hash))
		request_reply(q, 200, protobuf ? ANSWERED : "application/json", xb_buf_sv(&d->body));
	return 0;
}

/* --- version 3: one of each group and version, and an index with their hashes --- */

static void add_name(const struct xb_kind *first, struct xb_buf *out)
{
	if (*first->group)
		xb_buf_addf(out, "apis/%s/%s", first->group, first->version);
	else
		xb_buf_addf(out, "api/%s", first->version);
}

static int write_index_entry(struct xb_jw *w, const struct xb_kind *first)
{
	_cleanup_buf_ struct xb_buf document = {}, name = {}, url = {};
	char hash[HASH_TEXT];
	int r;

	r = openapi_write(first, &document);
	if (r)
		return r;
	hash_text(xb_buf_sv(&document), hash);
	add_name(first, &name);
	xb_buf_addf(&url, "/openapi/v3/%.*s?hash=%s", XB_SV_ARG(xb_buf_sv(&name)), hash);
	xb_jw_keysv(w, xb_buf_sv(&name));
	xb_jw_object(w);
	xb_jw_ksv(w, "serverRelativeURL", xb_buf_sv(&url));
	xb_jw_end(w);
	return name.err ? name.err : url.err;
}

static int make_index(struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);
	int r = 0;

	xb_jw_object(&w);
	xb_jw_key(&w, "paths");
	xb_jw_object(&w);
	for (const struct xb_kind *const *k = xb_kinds; *k && !r; k++)
		if (discovery_first_of(k, true))
			r = write_index_entry(&w, *k);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return r ? r : xb_jw_finish(&w);
}

static int reply_index(struct request *q)
{
	static struct document index; /* as those of version 2: it takes writing every document once */
	int r;

	r = document_make(&index, make_index);
	if (r)
		return r;
	if (!reply_unchanged(q, index.hash))
		request_reply(q, 200, "application/json", xb_buf_sv(&index.body));
	return 0;
}

static int reply_document(struct request *q, const struct xb_kind *first)
{
	_cleanup_buf_ struct xb_buf body = {};
	char hash[HASH_TEXT];
	int r;

	r = openapi_write(first, &body);
	if (r)
		return r;
	hash_text(xb_buf_sv(&body), hash);
	if (xb_sv_is(query_value(q->arena, xb_http_query(q->http), "hash"), hash))
		xb_http_add_header(q->http, "Cache-Control", "public, immutable");
	if (!reply_unchanged(q, hash))
		request_reply_buf(q, 200, "application/json", &body);
	return 0;
}

int openapi_v3(struct request *q)
{
	_cleanup_buf_ struct xb_buf name = {};
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
		xb_buf_clear(&name);
		add_name(*k, &name);
		if (xb_sv_eq(rest, xb_buf_sv(&name)))
			return reply_document(q, *k);
	}
	return route_not_found(&q->fault);
}
