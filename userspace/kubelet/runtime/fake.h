/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_RUNTIME_FAKE_H
#define KUBELET_RUNTIME_FAKE_H
/* The hollow runtime: fake.c has what exists and when it changes, fake_rpc.c and those it names what is answered. */
#include <netinet/in.h>
#include <sys/queue.h>
#include "ops.h"
#include "xb/vec.h"

#define FAKE_ID_LEN 64

struct fake_sandbox {
	TAILQ_ENTRY(fake_sandbox) link;
	char id[FAKE_ID_LEN + 1];
	bool ready, changed;
	uint32_t address;               /* within the ranges; 0: none, or the host's */
	int64_t created_at;             /* ns */
	struct xb_buf status;           /* a packed PodSandboxStatus: what does not change */
};

struct fake_container {
	TAILQ_ENTRY(fake_container) link;
	struct fake_sandbox *sandbox;
	char id[FAKE_ID_LEN + 1];
	bool changed, not_startable;
	Runtime__V1__ContainerState state;
	int32_t exit_code;              /* before it has exited: the one it will have, or -1 when it runs until it is stopped */
	unsigned runs_ms;               /* before that */
	uint64_t exits_at;              /* in the loop's ms, while it runs and will exit */
	int64_t created_at, started_at, finished_at;
	struct xb_buf status;           /* a packed ContainerStatus: what does not change */
};

struct fake_range {
	int family;
	uint8_t b[16];                  /* network byte order */
	unsigned host_bits;
};

struct fake_call;
struct fake {
	struct runtime base;
	uv_timer_t timer;               /* the next exit; or at once, when there is something to tell */
	TAILQ_HEAD(, fake_sandbox) sandboxes;
	TAILQ_HEAD(, fake_container) containers;
	TAILQ_HEAD(, fake_call) calls;  /* answered, to be told */
	uint64_t serial;                /* of the last call */
	struct fake_range ranges[2];
	size_t n_ranges;
	bool fixed_ranges;              /* by the endpoint */
	uint32_t last_address;
	XB_VEC(char *) images;          /* those that were pulled or used */
	runtime_hint hint;
	void *arg;
	bool relist, changed;           /* to be told */
};

/* One call being answered. */
struct fake_turn {
	struct fake *f;
	struct xb_arena *arena;         /* of the reply */
	char *why;                      /* owned */
};
/* Answers: a code of xb_grpc_code, for which reply (initialised) or t->why is filled. What a handler lends to its reply lives
 * as long as the arena or the runtime. */
int fake_answer(struct fake_turn *t, enum runtime_rpc rpc, const void *request, void *reply);
typedef int fake_handler(struct fake_turn *t, const void *request, void *reply);
fake_handler fake_run_pod_sandbox, fake_stop_pod_sandbox, fake_remove_pod_sandbox, fake_pod_sandbox_status, fake_list_pod_sandbox;
fake_handler fake_create_container, fake_start_container, fake_stop_container, fake_remove_container, fake_list_containers;
fake_handler fake_container_status, fake_exec_sync;
fake_handler fake_container_stats, fake_list_container_stats, fake_pod_sandbox_stats, fake_list_pod_sandbox_stats;
fake_handler fake_list_images, fake_image_status, fake_pull_image, fake_remove_image, fake_image_fs_info;

/* For handlers. A new message in the arena, initialised; NULL without memory. */
#define FAKE_NEW(t, type, TYPE) ({ \
	Runtime__V1__##type *_m = xb_arena_alloc((t)->arena, sizeof(*_m)); \
\
	if (_m) \
		*_m = (Runtime__V1__##type)RUNTIME__V1__##TYPE##__INIT; \
	_m; })
int fake_fail(struct fake_turn *t, int code, const char *fmt, ...) _printf_(3, 4);     /* returns code */
int fake_no_memory(struct fake_turn *t);
char *fake_copy(struct fake_turn *t, const char *s);            /* into the arena; "" without memory */
bool fake_has_labels(Runtime__V1__KeyValue *const *labels, size_t n, Runtime__V1__KeyValue *const *want, size_t n_want);
struct fake_sandbox *fake_find_sandbox(const struct fake *f, const char *id);
Runtime__V1__PodSandboxStatus *fake_sandbox_state(struct fake_turn *t, const struct fake_sandbox *s); /* without its network */
Runtime__V1__ContainerStatus *fake_container_state(struct fake_turn *t, const struct fake_container *c);
int fake_image_use(struct fake *f, const char *name);           /* it is there from now on; 0, -ENOENT: no such, -ENOMEM */
char *fake_image_id(struct fake_turn *t, const char *name);     /* "sha256:..." */
struct xb_sv fake_image_last_part(const char *name);            /* without tag and digest; borrowed */

void fake_new_id(char ret[FAKE_ID_LEN + 1]);
int fake_ranges_parse(struct fake *f, struct xb_sv text);       /* "cidr" or "cidr,cidr" of two families; -EINVAL changes nothing */
uint32_t fake_address_take(struct fake *f);                     /* 0: none is free */
const char *fake_address_text(const struct fake_range *r, uint32_t address, char ret[INET6_ADDRSTRLEN]);
void fake_container_exit(struct fake *f, struct fake_container *c, int code);
void fake_container_remove(struct fake *f, struct fake_container *c);
void fake_sandbox_stop(struct fake *f, struct fake_sandbox *s); /* its containers first */
void fake_sandbox_remove(struct fake *f, struct fake_sandbox *s);
void fake_rearm(struct fake *f);

#endif
