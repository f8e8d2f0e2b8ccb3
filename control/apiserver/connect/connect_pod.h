/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONNECT_POD_H
#define CONNECT_POD_H
/* A request's pod, which of its containers is meant, and what of the query is for the kubelet (core's pod strategy). */
#include "../request.h"

int pod_find(struct request *q, struct xb_jv *ret);                     /* 404 */
/* The container that the query names, or the only one. 400 in upstream's words. In the arena. */
int pod_container_meant(struct request *q, struct xb_jv pod, const char **ret);
int pod_node(struct request *q, struct xb_jv pod, struct xb_sv *ret);   /* 400 when it has none yet */

/* Appended to a path: "?follow=true&tailLines=5". 400 for what is not a value. */
int pod_log_query(struct request *q, struct xb_buf *path);
int pod_stream_query(struct request *q, bool with_command, struct xb_buf *path);
int pod_ports_query(struct request *q, struct xb_buf *path);
/* A parameter that says yes or no, as Go converts it: "" is yes. */
bool pod_query_true(const struct request *q, const char *name);

#endif
