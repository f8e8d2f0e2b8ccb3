/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What runs here and how: /pods, /runningpods, /configz, /metrics, /metrics/probes. */
#include "../spec/spec.h"
#include "inner.h"
#include "xb/prometheus.h"
#include "xb/time.h"

static void begin_list(struct xb_jw *w)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "kind", "PodList");
	xb_jw_kstr(w, "apiVersion", "v1");
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_end(w);
	xb_jw_key(w, "items");
	xb_jw_array(w);
}

static void answer_list(struct exchange *x, struct xb_jw *w)
{
	xb_jw_end(w);
	xb_jw_end(w);
	if (xb_jw_finish(w))
		exchange_no_memory(x);
	else
		exchange_answer_buf(x, 200, JSON, w->out);
}

/* As it is wanted, with the status that is known here. */
static void put_pod(void *arg, struct pod *pod)
{
	struct xb_jv document = pod_document(pod), status = pod_status(pod);
	struct xb_jw *w = arg;

	if (!xb_jv_is(document))
		return;
	xb_jw_object(w);
	for (struct xb_jit it = xb_jv_iter(document); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, "status") && xb_jv_is(status))
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
	if (xb_jv_is(status)) {
		xb_jw_key(w, "status");
		xb_jw_raw(w, xb_jv_bytes(status));
	}
	xb_jw_end(w);
}

void serve_pods(struct exchange *x)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	begin_list(&w);
	pods_each(x->server->c.pods, put_pod, &w);
	answer_list(x, &w);
}

static void put_running_containers(const struct pod *pod, struct xb_jw *w)
{
	for (struct spec_it it = spec_containers(pod_document(pod)); spec_next(&it);) {
		_cleanup_free_ char *name = xb_sv_dup(it.name);
		struct pod_container c;

		if (!name || pod_container(pod, name, false, &c) || !c.running)
			continue;
		xb_jw_object(w);
		xb_jw_kstr(w, "name", name);
		xb_jw_key(w, "image");
		xb_jw_raw(w, xb_jv_bytes(xb_jv_get(it.container, "image")));
		xb_jw_key(w, "resources");
		xb_jw_object(w);
		xb_jw_end(w);
		xb_jw_end(w);
	}
}

static void put_running(void *arg, struct pod *pod)
{
	static const char *const members[] = { "name", "namespace", "uid" };
	struct xb_jv meta = xb_jv_get(pod_document(pod), "metadata");
	struct xb_jw *w = arg;

	if (!xb_jv_is(meta) || !pod_sandbox_id(pod))
		return;
	xb_jw_object(w);
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		xb_jw_key(w, members[i]);
		xb_jw_raw(w, xb_jv_bytes(xb_jv_get(meta, members[i])));
	}
	xb_jw_end(w);
	xb_jw_key(w, "spec");
	xb_jw_object(w);
	xb_jw_key(w, "containers");
	xb_jw_array(w);
	put_running_containers(pod, w);
	xb_jw_end(w);
	xb_jw_end(w);
	xb_jw_key(w, "status");
	xb_jw_object(w);
	xb_jw_end(w);
	xb_jw_end(w);
}

void serve_running_pods(struct exchange *x)
{
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	begin_list(&w);
	pods_each(x->server->c.pods, put_running, &w);
	answer_list(x, &w);
}

/* --- configz --- */

static void put_duration(struct xb_jw *w, const char *key, int64_t ms)
{
	xb_jw_kstr(w, key, xb_duration_format(ms * XB_MILLISECOND).s);
}

static void put_text(struct xb_jw *w, const char *key, const char *text)
{
	if (text && *text)
		xb_jw_kstr(w, key, text);
}

static void put_texts(struct xb_jw *w, const char *key, char **texts)
{
	if (!texts || !*texts)
		return;
	xb_jw_key(w, key);
	xb_jw_array(w);
	for (; *texts; texts++)
		xb_jw_str(w, *texts);
	xb_jw_end(w);
}

static void put_serving(struct xb_jw *w, const struct kubelet_options *o)
{
	xb_jw_kstr(w, "address", o->address);
	xb_jw_kint(w, "port", o->port);
	put_text(w, "tlsCertFile", o->tls_cert_file);
	put_text(w, "tlsPrivateKeyFile", o->tls_private_key_file);
	xb_jw_key(w, "authentication");
	xb_jw_object(w);
	xb_jw_key(w, "x509");
	xb_jw_object(w);
	put_text(w, "clientCAFile", o->client_ca_file);
	xb_jw_end(w);
	xb_jw_key(w, "webhook");
	xb_jw_object(w);
	xb_jw_kbool(w, "enabled", o->authentication_token_webhook);
	xb_jw_kstr(w, "cacheTTL", "2m0s");
	xb_jw_end(w);
	xb_jw_key(w, "anonymous");
	xb_jw_object(w);
	xb_jw_kbool(w, "enabled", o->anonymous_auth);
	xb_jw_end(w);
	xb_jw_end(w);
	xb_jw_key(w, "authorization");
	xb_jw_object(w);
	xb_jw_kstr(w, "mode", o->authorization_mode);
	xb_jw_key(w, "webhook");
	xb_jw_object(w);
	xb_jw_kstr(w, "cacheAuthorizedTTL", "5m0s");
	xb_jw_kstr(w, "cacheUnauthorizedTTL", "30s");
	xb_jw_end(w);
	xb_jw_end(w);
	xb_jw_kint(w, "healthzPort", o->healthz_port);
	xb_jw_kstr(w, "healthzBindAddress", o->healthz_bind_address);
}

static void put_node(struct xb_jw *w, const struct kubelet_options *o)
{
	xb_jw_kbool(w, "registerNode", o->register_node);
	put_duration(w, "nodeStatusUpdateFrequency", o->node_status_update_ms);
	put_duration(w, "nodeStatusReportFrequency", o->node_status_report_ms);
	xb_jw_kint(w, "nodeLeaseDurationSeconds", o->node_lease_s);
	put_text(w, "clusterDomain", o->cluster_domain);
	put_texts(w, "clusterDNS", o->cluster_dns);
	put_text(w, "resolvConf", o->resolv_conf);
	put_text(w, "staticPodPath", o->static_path);
	put_text(w, "podLogsDir", o->pod_logs_dir);
	put_duration(w, "fileCheckFrequency", o->file_check_ms);
	xb_jw_kint(w, "maxPods", o->max_pods);
	xb_jw_kint(w, "podPidsLimit", o->pod_max_pids);
}

static void put_machine(struct xb_jw *w, const struct kubelet_options *o)
{
	put_text(w, "containerRuntimeEndpoint", o->runtime_endpoint);
	put_duration(w, "runtimeRequestTimeout", o->runtime_request_ms);
	put_text(w, "cgroupRoot", o->cgroup_root);
	xb_jw_kbool(w, "cgroupsPerQOS", o->cgroups_per_qos);
	xb_jw_kstr(w, "cgroupDriver", o->cgroup_driver);
	xb_jw_kbool(w, "cpuCFSQuota", o->cpu_cfs_quota);
	xb_jw_kbool(w, "seccompDefault", o->seccomp_default);
	put_duration(w, "imageMinimumGCAge", o->image_min_age_ms);
	xb_jw_kint(w, "imageGCHighThresholdPercent", o->image_gc_high);
	xb_jw_kint(w, "imageGCLowThresholdPercent", o->image_gc_low);
	xb_jw_kbool(w, "serializeImagePulls", o->serialize_pulls);
	if (o->max_parallel_pulls)
		xb_jw_kint(w, "maxParallelImagePulls", o->max_parallel_pulls);
	for (struct xb_jit it = xb_jv_iter(xb_json_root(o->eviction)); xb_jit_next(&it);) {
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
}

void serve_configz(struct exchange *x)
{
	const struct kubelet_options *o = x->server->c.options;
	_cleanup_buf_ struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_jw_object(&w);
	xb_jw_key(&w, "kubeletconfig");
	xb_jw_object(&w);
	put_serving(&w, o);
	put_node(&w, o);
	put_machine(&w, o);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w))
		exchange_no_memory(x);
	else
		exchange_answer_buf(x, 200, JSON, &body);
}

/* --- metrics --- */

static void write_http_metrics(const struct server *s, struct xb_buf *out)
{
	struct xb_http_stats stats;

	xb_http_server_stats(s->http, &stats);
	xb_prom_one(out, "kubelet_http_requests_total", "counter", "Number of the http requests received since the server started",
		    (double)stats.requests);
}

void serve_metrics(struct exchange *x)
{
	const struct server *s = x->server;
	_cleanup_buf_ struct xb_buf body = {};

	pods_write_metrics(s->c.pods, &body);
	if (s->c.node)
		node_write_metrics(s->c.node, &body);
	write_http_metrics(s, &body);
	xb_prom_process(&body, s->start_us);
	exchange_answer_buf(x, 200, XB_PROM_CONTENT_TYPE, &body);
}

void serve_metrics_probes(struct exchange *x)
{
	_cleanup_buf_ struct xb_buf body = {};

	probes_write_metrics(x->server->c.probes, &body);
	exchange_answer_buf(x, 200, XB_PROM_CONTENT_TYPE, &body);
}
