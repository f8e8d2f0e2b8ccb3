/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A file of the folder of static pods: a pod that can be planned, admitted and told of, or a fault that is said. */
#include <stdint.h>
#include <stdlib.h>

#include "../../userspace/kubelet/pods/admit.h"
#include "../../userspace/kubelet/pods/static.h"
#include "../../userspace/kubelet/pods/status.h"
#include "../../userspace/kubelet/pods/sync.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static enum probe_result probe(void *arg, const char *id, enum probe_kind kind)
{
	return PROBE_SUCCESS;
}

static bool waiting(void *arg, struct xb_sv name, struct status_waiting *ret)
{
	return false;
}

static void use(struct xb_jv pod)
{
	static const struct facts facts = { .node_name = "n", .ips = { "192.0.2.1" }, .max_pods = 1 };
	struct observed_sandbox sandbox = { .id = "s", .ips = { "10.0.0.1" }, .ready = true };
	struct observed o = { .sandboxes = &sandbox, .n_sandboxes = 1 };
	struct status_input in = { .facts = &facts, .pod = pod, .observed = &o, .now_us = 1, .probe = probe, .waiting = waiting };
	_cleanup_plan_ struct sync_plan plan = {};
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf status = {};
	struct admit_refusal refusal = {};
	enum status_phase phase;

	if (admit_pod(&(struct admit_input){ .facts = &facts, .node = pod, .pod = pod, .active = &pod, .n_active = 1 }, &refusal) == -EPERM)
		free(refusal.message);
	if (sync_plan(&(struct sync_input){ .pod = pod, .observed = &o, .probe = probe }, &plan) || status_make(&in, &status, &phase) ||
	    xb_json_parse(xb_buf_sv(&status), NULL, &doc, NULL) || !status_same(xb_json_root(doc), xb_json_root(doc)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_(xb_json_unrefp) struct xb_json *pod = NULL;
	_cleanup_free_ char *why = NULL;
	int r = static_parse((struct xb_sv){ (const char *)bytes, n }, "/f", "n", 0, &pod, &why);

	if (r < 0 && !why && r != -E2BIG && r != -EBADMSG)
		abort();
	if (!r)
		use(xb_json_root(pod));
	return 0;
}
