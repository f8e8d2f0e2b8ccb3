/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_INNER_H
#define KUBELET_SERVER_INNER_H
/* Within server/. */
#include <sys/queue.h>
#include "access.h"
#include "log_rotate.h"
#include "log_stream.h"
#include "target.h"
#include "server.h"
#include "xb/http_server.h"
#include "xb/map.h"

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json"

struct usage_job;
/* A request from its target to its answer. Ends with exchange_end, which answers, or when the client leaves: then what is under way is
 * cancelled. */
struct exchange {
	LIST_ENTRY(exchange) link;
	struct server *server;
	struct xb_http_request *r;
	struct target target;
	struct access_check *check;
	struct runtime_call *call;
	struct usage_job *usage;
	/* of a log */
	struct log_stream *log;
	char *uid, *container_id;       /* whose it is */
	bool streams, wrote;            /* the answer has begun; some of the log was in it */
};

struct server {
	struct server_config c;
	struct xb_tls *tls;
	struct xb_http_server *http;
	struct access *access;
	struct log_rotate *rotate;
	int64_t start_us;
	struct xb_map *samples;         /* cgroup -> struct sample: processor time as it was when last asked for */
	int64_t sampled_ms;
	LIST_HEAD(, usage_job) jobs;
	LIST_HEAD(, exchange) exchanges;
};

/* --- exchange.c: each of these answers, and x is gone afterwards */
struct exchange *exchange_new(struct server *s, struct xb_http_request *r); /* NULL without memory */
void exchange_drop(struct exchange *x);                 /* without an answer: its request is gone, or another's */
void exchange_answer(struct exchange *x, int code, const char *type, struct xb_sv body);
void exchange_answer_buf(struct exchange *x, int code, const char *type, struct xb_buf *body); /* 500 when the buffer has failed */
void exchange_fail(struct exchange *x, int code, const char *fmt, ...) _printf_(3, 4);
void exchange_no_memory(struct exchange *x);
void exchange_break_off(struct exchange *x);            /* the server goes */

/* --- what answers, by endpoint */
void serve_logs(struct exchange *x);
void serve_exec(struct exchange *x);
void serve_attach(struct exchange *x);
void serve_port_forward(struct exchange *x);
void serve_run(struct exchange *x);
void serve_pods(struct exchange *x);
void serve_running_pods(struct exchange *x);
void serve_configz(struct exchange *x);
void serve_metrics(struct exchange *x);
void serve_metrics_probes(struct exchange *x);
void serve_metrics_cadvisor(struct exchange *x);
void serve_metrics_resource(struct exchange *x);
void serve_summary(struct exchange *x);

#endif
