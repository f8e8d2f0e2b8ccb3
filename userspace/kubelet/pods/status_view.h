/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_STATUS_VIEW_H
#define KUBELET_PODS_STATUS_VIEW_H
/* One container of a status: found out once, then counted for the phase, judged for conditions, and written. Private to status. */
#include "status.h"
#include "xb/vec.h"

enum view_state { VIEW_WAITING, VIEW_RUNNING, VIEW_TERMINATED };
struct status_view {
	struct xb_jv container, told;   /* told: the old status' entry, {} for none */
	enum spec_container_kind kind;
	struct xb_sv name;
	enum view_state state;
	const struct observed_container *at, *last; /* what state and lastState are of; NULL: none */
	bool lost, lost_last;           /* state or lastState is of a container that the runtime has no more */
	bool ready, started, resting;   /* resting: waits and has ended before */
	struct status_waiting waiting;
	int32_t exit_code;              /* of state, or when resting of lastState */
	int64_t restarts;
};
struct status_views {
	struct status_view *v;
	size_t n, cap;
};
int status_views_make(const struct status_input *in, struct status_views *ret);
enum status_phase status_phase_of(const struct status_input *in, const struct status_views *v);
void status_write_containers(const struct status_input *in, struct status_views *v, struct xb_jw *w);
void status_write_conditions(const struct status_input *in, const struct status_views *v, enum status_phase phase, struct xb_jw *w);

#endif
