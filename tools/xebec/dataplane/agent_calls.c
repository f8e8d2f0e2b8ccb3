/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "agent_calls.h"
#include "xb/rest.h"
#include "xb/why.h"
#include "../xalloc.h"

#define ASK_MS   1000
#define RENEW_MS 60000

struct call {
	bool done;
	int code;
	char *text;             /* the answer, or why there is none */
};

static void on_done(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct call *c = arg;

	c->done = true;
	c->code = code;
	c->text = code ? xb_sv_dup(body) : xprintf("%s", status->message ? status->message : "no answer");
	xalloc(c->text);
}

/* The HTTP status, 0 without an answer. */
static int ask(const char *address, const char *method, const char *path, unsigned timeout_ms, char **ret_text)
{
	_cleanup_free_ char *server = xprintf("http://%s", address);
	const struct xb_kubeconfig k = { .server = server };
	const struct xb_rest_request q = { .method = method, .path = path, .accept = "*/*", .timeout_ms = timeout_ms };
	struct xb_rest *rest = NULL;
	struct call c = {};
	uv_loop_t loop;

	uv_loop_init(&loop);
	if (!xb_rest_new(&loop, &k, "xebec", &rest, &c.text) && !xb_rest_send(rest, &q, on_done, &c, NULL))
		while (!c.done)
			uv_run(&loop, UV_RUN_ONCE);
	xb_rest_free(rest);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	*ret_text = c.text;
	return c.code;
}

/* The first value of a metric, with or without labels; 0 when it is not there. */
static double metric(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *value = line + n;

		if (strncmp(line, name, n) || (*value != ' ' && *value != '{'))
			continue;
		if (*value == '{')
			value = strstr(value, "} ");
		return value ? strtod(value + strspn(value, "} "), NULL) : 0;
	}
	return 0;
}

/* A label of a metric's first line; NULL when it is not there. Ours hold no character that would be escaped. */
static char *label(const char *text, const char *name, const char *key)
{
	_cleanup_free_ char *begin = xprintf("\n%s{", name), *before = xprintf("%s=\"", key);
	const char *line = strstr(text, begin), *end = line ? strchr(line + 1, '\n') : NULL, *value = end ? strstr(line, before) : NULL;

	if (!value || value > end)
		return NULL;
	value += strlen(before);
	return xalloc(strndup(value, strcspn(value, "\"\n")));
}

void agent_says_done(struct agent_says *a)
{
	free(a->cluster_cidr);
	free(a->nodeport_addresses);
}

void agent_ask(const char *address, struct agent_says *ret)
{
	_cleanup_free_ char *text = NULL, *all = NULL;

	*ret = (struct agent_says){ .answers = ask(address, "GET", "/metrics", ASK_MS, &text) == 200 };
	if (!ret->answers)
		return;
	ret->last_sync_us = (int64_t)(metric(text, "kubeproxy_sync_proxy_rules_last_timestamp_seconds") * 1e6);
	ret->pending = metric(text, "kubeproxy_sync_proxy_rules_service_changes_pending");
	ret->unprogrammed = metric(text, "xebec_proxy_unprogrammed_services");
	ret->silence_seconds = metric(text, "xebec_proxy_api_silence_seconds");
	ret->cluster_cidr = label(text, "xebec_proxy_settings", "cluster_cidr");
	ret->nodeport_addresses = label(text, "xebec_proxy_settings", "nodeport_addresses");
	all = label(text, "xebec_proxy_settings", "masquerade_all");
	ret->masquerade_all = all && !strcmp(all, "true");
}

int agent_renew_tables(const char *address, char **reterr_why)
{
	_cleanup_free_ char *text = NULL;
	int code = ask(address, "POST", "/renew", RENEW_MS, &text);

	if (code == 200)
		return 0;
	return xb_why(reterr_why, -EIO, "kube-proxy at %s does not renew its tables: %s", address, text ? text : "no answer");
}
