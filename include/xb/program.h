/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PROGRAM_H
#define XB_PROGRAM_H
/*
 * A control plane program that is a client of the API server: it serves health and metrics, waits until it leads (xb/lease.h),
 * works, and ends when it is told to or leads no more. What the work is the program says; it runs on one loop, one thread.
 * This is the outside of a program, so it logs, which the rest of the library does not.
 */
#include "xb/lease.h"
#include "xb/process.h"
#include "xb/recorder.h"
#include "xb/serve.h"

struct xb_program_options {
	const char *kubeconfig, *master;
	char **feature_gates;
	struct xb_lease_options lease;
	struct xb_serve_options serve;
	struct xb_process_options process;
};
/* Upstream's flags, rows for a table of struct xb_flag; member is a struct xb_program_options, whose process has
 * rows of its own. */
#define XB_PROGRAM_FLAGS(options, member, name_, port_)                                                                              \
	XB_FLAG(LIST, options, member.feature_gates, "feature-gates", NULL, "Generic",                                               \
		"A list of Name=true|false. There are no gates here: each is checked for its form and has no effect."),              \
	XB_FLAG(STRING, options, member.kubeconfig, "kubeconfig", NULL, "Generic",                                                   \
		"A kubeconfig file. Without it and --master, the pod's service account is used."),                                   \
	XB_FLAG(STRING, options, member.master, "master", NULL, "Generic", "The API server's URL, in place of the kubeconfig's."),  \
	XB_LEASE_FLAGS(options, member.lease, name_),                                                                                \
	XB_SERVE_FLAGS(options, member.serve, port_)
/* -EINVAL with a sentence that names the flag. */
int xb_program_check(const struct xb_program_options *o, char **reterr_why);

struct xb_program {
	uv_loop_t *loop;
	struct xb_rest *rest;
	struct xb_recorder *recorder;
	const struct xb_kubeconfig *kubeconfig; /* as it was read */
};
struct xb_program_config {
	const char *name;                       /* "kube-scheduler" */
	const struct xb_program_options *options; /* borrowed */
	int (*start)(void *arg, const struct xb_program *p); /* this one leads; p stays. -errno, logged: the program ends */
	void (*stop)(void *arg);                /* everything at once; also when there was no start */
	void (*write_metrics)(void *arg, struct xb_buf *out); /* also while another leads */
	void *arg;
};
/* Until it is over; the process' exit status. */
int xb_program_run(const struct xb_program_config *c);

#endif
