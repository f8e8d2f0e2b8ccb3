/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "paths.h"
#include "review.h"

static int index_handler(struct request *q)
{
	struct xb_buf body = {};

	paths_write(&body);
	request_reply_buf(q, 200, "application/json", &body);
	return 0;
}

#define PLAIN (1u << ACCEPT_OBJECT)
#define AGGREGATED (PLAIN | 1u << ACCEPT_DISCOVERY)

/* In the order of their names, which is the order in which / lists them. */
static const struct path_row rows[] = {
	{ "/", false, PLAIN, index_handler },
	{ "/.well-known/openid-configuration", false, 0, openid_configuration },
	{ "/api", false, AGGREGATED, discovery_api },
	{ "/apis", false, AGGREGATED, discovery_apis },
	{ "/healthz", true, 0, health_handler },
	{ "/livez", true, 0, health_handler },
	{ "/metrics", false, 0, metrics_handler },
	{ "/openapi/v2", false, 0, openapi_v2 },
	{ "/openapi/v3", true, 0, openapi_v3 },
	{ "/openid/v1/jwks", false, 0, openid_keys },
	{ "/readyz", true, 0, health_handler },
	{ "/version", false, PLAIN, version_handler },
};

const struct path_row *paths_find(struct xb_sv path)
{
	if (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = strlen(rows[i].path);

		if (xb_sv_is(path, rows[i].path))
			return &rows[i];
		if (rows[i].below && path.n > n && path.p[n] == '/' && !memcmp(path.p, rows[i].path, n))
			return &rows[i];
	}
	return NULL;
}

static void write_groups(struct xb_jw *w)
{
	_cleanup_buf_ struct xb_buf path = {};

	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		if (!*(*k)->group || !discovery_first_of(k, true))
			continue;
		xb_buf_clear(&path);
		xb_buf_addf(&path, "/apis/%s", (*k)->group);
		xb_jw_sv(w, xb_buf_sv(&path));
		xb_buf_addf(&path, "/%s", (*k)->version);
		xb_jw_sv(w, xb_buf_sv(&path));
	}
}

void paths_write(struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "paths");
	xb_jw_array(&w);
	for (unsigned i = 1; i < ARRAY_SIZE(rows); i++) {
		xb_jw_str(&w, rows[i].path);
		if (!strcmp(rows[i].path, "/api"))
			xb_jw_str(&w, "/api/v1");
		if (!strcmp(rows[i].path, "/apis"))
			write_groups(&w);
	}
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_buf_addc(out, '\n');
}
