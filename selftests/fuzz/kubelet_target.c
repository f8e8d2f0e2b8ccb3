/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What comes to a kubelet's port: a path and a query; and what it reads of others: the runtime's address of streams, counters. */
#include <stdint.h>

#include "../../userspace/kubelet/server/stream_url.h"
#include "../../userspace/kubelet/server/target.h"
#include "../../userspace/kubelet/server/usage.h"
#include "xb/http_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void ask_for_paths(struct xb_sv encoded)
{
	const char *subresources[TARGET_SUBRESOURCES];
	_cleanup_buf_ struct xb_buf decoded = {};
	struct target t = {};
	struct xb_sv path;

	if (xb_http_decode(encoded, false, &decoded))
		return;
	path = xb_buf_sv(&decoded);
	target_subresources(path, subresources);
	if (!subresources[0])
		abort();
	if (!target_parse(XB_SV("GET"), path, &t) && t.endpoint >= ENDPOINT_LOGS && (!*t.namespace_ || !*t.pod))
		abort();
	target_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct xb_sv query = { (const char *)bytes, n }, path;
	_cleanup_free_ char *text = xb_sv_dup(query);
	struct stream_url u = {};
	struct usage_nets nets = {};
	struct log_wanted w;
	char **all = NULL;
	bool previous;

	ask_for_paths(query);
	usage_parse_nets(query, &nets);
	xb_vec_done(&nets);
	if (text && !stream_url_parse(text, &u) && (*u.path != '/' || u.port < 1 || u.port > 65535))
		abort();
	stream_url_done(&u);
	xb_sv_split(&query, '?', &path);
	if (!query_log_options(query, 1, &previous, &w) && (w.tail_lines < -1 || !w.limit_bytes))
		abort();
	if (!query_all(query, "command", &all))
		query_free_all(all);
	return 0;
}
