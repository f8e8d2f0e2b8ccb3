/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "access_log.h"
#include "user.h"
#include "xb/log.h"
#include "xb/time.h"

#define VERBOSITY 3
#define AUDIT_ID_MAX 64 /* of what a client sent, as upstream cuts it */

/* "192.0.2.1:4711", "[2001:db8::1]:4711" */
static struct xb_sv peer_text(const struct xb_http_request *r, char ret[INET6_ADDRSTRLEN + 8])
{
	const struct sockaddr *a = xb_http_peer_addr(r);
	char address[INET6_ADDRSTRLEN] = "";

	uv_ip_name(a, address, sizeof(address));
	snprintf(ret, INET6_ADDRSTRLEN + 8, a->sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", address,
		 ntohs(((const struct sockaddr_in *)a)->sin_port)); /* at the same place in sockaddr_in6 */
	return xb_sv(ret);
}

void access_log(const struct request *q, int code)
{
	struct xb_time_text latency, waited;
	char peer[INET6_ADDRSTRLEN + 8];
	struct xb_log_field f[9];
	struct xb_sv query;
	size_t n = 0;
	char *uri;

	if (!xb_log_on(VERBOSITY) || !q->http)
		return;
	query = xb_http_query(q->http);
	uri = query.n ? xb_arena_printf(q->arena, "%.*s?%.*s", XB_SV_ARG(q->path), XB_SV_ARG(query)) : NULL;
	latency = xb_duration_format((int64_t)(uv_hrtime() - q->began));
	waited = xb_duration_format((int64_t)q->waited);
	f[n++] = (struct xb_log_field){ "verb", xb_sv(q->verb), 0 };
	f[n++] = (struct xb_log_field){ "URI", uri ? xb_sv(uri) : q->path, 0 };
	f[n++] = (struct xb_log_field){ "latency", xb_sv(latency.s), 0 };
	f[n++] = (struct xb_log_field){ "userAgent", xb_http_header(q->http, "User-Agent"), 0 };
	f[n - 1].text.p = f[n - 1].text.p ? f[n - 1].text.p : "";
	f[n++] = (struct xb_log_field){ "audit-ID", { q->audit_id, strnlen(q->audit_id, AUDIT_ID_MAX) }, 0 };
	f[n++] = (struct xb_log_field){ "srcIP", peer_text(q->http, peer), 0 };
	f[n++] = (struct xb_log_field){ "user", xb_sv(q->user ? q->user->name : ""), 0 };
	if (q->waited)
		f[n++] = (struct xb_log_field){ "fl_priorityandfairness", xb_sv(waited.s), 0 };
	f[n++] = (struct xb_log_field){ "resp", {}, code };
	xb_log_fields(__FILE__, __LINE__, VERBOSITY, "HTTP", f, n);
}
