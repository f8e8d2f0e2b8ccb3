/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "faults.h"
#include "xb/log.h"
#include "xb/recorder.h"
#include "xb/vec.h"

struct faults {
	struct xb_recorder *recorder;
	XB_VEC(struct service *) services;
};

static bool is_pod(const struct service *v)
{
	return !strcmp(services_resource(v->in), "pods");
}

static const char *kind_of(const struct service *v)
{
	return is_pod(v) ? "pod" : "service";
}

static const char *reason_of(const struct service *v, int fault)
{
	if (fault == -ENOSPC)
		return is_pod(v) ? "HostPortTableFull" : "ServiceTableFull";
	if (fault == -EADDRINUSE)
		return is_pod(v) ? "HostPortInUse" : "ServiceAddressInUse";
	return is_pod(v) && fault == -EINVAL ? "HostPortNotServed" : NULL;
}

int faults_set(struct faults *f, struct service *v, int fault, const char *reason, char *why)
{
	if (fault && !v->fault && xb_vec_push(&f->services, v) < 0) {
		free(why);
		return -ENOMEM;
	}
	for (size_t i = 0; !fault && v->fault && i < f->services.n; i++)
		if (f->services.v[i] == v)
			xb_vec_remove(&f->services, i);
	if (!fault && v->fault_told)
		log_info("%s %s is served in full now", kind_of(v), v->key);
	if (fault != v->fault)
		v->fault_told = false;
	v->fault = fault;
	v->fault_reason = reason ? reason : reason_of(v, fault);
	free(v->fault_why);
	v->fault_why = why;
	return 0;
}

static void warn(const struct faults *f, const struct service *v, const char *why)
{
	struct xb_event e = {
		.component = "kube-proxy",
		.kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), xb_sv(services_resource(v->in))),
		.object = v->object,
		.type = XB_EVENT_WARNING,
		.reason = v->fault_reason,
	};

	xb_recorder_event(f->recorder, &e, "%s", why);
}

void faults_tell(struct faults *f)
{
	for (size_t i = 0; i < f->services.n; i++) {
		struct service *v = f->services.v[i];
		const char *why = v->fault_why ? v->fault_why : strerror(-v->fault);

		if (v->fault_told)
			continue;
		v->fault_told = true;
		log_warning("%s %s is not served in full: %s", kind_of(v), v->key, why);
		if (v->fault_reason)
			warn(f, v, why);
	}
}

void faults_retry(struct faults *f)
{
	for (size_t i = 0; i < f->services.n; i++)
		services_mark(f->services.v[i]);
}

size_t faults_count(const struct faults *f)
{
	return f->services.n;
}

struct faults *faults_free(struct faults *f)
{
	if (!f)
		return NULL;
	xb_recorder_free(f->recorder);
	xb_vec_done(&f->services);
	free(f);
	return NULL;
}

struct faults *faults_new(struct xb_rest *rest, const char *host)
{
	_cleanup_(faults_freep) struct faults *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->recorder = xb_recorder_new(rest, host);
	return f->recorder ? TAKE_PTR(f) : NULL;
}
