/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_POD_H
#define KUBELET_PODS_POD_H
/*
 * One pod and the set of them; private to pods/. Who learns of something notes it and calls pod_poke; before the loop sleeps each
 * poked pod gets its turn (worker.c): look at the runtime if what is known is stale, tell the status, do the next steps if
 * none is under way. A pod is freed only when nothing is under way.
 */
#include <sys/queue.h>
#include "metrics.h"
#include "observed.h"
#include "pods.h"
#include "status.h"
#include "sync.h"
#include "admit.h"
#include "xb/map.h"
#include "xb/vec.h"

enum pod_stage {
	POD_NEW,                        /* not admitted yet */
	POD_ACTIVE,
	POD_ENDING,                     /* nothing is started any more; what runs is being ended */
	POD_ENDED,                      /* nothing runs, volumes and cgroup are gone; containers stay for their logs */
	POD_REMOVED,                    /* nothing is left of it but this */
};

/* What is known of one container besides what the runtime knows. */
struct pod_slot {
	char *name;
	char *reason, *message;         /* why it waits; NULL: nothing to tell */
	int64_t retry_ms;               /* the next try is not before; 0: when its turn comes */
	unsigned told_attempt;          /* for which BackOff was told, plus one */
};

struct pod_kill;
struct pod_start;
struct pod {
	TAILQ_ENTRY(pod) poked_link;
	struct pods *pods;
	char *uid, *namespace_, *name;
	struct xb_jv document;          /* with a reference; {}: only the runtime knows it */
	struct xb_jv server;            /* the object at the API server, with a reference: itself, or a static pod's mirror; {}: none */
	bool is_static, poked;
	bool gone;                      /* nobody wants it any more: when it has ended, all of it goes */
	enum pod_stage stage;

	struct observed observed, next; /* next: of the look under way */
	bool stale, looking;
	unsigned look_calls, steps;     /* under way */
	int look_error;                 /* of xb_grpc_code */
	size_t n_listed;                /* its containers in a list of all */
	int64_t wake_ms;                /* monotonic; 0: nothing was promised */
	XB_VEC(struct pod_slot) slots;

	struct pod_start *start;        /* the container that is being started */
	LIST_HEAD(, pod_kill) kills;
	char *runtime_handler;          /* of its RuntimeClass; NULL: not known yet */
	int64_t sandbox_retry_ms;
	unsigned sandbox_failures, stops; /* stops: calls to stop a sandbox under way */
	bool stop_failed;

	bool volumes_busy, volumes_stale, volumes_failed;
	unsigned volumes_failures;
	int64_t volumes_retry_ms;

	bool frozen;                    /* was over before this process: its status is not made anew */
	struct xb_json *status;         /* as it was last made; NULL: not yet */
	enum status_phase phase;
	bool writing, write_failed, deleting, unwritten; /* unwritten: nothing of it can be told (any more) */
	struct xb_rest_call *write;
	struct xb_json *answered;       /* the object as the last write left it, until the watch shows it; NULL */
	uint64_t sent_hash, answered_hash; /* of the status that was last written, and of what the server made of it; 0: none */
	int64_t write_retry_ms;

	const char *end_reason;         /* "Evicted": its phase will be Failed; static or of end_texts */
	char *end_texts[2];             /* reason, message */
	bool refused;
	int64_t end_by_ms;              /* its grace is over */
	int64_t remove_retry_ms;        /* what could not be removed is not tried before */
	unsigned remove_failures;       /* in a row */
	bool torn_down;
	int64_t seen_ms;                /* when it was first seen, until its start was measured; 0 */
	struct admit_wants wants;
};
TAILQ_HEAD(poked_pods, pod);

struct pods {
	struct pods_config c;
	struct pods_parts parts;
	struct xb_map *by_uid;
	struct poked_pods poked;
	uv_prepare_t before_sleep;
	uv_timer_t timer;
	bool listed, settled, blind;    /* the runtime's pods are known; and all that should be; it tells nothing */
	int64_t relist_ms, trim_ms;     /* monotonic; 0: not due */
	int64_t began_us;               /* wall clock */
	struct source *source;
	struct pods_metrics metrics;
	LIST_HEAD(, pods_call) calls;
	unsigned handles;               /* of libuv, while they are closed */
};

/* pods.c */
void pod_poke(struct pod *p);
void pod_wake_at(struct pod *p, int64_t ms);            /* monotonic; the soonest asked for counts */
void pod_stale(struct pod *p);                          /* the runtime is to be asked; pokes */
void pod_step_ends(struct pod *p);                      /* a step is over: steps--, stale, poked */
struct pod_slot *pod_slot(struct pod *p, struct xb_sv name); /* made when there is none; NULL without memory */
void pod_slot_say(struct pod_slot *s, const char *reason, const char *message, int64_t retry_ms); /* reason NULL: nothing */
struct pod *pod_obtain(struct pods *s, struct xb_sv uid, struct xb_sv namespace_, struct xb_sv name);
void pod_ips(const struct pod *p, const char *ret[3]);  /* NULL-terminated; of the sandbox, or of the node */
bool pod_is_deleted(const struct pod *p);               /* has a deletionTimestamp, or is gone */
int64_t pod_now_ms(void);
void pod_free(struct pod *p);
void pods_settle(struct pods *s);                       /* what nobody knows is ended and removed, once all is known */

/* call.c: a call of the runtime, measured; as runtime_call, which see. The callback is not called after pods_free. */
typedef void (*pods_called)(void *arg, int code, const char *message, const ProtobufCMessage *reply);
int pods_call(struct pods *s, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, pods_called done, void *arg);
void pods_calls_drop(struct pods *s);

/* event.c: container {}: of the pod. */
enum { POD_NORMAL, POD_WARNING };
void pod_event(struct pod *p, struct xb_sv container, int type, const char *reason, const char *fmt, ...) _printf_(5, 6);
void pod_event_name(const struct pod *p, struct xb_buf *out); /* "name_namespace(uid)", as upstream's format.Pod */

/* look.c */
void pod_look(struct pod *p);
void pod_probes_keep(struct pod *p);                    /* of what was seen to run, if its document is known, and of nothing else */
int pods_list(struct pods *s);                          /* finds the runtime's pods, and what changed unseen; then pods_listed */
void pods_listed(struct pods *s, bool whole);           /* pods.c */

/* worker.c */
void pod_turn(struct pod *p);
void pod_volumes_keep(struct pod *p);                   /* makes them or brings them up to date, if that is due */

/* start.c: one step; pod_step_ends when it is over. */
void pod_start_sandbox(struct pod *p, unsigned attempt);
void pod_start_container(struct pod *p, const struct sync_start *s);
void pod_start_cancel(struct pod *p);                   /* what only waits of a start (a pull, a hook) is given up */
void pod_start_drop(struct pod *p);                     /* of a pod that is freed */

/* kill.c: one step each. message NULL: "Stopping container x". */
void pod_kill(struct pod *p, const struct observed_container *c, int64_t by_ms, const char *message, bool replaced);
void pod_kill_sooner(struct pod *p, int64_t by_ms);     /* those under way have less time */
bool pod_is_being_killed(const struct pod *p, const char *container_id);
void pod_kills_drop(struct pod *p);

/* end.c */
void pod_end(struct pod *p, const char *reason, const char *message, int64_t grace_s); /* grace below 0: the pod's own */
void pod_end_step(struct pod *p);
void pod_ended_step(struct pod *p);
bool pod_stop_sandboxes(struct pod *p);                 /* a step, until all are stopped; then true */
void pod_prune(struct pod *p);                          /* removes dead containers beyond the newest but one of a name */
int64_t pod_grace_s(const struct pod *p);

/* status_writer.c */
void pod_status_update(struct pod *p);                  /* makes the status, and tells the API server when that has another */
bool pod_status_is_told(const struct pod *p);
void pod_delete_object(struct pod *p);
struct xb_jv pod_server_status(const struct pod *p);
void pod_server_seen(struct pod *p);                    /* p->server is another */
void pod_write_drop(struct pod *p);

#endif
