/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_MODEL_H
#define XB_MODEL_H
/*
 * What the programs of bpf/ do, by their own text (bpf/lib), in this process: over tables in its memory, for tests, or over those
 * that are pinned. Pinned tables are only read; what a program would write is kept aside until the next question. There is one
 * set of tables a process, and one thread, but for what bpf/lib/model.h says of arrays.
 */
#include <stdbool.h>
#include "xb/abi/event.h"
#include "xb/abi/frontend.h"
#include "xb/abi/socket.h"

struct xb_model_size {
	const char *table;          /* NULL: the end */
	__u32 size;                 /* a power of two of arrays that are found by hash */
};
/* Tables in memory, all zero; those not named have 64 elements. NULL: all have. 0 or -ENOMEM. */
int xb_model_new(const struct xb_model_size *sizes);
/* The tables that are pinned in a folder. -ENOENT: there is no such folder; other versions and layouts are refused with a sentence. */
int xb_model_open(const char *folder, char **reterr_why);
void xb_model_close(void);
void xb_model_forget(const char *table);        /* what was written here to a pinned table, which may be another meanwhile */
/* The elements of an array, at the stride that the kernel has (a multiple of 8); NULL when there is none of that name. */
void *xb_model_array(const char *table, __u32 *ret_size);

/* The clock, in jiffies, and the source of random numbers of tables in memory: both stand still until they are set. Pinned tables
 * have the kernel's clock, right to half a second. */
void xb_model_set_jiffies(__u64 jiffies);
void xb_model_set_random(__u64 seed);
void xb_model_set_processor(__u32 processor);   /* which the calling thread is to be, below XB_MODEL_PROCESSORS */
#define XB_MODEL_PROCESSORS 64

/* The growth of a table of flows (xb/abi/flow.h), in memory that programs use meanwhile, which stays the caller's: no other tables are
 * there until they are made or opened again. Frees what an earlier process left half written. */
struct xb_model_flows {
	enum xb_family family;
	void *table, *old;
	__u32 sets, old_sets;
	__u64 seed;                 /* of struct xb_hdr */
};
void xb_model_flows_open(const struct xb_model_flows *f, __u32 tick);
/* Copies what lives in so many sets of the old one. *ret_refused: entries for which there is no room. -EAGAIN: programs were in the way,
 * and it has to be done once more. */
int xb_model_flows_copy(enum xb_family family, __u32 tick, __u32 first, __u32 n, __u32 *ret_refused);

/* What becomes of the first packet of a connection, or of a datagram or a ping, that no socket hook has seen. */
struct xb_model_answer {
	enum xb_reason reason;      /* XB_REASON_NONE: no service has to do with it, or an entry of the flow table says all */
	bool known;                 /* the latter */
	bool tunnelled;             /* it goes on as it is, in an IP packet to the node of the backend that now has as destination */
	struct xb_fe fe;            /* kind XB_FRONTEND_NONE: none of ours */
	__u32 svc;                  /* 0: none, and scope and set are nothing */
	enum xb_scope scope;
	struct xb_set set;          /* that a backend is taken from */
	struct xb_tuple now;        /* as it goes on; all zero: not translated */
};
/* host: this node itself sends it. -EINVAL: a tuple without protocol or family. */
int xb_model_ask(const struct xb_tuple *packet, bool host, struct xb_model_answer *ret);

/* The programs of devices, on a packet from its Ethernet header on. Nobody forgets in between what they write to pinned tables. */
#define XB_MODEL_FRAME 9216         /* bytes of the longest packet, before and after */
enum xb_model_hook {
	XB_MODEL_INGRESS,           /* tc */
	XB_MODEL_EGRESS,            /* tc, a packet of the node's own */
	XB_MODEL_XDP,
};
struct xb_model_frame {
	int verdict;                /* TC_ACT_... or XDP_... */
	__u32 ifindex;              /* of the device that tc redirects it to; 0: none */
	__u32 len;
	__u8 bytes[XB_MODEL_FRAME]; /* as it goes on */
};
/* 0, -EMSGSIZE or -ENOMEM. */
int xb_model_run(enum xb_model_hook hook, const void *bytes, __u32 n, __u32 ifindex, struct xb_model_frame *ret);

/* In place of the kernel's routing tables, as bpf_fib_lookup() but for the MTU, which the caller compares with. NULL: no routes. */
struct bpf_fib_lookup;
typedef int xb_model_route(struct bpf_fib_lookup *fib, __u32 *ret_mtu);
void xb_model_set_route(xb_model_route *function);
void xb_model_set_flow_rate(__u32 most);        /* new flows in a tick */
__u64 xb_model_counted(enum xb_reason reason);  /* since the tables were made or opened */

#endif
