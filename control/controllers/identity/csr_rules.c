/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../pods.h"
#include "csr_rules.h"
#include "xb/time.h"

#define BACKDATE (5 * 60)               /* for clocks that are behind */
#define SHORTEST (10 * 60)
#define SHORT    (8 * 3600)             /* loses nothing of its time to the backdating */
#define DECIDED_US (INT64_C(3600) * 1000000)
#define PENDING_US (24 * DECIDED_US)

/* --- conditions --- */
static struct xb_jv conditions(struct xb_jv csr)
{
	return xb_jv_path(csr, "status", "conditions");
}

struct xb_jv csr_condition(struct xb_jv csr, const char *type)
{
	for (struct xb_jit it = xb_jv_iter(conditions(csr)); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(type)))
			return it.value;
	return (struct xb_jv){};
}

static bool has(struct xb_jv csr, const char *type)
{
	return xb_jv_is(csr_condition(csr, type));
}

static struct xb_sv certificate(struct xb_jv csr)
{
	return xb_jv_text(xb_jv_path(csr, "status", "certificate"));
}

bool csr_is_decided(struct xb_jv csr)
{
	return has(csr, "Approved") || has(csr, "Denied");
}

bool csr_is_to_be_signed(struct xb_jv csr)
{
	return has(csr, "Approved") && !has(csr, "Denied") && !certificate(csr).n &&
	       !xb_jv_streq(xb_jv_get(csr_condition(csr, "Failed"), "status"), XB_SV("True"));
}

void csr_condition_patch(struct xb_jv csr, const char *type, const char *reason, const char *message, int64_t now, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	xb_jw_key(&w, "conditions");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(conditions(csr)); xb_jit_next(&it);)
		xb_jw_raw(&w, xb_jv_bytes(it.value));
	xb_jw_object(&w);
	xb_jw_kstr(&w, "type", type);
	xb_jw_kstr(&w, "status", "True");
	xb_jw_kstr(&w, "reason", reason);
	xb_jw_kstr(&w, "message", message);
	xb_jw_kstr(&w, "lastUpdateTime", xb_time_format(now).s);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w))
		out->err = -ENOMEM;
}

/* --- what is signed --- */
static bool no(struct xb_buf *why, const char *text)
{
	xb_buf_adds(why, text);
	return false;
}

static bool has_usage(struct xb_jv usages, const char *usage)
{
	for (struct xb_jit it = xb_jv_iter(usages); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, xb_sv(usage)))
			return true;
	return false;
}

/* Those three, or without "key encipherment", which only a key for RSA has a use for. */
static bool has_usages_of_a_kubelet(struct xb_jv usages, const char *auth)
{
	size_t n = 2 + has_usage(usages, "key encipherment");

	return xb_jv_count(usages) == n && has_usage(usages, "digital signature") && has_usage(usages, auth);
}

static bool is_of_nodes(const struct xb_csr *c)
{
	return c->organizations[0] && !c->organizations[1] && !strcmp(c->organizations[0], "system:nodes");
}

static bool is_of_a_node(const struct xb_csr *c)
{
	return xb_sv_starts(xb_sv(c->common_name), "system:node:");
}

bool csr_fits_kubelet_client(const struct xb_csr *c, struct xb_jv usages, struct xb_buf *why)
{
	if (!is_of_nodes(c))
		return no(why, "subject organization is not system:nodes");
	if (c->dns_names)
		return no(why, "DNS subjectAltNames are not allowed");
	if (c->emails)
		return no(why, "Email subjectAltNames are not allowed");
	if (c->ip_addresses)
		return no(why, "IP subjectAltNames are not allowed");
	if (c->uris)
		return no(why, "URI subjectAltNames are not allowed");
	if (!is_of_a_node(c))
		return no(why, "subject common name does not begin with system:node:");
	if (!has_usages_of_a_kubelet(usages, "client auth"))
		return no(why, "usages did not match [client auth digital signature key encipherment]");
	return true;
}

bool csr_fits_kubelet_serving(const struct xb_csr *c, struct xb_jv usages, struct xb_buf *why)
{
	if (!is_of_nodes(c))
		return no(why, "subject organization is not system:nodes");
	if (!c->dns_names && !c->ip_addresses)
		return no(why, "DNS or IP subjectAltName is required");
	if (c->emails)
		return no(why, "Email subjectAltNames are not allowed");
	if (c->uris)
		return no(why, "URI subjectAltNames are not allowed");
	if (!has_usages_of_a_kubelet(usages, "server auth"))
		return no(why, "usages did not match [digital signature key encipherment server auth]");
	if (!is_of_a_node(c))
		return no(why, "subject common name does not begin with system:node:");
	return true;
}

bool csr_fits_client(const struct xb_csr *c, struct xb_jv usages, struct xb_buf *why)
{
	for (struct xb_jit it = xb_jv_iter(usages); xb_jit_next(&it);) {
		if (xb_jv_streq(it.value, XB_SV("digital signature")) || xb_jv_streq(it.value, XB_SV("key encipherment")) ||
		    xb_jv_streq(it.value, XB_SV("client auth")))
			continue;
		xb_buf_addf(why, "invalid usage for client certificate: %.*s", XB_SV_ARG(xb_jv_text(it.value)));
		return false;
	}
	return has_usage(usages, "client auth") || no(why, "missing required usage for client certificate: client auth");
}

bool csr_fits_any(const struct xb_csr *c, struct xb_jv usages, struct xb_buf *why)
{
	return true;
}

void csr_set_times(struct xb_jv csr, int64_t most_seconds, int64_t now_seconds, struct xb_csr_terms *t)
{
	int64_t seconds;

	if (xb_jv_i64(xb_jv_path(csr, "spec", "expirationSeconds"), &seconds) || seconds > most_seconds)
		seconds = most_seconds;
	else
		seconds = MAX(seconds, (int64_t)SHORTEST);
	t->not_before = now_seconds - BACKDATE;
	t->not_after = now_seconds + seconds - (seconds < SHORT ? 0 : BACKDATE);
}

/* --- what is over --- */
static int64_t end_of(struct xb_jv condition)
{
	int64_t since = pods_time(xb_jv_get(condition, "lastUpdateTime"));

	return since ? since + DECIDED_US : INT64_MAX;
}

static int64_t end_of_certificate(struct xb_jv csr)
{
	const char *fault;
	time_t end;

	return xb_csr_check_issued(certificate(csr), &end, &fault) ? INT64_MAX : (int64_t)end * 1000000;
}

int64_t csr_clean_at(struct xb_jv csr)
{
	struct xb_jv approved = csr_condition(csr, "Approved"), denied = csr_condition(csr, "Denied"), failed = csr_condition(csr, "Failed");
	int64_t at = INT64_MAX, created = pods_time(xb_jv_path(csr, "metadata", "creationTimestamp"));

	if (!xb_jv_count(conditions(csr)))
		return created ? created + PENDING_US : INT64_MAX;
	if (xb_jv_is(denied))
		at = end_of(denied);
	if (xb_jv_is(failed))
		at = MIN(at, end_of(failed));
	if (xb_jv_is(approved) && certificate(csr).n) {
		int64_t issued = end_of(approved), ends = end_of_certificate(csr);

		at = MIN(at, MIN(issued, ends));
	}
	return at;
}
