/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_FINDINGS_H
#define XEBEC_FINDINGS_H
/* What "xebec check" finds wrong with a node's tables: by themselves, and beside what the API server has. */
#include "index.h"
#include "xb/json.h"
#include "xb/plan_node.h"
#include "xb/str.h"

struct finding {
	char *entry;            /* "default/web:http TCP IPv4", "xb_fe4 10.96.0.7:80 TCP" */
	char *what;             /* "backend 10.244.1.5:80 is missing" */
	int64_t since_us;       /* when the API's objects about it changed last, wall clock; 0: it is about the tables alone */
};
struct findings {
	XB_VEC(struct finding) v;
};
void findings_done(struct findings *f);
#define _cleanup_findings_ _cleanup_(findings_done)
/* Takes entry. */
void findings_add(struct findings *f, char *entry, int64_t since_us, const char *fmt, ...) _printf_(4, 5);
/* Keeps what both have: what is found at two looks is no change under way. */
void findings_intersect(struct findings *f, const struct findings *other);

/* The tables by themselves: indexes that lead nowhere, ports without a name, keys that no lookup finds, sets out of order. */
void check_tables(const struct tables *t, const struct index *x, struct findings *f);

/* The objects of one Service. Views into lists that the caller keeps. */
struct check_service {
	struct xb_jv object;
	XB_VEC(struct xb_jv) slices;
};
/* One Service beside the tables. matched: by slot of xb_svc; those of its ports are set. */
void check_service(const struct tables *t, const struct index *x, const struct check_service *s, const struct xb_plan_here *here,
		   bool *matched, struct findings *f);
/* The host ports of a pod of the node: only those that are in the tables, as the agent may be told to leave them to others. */
void check_pod(const struct tables *t, const struct index *x, struct xb_jv pod, bool *matched, struct findings *f);
/* What follows from the node: its addresses in the frontend tables, and xb_node. */
void check_node(const struct tables *t, const struct index *x, const struct xb_plan_node_facts *facts,
		const struct xb_plan_port_networks *networks, struct findings *f);
/* After all of them: ports that none has. */
void check_unmatched(const struct index *x, const bool *matched, struct findings *f);

#endif
