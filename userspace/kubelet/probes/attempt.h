/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PROBES_ATTEMPT_H
#define KUBELET_PROBES_ATTEMPT_H
/*
 * One attempt of a probe or a lifecycle hook: what its handler says is done once, in a time, and the result told in upstream's
 * words. How often, and what follows from it, is not known here.
 */
#include "../runtime/runtime.h"
#include "web.h"
#include "xb/json.h"

enum attempt_outcome {
	ATTEMPT_SUCCESS,
	ATTEMPT_WARNING,        /* it succeeded, and something is to be told */
	ATTEMPT_FAILURE,
	ATTEMPT_ERROR,          /* it could not be made: says nothing about the container */
};
struct attempt_result {
	enum attempt_outcome outcome;
	const char *text;       /* what it said, or how it failed: for a probe's Event */
	const char *error;      /* how it failed: for a hook's sentence */
	const char *output;     /* what a command printed; NULL: it was none */
};
typedef void attempt_done(void *arg, const struct attempt_result *result); /* borrowed; the attempt is gone */

struct attempt_tools {                  /* all borrowed */
	uv_loop_t *loop;
	struct runtime *runtime;
	struct web *web;
	const char *user_agent;         /* "kube-probe/1.33" */
};
struct attempt_request {
	struct xb_jv container, handler;
	const char *container_id, *pod_ip;
	unsigned timeout_ms;            /* 0: none */
	bool hook;                      /* commands are taken as they are; any answer to a request is a good one */
};

/* What every kind of attempt begins with. */
struct attempt {
	void (*cancel)(struct attempt *a);
	attempt_done *done;
	void *arg;
};

/* 0: done will be called, never from within. -EINVAL: it cannot be made, and *reterr_why says why. -ENOMEM. */
int attempt_start(const struct attempt_tools *t, const struct attempt_request *q, attempt_done *done, void *arg, struct attempt **ret,
		  char **reterr_why);
void attempt_cancel(struct attempt *a); /* done is not called; NULL is taken */

/* The kinds, as attempt_start. http takes tcpSocket as well: a connection is a request of which nothing is sent. */
typedef int attempt_start_fn(const struct attempt_tools *t, const struct attempt_request *q, struct attempt base, struct attempt **ret,
			     char **reterr_why);
attempt_start_fn exec_start, http_start, tcp_start, health_start;

/* A port by number or by its name in the container. -EINVAL with upstream's words. */
int attempt_port(struct xb_jv container, struct xb_jv port, uint16_t *ret, char **reterr_why);

#endif
