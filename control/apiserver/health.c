/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <sys/utsname.h>
#include "metrics.h"
#include "paths.h"
#include "server.h"

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

/* A store that cannot write is no reason to be restarted: it is no part of livez. */
static const struct check {
	const char *name;
	bool (*good)(const struct server *s);
	bool live;
} checks[] = {
	{ "ping", ping, true },
	{ "store", store_writes, false },
	{ "poststarthook/bootstrap", bootstrapped, false },
	{ "shutdown", not_stopping, false },
};

static void report(struct request *q, const char *what, bool good, struct xb_buf *lines, bool verbose)
{
	struct xb_buf body = {};

	if (good && !verbose) {
		request_reply(q, 200, "text/plain; charset=utf-8", XB_SV("ok"));
		return;
	}
	xb_buf_addsv(&body, xb_buf_sv(lines));
	xb_buf_addf(&body, "%s check %s\n", what, good ? "passed" : "failed");
	request_reply_buf(q, good ? 200 : 500, "text/plain; charset=utf-8", &body);
}

/* /healthz, /livez, /readyz: all checks, or one of them: /readyz/store. */
int health_handler(struct request *q)
{
	bool verbose = query_value(q->arena, xb_http_query(q->http), "verbose").p, good = true, found = false;
	struct xb_sv path = q->path, what, one;
	_cleanup_buf_ struct xb_buf lines = {};
	const char *name;

	xb_sv_split(&path, '/', &what); /* what stands before the first slash */
	one = xb_sv_split(&path, '/', &what) ? path : (struct xb_sv){};
	for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
		bool fine;

		if (one.n ? !xb_sv_is(one, checks[i].name) : xb_sv_is(what, "livez") && !checks[i].live)
			continue;
		fine = checks[i].good(q->server);
		found = true;
		good = good && fine;
		xb_buf_addf(&lines, fine ? "[+]%s ok\n" : "[-]%s failed: reason withheld\n", checks[i].name);
	}
	if (!found)
		return route_not_found(&q->fault);
	name = xb_arena_strn(q->arena, what);
	if (!name)
		return -ENOMEM;
	report(q, name, good, &lines, verbose);
	return 0;
}

int version_handler(struct request *q)
{
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);
	struct utsname u;

	uname(&u);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "major", "1");
	xb_jw_kstr(&w, "minor", "33");
	xb_jw_kstr(&w, "gitVersion", "v1.33.0+xebec");
	xb_jw_kstr(&w, "gitCommit", "");
	xb_jw_kstr(&w, "gitTreeState", "");
	xb_jw_kstr(&w, "buildDate", "1970-01-01T00:00:00Z");
	xb_jw_kstr(&w, "goVersion", "");
	xb_jw_kstr(&w, "compiler", "cc " __VERSION__);
	xb_jw_kstr(&w, "platform", strcmp(u.machine, "aarch64") ? "linux/amd64" : "linux/arm64");
	xb_jw_end(&w);
	xb_buf_addc(&body, '\n');
	request_reply_buf(q, 200, "application/json", &body);
	return 0;
}

int metrics_handler(struct request *q)
{
	struct xb_buf body = {};

	metrics_write(q->server, &body);
	request_reply_buf(q, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
	return 0;
}
