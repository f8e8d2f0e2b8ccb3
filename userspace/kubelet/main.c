/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kubelet: runs the pods of one node. */
#include "healthz.h"
#include "options.h"
#include "pods/pods.h"
#include "server/server.h"
#include "xb/log.h"
#include "xb/trim.h"

#define NAME "kubelet"

/* Everything there is, in the order in which it is made; it goes in the opposite one. */
struct kubelet {
	struct xb_process process;
	const struct kubelet_options *options;
	struct facts facts;
	struct node_thresholds *thresholds;
	struct xb_rest *rest;
	struct xb_recorder *recorder;
	struct runtime *runtime;
	struct cgroups *cgroups;
	struct pods *pods;
	struct objects *objects;
	struct volumes *volumes;
	struct images *images;
	struct probes *probes;
	struct node *node;
	struct healthz *healthz;
	struct server *server;
	struct xb_trimmer *trimmer;
};

static int connect_api(struct kubelet *k, char **reterr_why)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig c = {};
	int r;

	if (!k->options->kubeconfig) {
		log_info("node %s: without --kubeconfig only static pods run", k->facts.node_name);
		return 0;
	}
	r = xb_process_connect(&k->process, NAME, k->facts.node_name, k->options->kubeconfig, NULL, &c, &k->rest, reterr_why);
	if (r < 0)
		return r;
	k->recorder = xb_recorder_new(k->rest, k->facts.node_name);
	return k->recorder ? 0 : -ENOMEM;
}

/* --- the parts --- */
static int make_runtime(struct kubelet *k, char **reterr_why)
{
	const struct kubelet_options *o = k->options;
	struct runtime_config c = {
		.loop = &k->process.loop, .endpoint = o->runtime_endpoint, .request_timeout_ms = (unsigned)o->runtime_request_ms,
	};
	int r = runtime_new(&c, &k->runtime, reterr_why);

	return r ? r : cgroups_new(&k->facts, &k->cgroups, reterr_why);
}

static int make_pods(struct kubelet *k, char **reterr_why)
{
	const struct kubelet_options *o = k->options;
	struct pods_config p = {
		.loop = &k->process.loop, .facts = &k->facts, .rest = k->rest, .recorder = k->recorder, .static_path = o->static_path,
		.static_check_ms = (unsigned)o->file_check_ms,
	};
	struct objects_config b = { .rest = k->rest, .changed = pods_changed };
	struct volumes_config v = {
		.loop = &k->process.loop, .rest = k->rest, .facts = &k->facts, .node = pods_node, .stale = pods_volumes_stale,
	};
	int r = pods_new(&p, &k->pods);

	b.arg = k->pods;
	if (!r)
		r = objects_new(&b, &k->objects);
	if (r < 0)
		return r;
	v.objects = k->objects;
	v.arg = k->pods;
	return volumes_new(&v, &k->volumes, reterr_why);
}

static int make_images(struct kubelet *k)
{
	const struct kubelet_options *o = k->options;
	struct images_config i = {
		.loop = &k->process.loop, .runtime = k->runtime, .objects = k->objects, .gc_high_percent = (unsigned)o->image_gc_high,
		.gc_low_percent = (unsigned)o->image_gc_low, .gc_min_age_ms = (uint64_t)o->image_min_age_ms,
		.max_parallel_pulls = o->serialize_pulls ? 1 : (unsigned)o->max_parallel_pulls, .event = pods_image_event,
		.changed = pods_changed, .in_use = pods_image_in_use, .sandbox_image = o->sandbox_image, .arg = k->pods,
	};
	struct probes_config p = {
		.loop = &k->process.loop, .runtime = k->runtime, .user_agent = "kube-probe/1.33", .changed = pods_probe_changed,
		.failed = pods_probe_failed, .arg = k->pods,
	};
	int r = images_new(&i, &k->images);

	return r ? r : probes_new(&p, &k->probes);
}

static int make_node(struct kubelet *k, char **reterr_why)
{
	const struct kubelet_options *o = k->options;
	struct node_config n = {
		.loop = &k->process.loop, .rest = k->rest, .recorder = k->recorder, .facts = &k->facts, .runtime = k->runtime,
		.images = k->images, .cgroups = k->cgroups, .register_node = o->register_node,
		.labels = (const char *const *)o->node_labels, .taints = (const char *const *)o->register_with_taints,
		.port = (uint16_t)o->port,
		.lease_seconds = (unsigned)o->node_lease_s, .status_update_ms = (unsigned)o->node_status_update_ms,
		.status_report_ms = (unsigned)o->node_status_report_ms, .thresholds = k->thresholds, .changed = pods_node_changed,
		.each_pod = pods_each_active, .disk_usage = pods_disk_usage, .disk_excess = pods_disk_excess,
		.collect_containers = pods_collect_containers, .evict = pods_evict_document, .arg = k->pods,
	};

	return k->rest ? kubelet_node_new(&n, &k->node, reterr_why) : 0;
}

static int make_server(struct kubelet *k, char **reterr_why)
{
	struct server_config c = {
		.loop = &k->process.loop, .options = k->options, .facts = &k->facts, .rest = k->rest, .runtime = k->runtime,
		.pods = k->pods, .probes = k->probes, .images = k->images, .cgroups = k->cgroups, .node = k->node,
	};

	return kubelet_server_new(&c, &k->server, reterr_why);
}

static int begin(struct kubelet *k, char **reterr_why)
{
	struct pods_parts parts;
	int r = facts_make(k->options, &k->facts, reterr_why);

	if (!r)
		r = node_thresholds_parse(xb_json_root(k->options->eviction), &k->thresholds, reterr_why);
	if (!r)
		r = connect_api(k, reterr_why);
	if (!r)
		r = make_runtime(k, reterr_why);
	if (!r)
		r = make_pods(k, reterr_why);
	if (!r)
		r = make_images(k);
	if (!r)
		r = make_node(k, reterr_why);
	if (!r)
		r = healthz_new(&k->process.loop, k->options, &k->healthz, reterr_why);
	if (!r)
		r = make_server(k, reterr_why);
	if (r < 0)
		return r;
	parts = (struct pods_parts){
		.runtime = k->runtime, .objects = k->objects, .volumes = k->volumes, .images = k->images, .probes = k->probes,
		.cgroups = k->options->cgroups_per_qos ? k->cgroups : NULL, .node = k->node,
	};
	r = pods_begin(k->pods, &parts, reterr_why);
	return r ? r : xb_trimmer_new(&k->process.loop, &k->trimmer);
}

static void end(struct kubelet *k)
{
	xb_trimmer_free(k->trimmer);
	kubelet_server_free(k->server);
	healthz_free(k->healthz);
	kubelet_node_free(k->node);
	pods_free(k->pods);
	probes_free(k->probes);
	images_free(k->images);
	volumes_free(k->volumes);
	objects_free(k->objects);
	cgroups_free(k->cgroups);
	runtime_free(k->runtime);
	xb_recorder_free(k->recorder);
	xb_rest_free(k->rest);
	xb_process_end(&k->process);
	node_thresholds_free(k->thresholds);
	facts_done(&k->facts);
}

static int run(const struct kubelet_options *o)
{
	_cleanup_free_ char *why = NULL;
	struct kubelet k = { .options = o };
	int r;

	xb_process_begin(&k.process, "leaving; containers run on", NULL, NULL);
	r = begin(&k, &why);
	if (r < 0)
		xb_process_fault(r, "cannot start", why);
	else
		uv_run(&k.process.loop, UV_RUN_DEFAULT);
	end(&k);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	_cleanup_(kubelet_options_done) struct kubelet_options o = {};
	_cleanup_free_ char *why = NULL;
	int r = kubelet_options_parse(&o, argc, argv, &why);

	if (xb_process_answered(NAME, &o.process, kubelet_options_help))
		return EXIT_SUCCESS;
	if (r < 0)
		return xb_process_fault(r, "cannot start", why);
	return run(&o);
}
