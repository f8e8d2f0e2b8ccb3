/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>

#include "flow_list.h"
#include "hooks.h"
#include "index.h"
#include "target.h"
#include "xb/bpfobj.h"
#include "../xalloc.h"

struct options {
	struct common common;
	struct target target;
};
static const struct xb_flag rows[] = {
	TARGET_ROWS(struct options),
	COMMON_TABLE_ROWS(struct options),
};

static const struct column table_columns[] = {
	COLUMN("TABLE", "table"),
	COLUMN("USED", "used"),
	COLUMN("SIZE", "size"),
	COLUMN("GROWS-AT", "growsAt"),
	COLUMN("MEMORY", "memoryBytes"),
	COLUMN("WHAT", "what"),
};
static const struct column share_columns[] = {
	COLUMN("PER", "per"),
	COLUMN("NUMBER", "number"),
	COLUMN("MEMORY", "memoryBytes"),
	COLUMN("EACH", "bytesEach"),
};
static const struct column hook_columns[] = {
	COLUMN("HOOK", "hook"),
	COLUMN("WHERE", "where"),
	COLUMN("PROGRAM", "program"),
	COLUMN("ID", "id"),
	COLUMN("OURS", "ours"),
};

/* How one counts what is in it, and when it grows. */
enum counting {
	COUNT_NOTHING,
	COUNT_FRONTENDS,        /* at half full */
	COUNT_KEYS,             /* never: the oldest goes */
	COUNT_OVERFLOW,         /* with the buckets that it is beside */
	COUNT_NAMES,
	COUNT_BLOCKS,
	COUNT_RANGES,
	COUNT_MAGLEV,
	COUNT_REVERSE,
	COUNT_FLOWS,            /* at as many open ones as it has sets */
	COUNT_OLD_FLOWS,
};
/* What there is more of where the table is larger. */
enum share { OF_NODE, OF_PORTS, OF_BACKENDS, N_SHARES };
static const char *const share_texts[N_SHARES] = { "node", "port of a service", "backend of a port" };
static const struct {
	enum counting counting;
	const char *what;
	enum share share;
} about[N_TABLES] = {
	[TABLE_HDR] = { COUNT_NOTHING, "what the tables are", OF_NODE },
	[TABLE_FE4] = { COUNT_FRONTENDS, "addresses and ports of services, IPv4", OF_PORTS },
	[TABLE_FE6] = { COUNT_FRONTENDS, "addresses and ports of services, IPv6", OF_PORTS },
	[TABLE_OVF4] = { COUNT_OVERFLOW, "those of xb_fe4 that found no place there", OF_PORTS },
	[TABLE_OVF6] = { COUNT_OVERFLOW, "those of xb_fe6 that found no place there", OF_PORTS },
	[TABLE_SVC] = { COUNT_NAMES, "ports of services", OF_PORTS },
	[TABLE_NAME] = { COUNT_NAMES, "their names", OF_PORTS },
	[TABLE_BE4] = { COUNT_BLOCKS, "backends, IPv4, in blocks of powers of two", OF_BACKENDS },
	[TABLE_BE6] = { COUNT_BLOCKS, "backends, IPv6, in blocks of powers of two", OF_BACKENDS },
	[TABLE_SRC] = { COUNT_RANGES, "loadBalancerSourceRanges", OF_PORTS },
	[TABLE_MAG] = { COUNT_MAGLEV, "Maglev tables, in lines", OF_PORTS },
	[TABLE_REV] = { COUNT_REVERSE, "what TCP sockets connected to, for getpeername()", OF_NODE },
	[TABLE_AFF] = { COUNT_KEYS, "session affinity: who got which backend", OF_NODE },
	[TABLE_SKU] = { COUNT_NOTHING, "what UDP sockets send to; goes with the socket", OF_NODE },
	[TABLE_FLOW4] = { COUNT_FLOWS, "flows by packets, IPv4: two entries each; open ones make it grow", OF_NODE },
	[TABLE_FLOW6] = { COUNT_FLOWS, "flows by packets, IPv6: two entries each; open ones make it grow", OF_NODE },
	[TABLE_FLOW4_OLD] = { COUNT_OLD_FLOWS, "what xb_flow4 takes the place of, while it grows", OF_NODE },
	[TABLE_FLOW6_OLD] = { COUNT_OLD_FLOWS, "what xb_flow6 takes the place of, while it grows", OF_NODE },
	[TABLE_FRAG] = { COUNT_KEYS, "ports of fragmented datagrams", OF_NODE },
	[TABLE_NODE] = { COUNT_NOTHING, "what programs know of the node", OF_NODE },
	[TABLE_METRICS] = { COUNT_NOTHING, "counters of sockets", OF_NODE },
	[TABLE_REASON] = { COUNT_NOTHING, "counters by reason", OF_NODE },
	[TABLE_RATE] = { COUNT_NOTHING, "how many flows each processor made this second", OF_NODE },
	[TABLE_DROP] = { COUNT_NOTHING, "the latest drops", OF_NODE },
	[TABLE_NEW] = { COUNT_NOTHING, "the latest new flows", OF_NODE },
	[TABLE_CURSOR] = { COUNT_NOTHING, "how many there were of both", OF_NODE },
};

struct usage {
	__u64 used, size, grows_at;     /* grows_at 0: it does not */
};

static __u64 count_keys(const struct table *t)
{
	unsigned char key[64], next[64];
	__u64 n = 0;

	/* a walk of a table that changes may begin again: it has an end all the same */
	for (int r = bpf_map_get_next_key(t->fd, NULL, next); !r && n < t->size; n++) {
		memcpy(key, next, sizeof(key));
		r = bpf_map_get_next_key(t->fd, key, next);
	}
	return n;
}

static __u64 count_frontends(const struct index *x, enum xb_family family)
{
	__u64 n = 0;

	for (size_t i = 0; i < x->frontends.n; i++)
		n += x->frontends.v[i].family == family;
	return n;
}

static __u64 count_blocks(const struct tables *t, const struct index *x, enum xb_family family)
{
	__u64 n = 0;

	for (size_t i = 0; i < x->slots.n; i++) {
		const struct xb_svc *svc = svc_at(t, x->slots.v[i].svc);

		for (int s = 0; s < XB_SETS && x->slots.v[i].family == family; s++)
			n += set_block(svc, s);
	}
	return n;
}

static __u64 count_maglev(const struct tables *t, const struct index *x)
{
	__u64 n = 0;

	for (size_t i = 0; i < x->slots.n; i++)
		n += (svc_at(t, x->slots.v[i].svc)->maglev.size + XB_MAG_LINE - 1) / XB_MAG_LINE;
	return n;
}

static __u64 count_reverse(const struct tables *t)
{
	__u64 n = 0;

	for (__u32 i = 0; i < t->t[TABLE_REV].size; i++)
		for (int w = 0; w < XB_REV_WAYS; w++)
			n += ((const struct xb_rev_set *)table_at(t, TABLE_REV, i))->way[w].cookie != 0;
	return n;
}

static struct usage count(const struct tables *t, const struct index *x, __u32 tick, enum table_id id)
{
	__u64 size = t->t[id].size;
	bool six = id == TABLE_FE6 || id == TABLE_BE6;
	struct flow_usage flows;

	switch (about[id].counting) {
	case COUNT_FRONTENDS:
		return (struct usage){ count_frontends(x, six ? XB_IPV6 : XB_IPV4), size * XB_FE_WAYS, size * XB_FE_WAYS / 2 };
	case COUNT_KEYS:
	case COUNT_OVERFLOW:
		return (struct usage){ count_keys(&t->t[id]), size, 0 };
	case COUNT_NAMES:
		return (struct usage){ x->slots.n, size - 1, size - 1 };
	case COUNT_BLOCKS:
		return (struct usage){ count_blocks(t, x, six ? XB_IPV6 : XB_IPV4), size, size };
	case COUNT_RANGES:
		return (struct usage){ x->ranges.n, size, size };
	case COUNT_MAGLEV:
		return (struct usage){ count_maglev(t, x), size, size };
	case COUNT_REVERSE:
		return (struct usage){ count_reverse(t), size * XB_REV_WAYS, 0 };
	case COUNT_FLOWS:
	case COUNT_OLD_FLOWS:
		flow_usage_read(t, id, tick, &flows);
		return (struct usage){ flows.live, size * XB_FLOW_WAYS, about[id].counting == COUNT_FLOWS ? size * 2 : 0 };
	case COUNT_NOTHING:
		break;
	}
	return (struct usage){ 0, size, 0 };
}

/* memory: to which the table's is added */
static void print_one(struct printer *p, const struct tables *t, const struct index *x, __u32 tick, enum table_id id,
		      __u64 memory[N_SHARES])
{
	struct usage u = count(t, x, tick, id);
	__u64 bytes = 0;

	xb_bpf_memory(t->t[id].fd, &bytes);
	memory[about[id].share] += bytes;
	print_cell(p, "%s", table_name(id));
	if (about[id].counting == COUNT_NOTHING)
		print_cell_none(p);
	else
		print_cell_number(p, u.used);
	print_cell_number(p, u.size);
	if (u.grows_at)
		print_cell_number(p, u.grows_at);
	else
		print_cell_none(p);
	print_cell_bytes(p, bytes);
	print_cell(p, "%s", about[id].what);
}

/* What a table has room for beyond what is used is shared out as well. */
static void print_shares(struct printer *p, const struct tables *t, const struct index *x, const __u64 memory[N_SHARES])
{
	const __u64 numbers[N_SHARES] = { 1, x->slots.n, count_blocks(t, x, XB_IPV4) + count_blocks(t, x, XB_IPV6) };

	print_table(p, "memory", share_columns, ARRAY_SIZE(share_columns));
	for (int i = 0; i < N_SHARES; i++) {
		print_cell(p, "%s", share_texts[i]);
		print_cell_number(p, numbers[i]);
		print_cell_bytes(p, memory[i]);
		if (numbers[i])
			print_cell_bytes(p, memory[i] / numbers[i]);
		else
			print_cell_none(p);
	}
	print_table_end(p);
}

static void print_hooks(struct printer *p, const struct hooks *h)
{
	print_table(p, "programs", hook_columns, ARRAY_SIZE(hook_columns));
	for (size_t i = 0; i < h->v.n; i++) {
		print_cell(p, "%s", h->v.v[i].hook);
		print_cell(p, "%s", h->v.v[i].where);
		print_cell(p, "%s", h->v.v[i].name);
		print_cell_number(p, h->v.v[i].id);
		print_cell_bool(p, h->v.v[i].ours);
	}
	print_table_end(p);
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_(tables_freep) struct tables *t = NULL;
	_cleanup_index_ struct index x = {};
	_cleanup_hooks_ struct hooks h = {};
	_cleanup_free_ char *links = NULL;
	__u64 memory[N_SHARES] = {};
	struct ticks ticks;
	int r = target_tables(&o->target, &t, reterr_why);

	if (!r)
		r = ticks_read(&ticks, reterr_why);
	if (!r)
		r = target_enter_network(&o->target, reterr_why);
	if (r)
		return r;
	links = xprintf("%.*s/links", (int)(strlen(t->folder) - strlen("/maps")), t->folder);
	r = hooks_read(links, &h, reterr_why);
	if (r)
		return r;
	index_make(t, &x);
	print_table(p, "tables", table_columns, ARRAY_SIZE(table_columns));
	for (int i = 0; i < N_TABLES; i++)
		if (t->t[i].fd >= 0)
			print_one(p, t, &x, ticks.now, i, memory);
	print_table_end(p);
	print_shares(p, t, &x, memory);
	print_hooks(p, &h);
	return 0;
}

const struct command map_command = {
	.object = "map", .summary = "how full a node's tables are, and which programs run where",
	.purpose = "Shows of each pinned table how much of it is used, of what size it is (in entries), how much in use makes kube-proxy double it, "
		   "and its memory; what of that a port of a service and a backend take, each with its share of what is free; and the BPF "
		   "programs at the data plane's hooks: ours, which pinned links hold, and those of others.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
