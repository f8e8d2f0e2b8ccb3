/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metrics.h"
#include "paths.h"
#include "server.h"
#include "version.h"
#include "xb/log.h"
#include "xb/prometheus.h"

static bool ping(const struct server *s)
{
	return true;
}

static bool store_writes(const struct server *s)
{
	struct store_stats st;

	store_stats(s->store, &st);
	return !st.write_error;
}

static bool bootstrapped(const struct server *s)
{
	return s->ready;
}

static bool not_stopping(const struct server *s)
{
	return !s->stopping;
}

enum { HEALTHZ = 1, LIVEZ = 2, READYZ = 4 };

/* A store that cannot write is no reason to be restarted: it is no part of livez. */
static const struct check {
	const char *name;
	bool (*good)(const struct server *s);
	unsigned of;
	const char *why;               /* when it is not good */
} checks[] = {
	{ "ping", ping, HEALTHZ | LIVEZ | READYZ, NULL },
	{ "store", store_writes, HEALTHZ | READYZ, "the store cannot write" },
	{ "poststarthook/bootstrap", bootstrapped, HEALTHZ | READYZ, "not finished" },
	{ "shutdown", not_stopping, READYZ, "process is shutting down" },
};

static const struct {
	const char *path, *name;
	unsigned set;
} sets[] = { { "/healthz", "healthz", HEALTHZ }, { "/livez", "livez", LIVEZ }, { "/readyz", "readyz", READYZ } };

static void answer(struct request *q, int code, struct xb_buf *body)
{
	xb_http_add_header(q->http, "X-Content-Type-Options", "nosniff");
	request_reply_buf(q, code, "text/plain; charset=utf-8", body);
}

/* /readyz/store. Who may ask for one may know why. */
static int one_check(struct request *q, unsigned set, struct xb_sv name)
{
	struct xb_buf body = {};

	for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct check *c = &checks[i];
		bool good;

		if (!(c->of & set) || !xb_sv_is(name, c->name))
			continue;
		good = c->good(q->server);
		if (good)
			xb_buf_adds(&body, "ok");
		else
			xb_buf_addf(&body, "internal server error: %s\n", c->why);
		answer(q, good ? 200 : 500, &body);
		return 0;
	}
	return route_not_found(&q->fault);
}

#define EXCLUDED_MAX 64

static int by_text(const void *a, const void *b)
{
	return xb_sv_cmp(*(const struct xb_sv *)a, *(const struct xb_sv *)b);
}

/* Every exclude= of the query, in order, each once. */
static unsigned read_excluded(struct request *q, struct xb_sv names[EXCLUDED_MAX])
{
	struct xb_sv query = xb_http_query(q->http), pair, key;
	unsigned n = 0, kept = 0;

	while (n < EXCLUDED_MAX && xb_sv_split(&query, '&', &pair))
		if (xb_sv_split(&pair, '=', &key) && xb_sv_is(key, "exclude")) {
			_cleanup_buf_ struct xb_buf text = {};

			if (!xb_http_decode(pair, true, &text))
				names[n++] = xb_arena_sv(q->arena, xb_buf_sv(&text));
		}
	qsort(names, n, sizeof(names[0]), by_text);
	for (unsigned i = 0; i < n; i++)
		if (!kept || !xb_sv_eq(names[kept - 1], names[i]))
			names[kept++] = names[i];
	return kept;
}

/* Takes the name out of the list. */
static bool exclude(struct xb_sv *names, unsigned *n, const char *name)
{
	for (unsigned i = 0; i < *n; i++)
		if (xb_sv_is(names[i], name)) {
			memmove(&names[i], &names[i + 1], (--*n - i) * sizeof(names[0]));
			return true;
		}
	return false;
}

/* Upstream's text (apiserver pkg/server/healthz). True: all is well. */
static bool run_checks(struct request *q, unsigned set, struct xb_buf *lines)
{
	struct xb_sv excluded[EXCLUDED_MAX];
	unsigned n = read_excluded(q, excluded);
	bool all = true;

	for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct check *c = &checks[i];
		bool good;

		if (!(c->of & set))
			continue;
		if (exclude(excluded, &n, c->name)) {
			xb_buf_addf(lines, "[+]%s excluded: ok\n", c->name);
			continue;
		}
		good = c->good(q->server);
		all = all && good;
		xb_buf_addf(lines, good ? "[+]%s ok\n" : "[-]%s failed: reason withheld\n", c->name);
		if (!good && xb_log_on(2))
			log_info("%s check failed: %s", c->name, c->why);
	}
	for (unsigned i = 0; i < n; i++) {
		xb_buf_adds(lines, i ? "," : "warn: some health checks cannot be excluded: no matches for ");
		xb_buf_addq(lines, excluded[i]);
	}
	xb_buf_adds(lines, n ? "\n" : "");
	return all;
}

/* Is that parameter there, with or without a value? */
static bool asks_for(struct xb_sv query, const char *name)
{
	struct xb_sv pair, key;

	while (xb_sv_split(&query, '&', &pair))
		if (xb_sv_split(&pair, '=', &key) && xb_sv_is(key, name))
			return true;
	return false;
}

int health_handler(struct request *q)
{
	struct xb_buf body = {};
	size_t n, i = 0;
	bool good;

	while (strcmp(sets[i].path, q->row->path))
		i++;
	n = strlen(sets[i].path) + 1;
	if (q->path.n > n)
		return one_check(q, sets[i].set, (struct xb_sv){ q->path.p + n, q->path.n - n });
	good = run_checks(q, sets[i].set, &body);
	if (good && !asks_for(xb_http_query(q->http), "verbose")) {
		xb_buf_clear(&body);
		xb_buf_adds(&body, "ok");
	} else {
		xb_buf_addf(&body, "%s check %s\n", sets[i].name, good ? "passed" : "failed");
	}
	answer(q, good ? 200 : 500, &body);
	return 0;
}

int version_handler(struct request *q)
{
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "major", VERSION_MAJOR);
	xb_jw_kstr(&w, "minor", VERSION_MINOR);
	xb_jw_kstr(&w, "gitVersion", VERSION_GIT);
	xb_jw_kstr(&w, "gitCommit", "");
	xb_jw_kstr(&w, "gitTreeState", "");
	xb_jw_kstr(&w, "buildDate", VERSION_BUILD_DATE);
	xb_jw_kstr(&w, "goVersion", "");
	xb_jw_kstr(&w, "compiler", VERSION_COMPILER);
	xb_jw_kstr(&w, "platform", VERSION_PLATFORM);
	xb_jw_end(&w);
	xb_buf_addc(&body, '\n');
	request_reply_buf(q, 200, "application/json", &body);
	return 0;
}

int metrics_handler(struct request *q)
{
	struct xb_buf body = {};

	metrics_write(q->server, &body);
	request_reply_buf(q, 200, XB_PROM_CONTENT_TYPE, &body);
	return 0;
}
