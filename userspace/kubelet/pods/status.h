/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_STATUS_H
#define KUBELET_PODS_STATUS_H
/* A pod's status as one document (core/v1 PodStatus), made of what is wanted, seen and known. Pure; the rules are upstream's. */
#include "observed.h"
#include "../facts.h"
#include "../probes/probes.h"
#include "../spec/spec.h"

/* Why a container that should run does not: strings are borrowed, message may be NULL. */
struct status_waiting {
	const char *reason, *message;
};
struct status_input {
	const struct facts *facts;
	struct xb_jv pod;               /* as wanted */
	struct xb_jv old;               /* as it was last made; before that as the API server has it */
	struct xb_jv server;            /* as the API server has it: conditions of others */
	const struct observed *observed;
	int64_t now_us;
	bool ending;                    /* no container is started any more */
	const char *reason, *message;   /* of a pod that the node ends or refuses ("Evicted"): its phase will be Failed; NULL */
	bool refused;                   /* nothing of it was ever made here */
	enum probe_result (*probe)(void *arg, const char *container_id, enum probe_kind kind);
	bool (*waiting)(void *arg, struct xb_sv name, struct status_waiting *ret);
	void *arg;
};
enum status_phase { STATUS_PENDING, STATUS_RUNNING, STATUS_SUCCEEDED, STATUS_FAILED };
/* Appends the document. A terminal phase is told only when nothing of the pod runs any more. */
int status_make(const struct status_input *in, struct xb_buf *out, enum status_phase *ret_phase); /* 0 or -ENOMEM */
bool status_phase_over(enum status_phase p);

/* Does the server's status say all that ours does: members of ours, conditions by type; other members are not looked at. */
bool status_same(struct xb_jv ours, struct xb_jv server);
/* A strategic merge patch that makes the server's status ours: with conditions of others left alone, and what ours has no more
 * taken out. Appended, with the uid as a precondition. */
int status_patch(struct xb_jv ours, struct xb_jv server, struct xb_sv uid, struct xb_buf *out);

#endif
