/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include <sys/mman.h>
#include "apply_state.h"
#include "xb/abi/flow.h"
#include "xb/abi/hdr.h"
#include "xb/log.h"
#include "xb/model.h"
#include "xb/time.h"
#include "xb/why.h"

#define SAMPLE 256                  /* sets, of one hash: as good as any others */
#define LEAD_S 2                    /* what a growth takes, about */
#define AHEAD_S 4                   /* what the larger table is to be enough for */
#define COPIED_AT_ONCE 2048         /* sets: some milliseconds */
#define RARELY_MS 1000
#define OFTEN_MS 250                /* from half full on */
#define RETRY_MS 30000

static const enum table_id table_ids[2] = { TABLE_FLOW4, TABLE_FLOW6 }, old_ids[2] = { TABLE_FLOW4_OLD, TABLE_FLOW6_OLD };

__u32 flow_sets_wanted(const struct flow_load *l)
{
	double gain = MAX(l->gain, 0), then = l->open + gain * LEAD_S;
	__u32 sets = l->sets;

	if (then <= (double)sets * FLOW_ENTRIES_A_SET)
		return sets;
	then = l->open + gain * AHEAD_S;
	do
		sets *= 2;
	while (then > (double)sets * FLOW_ENTRIES_A_SET && sets < 1u << 30);
	return sets;
}

/* --- how full a table is --- */
static const struct xb_flow_head *head_at(const struct flow_room *r, int f, __u32 set)
{
	size_t bytes = f ? sizeof(struct xb_flow6_set) : sizeof(struct xb_flow4_set);

	return (const void *)((const char *)r->sample + set * bytes);
}

static __u32 open_entries(const struct flow_room *r, int f, __u32 tick)
{
	__u32 n = 0;

	for (__u32 i = 0; i < r->sampled; i++) {
		const struct xb_flow_head *head = head_at(r, f, i);

		for (int way = 0; way < XB_FLOW_WAYS; way++) {
			union {
				__u64 word;
				struct xb_flow_way way;
			} u = { .word = __atomic_load_n((const __u64 __attribute__((may_alias)) *)&head->way[way], __ATOMIC_RELAXED) };

			n += u.way.tag & XB_FLOW_ASSURED && !(u.way.tag & XB_FLOW_BUSY) && (__s32)(u.way.expires - tick) > 0;
		}
	}
	return n;
}

static int map_sample(struct flow_room *r, const struct table *t)
{
	int e;

	if (r->of == t->size)
		return 0;
	if (r->sample)
		munmap((void *)r->sample, r->sample_bytes);
	r->sample = NULL;
	r->of = 0;
	e = xb_bpf_mmap_first(t->fd, SAMPLE, &r->sample, &r->sample_bytes);
	if (e < 0)
		return e;
	r->of = t->size;
	r->sampled = MIN(t->size, SAMPLE);
	r->looked_ms = 0;
	return 0;
}

static int look(struct apply *a, int f, __u32 tick)
{
	const struct table *t = &a->tables->t[table_ids[f]];
	struct flow_room *r = &a->flows[f];
	long long now = xb_time_ms();
	int e = map_sample(r, t);
	double open;

	if (e < 0)
		return e;
	open = (double)open_entries(r, f, tick) * t->size / r->sampled;
	r->load = (struct flow_load){
		.sets = t->size, .open = open,
		.gain = r->looked_ms && now > r->looked_ms ? (open - r->load.open) * 1000 / (double)(now - r->looked_ms) : 0,
	};
	r->looked_ms = now;
	return 0;
}

/* --- growth --- */
static __u64 *growth_of(const struct apply *a, int f)
{
	struct xb_hdr *hdr = a->tables->t[TABLE_HDR].mem;

	return f ? &hdr->flow6_growth : &hdr->flow4_growth;
}

static bool has_old(const struct apply *a, int f)
{
	return a->tables->t[old_ids[f]].size > 1;
}

/* What programs did by the last word is done when this one holds, and none goes by the last one when this returns. */
static int set_growth(struct apply *a, int f, enum xb_flow_growth growth)
{
	int r = xb_grace_wait(&a->grace);

	if (r < 0)
		return r;
	__atomic_store_n(growth_of(a, f), growth, __ATOMIC_SEQ_CST);
	return xb_grace_wait(&a->grace);
}

static void copy_end(struct flow_room *r)
{
	if (r->table || r->old)
		xb_model_close();
	if (r->table)
		munmap(r->table, r->table_bytes);
	if (r->old)
		munmap(r->old, r->old_bytes);
	r->table = r->old = NULL;
}

static int copy_begin(struct apply *a, int f, __u32 tick)
{
	const struct table *t = &a->tables->t[table_ids[f]], *old = &a->tables->t[old_ids[f]];
	struct flow_room *r = &a->flows[f];
	struct xb_model_flows flows = {
		.family = f ? XB_IPV6 : XB_IPV4, .sets = t->size, .old_sets = old->size,
		.seed = ((const struct xb_hdr *)a->tables->t[TABLE_HDR].mem)->hash_seed,
	};
	int e = xb_bpf_mmap(t->fd, &r->table, &r->table_bytes);

	if (e == 0)
		e = xb_bpf_mmap(old->fd, &r->old, &r->old_bytes);
	if (e < 0) {
		copy_end(r);
		return e;
	}
	r->copied = r->refused = 0;
	flows.table = r->table;
	flows.old = r->old;
	xb_model_flows_open(&flows, tick);
	return 0;
}

static int copy_some(struct apply *a, int f, __u32 tick)
{
	__u32 sets = a->tables->t[old_ids[f]].size, refused;
	struct flow_room *r = &a->flows[f];
	int e = r->table ? 0 : copy_begin(a, f, tick);

	if (e == 0)
		e = xb_model_flows_copy(f ? XB_IPV6 : XB_IPV4, tick, r->copied, MIN(COPIED_AT_ONCE, sets - r->copied), &refused);
	if (e < 0)
		return e == -EAGAIN ? 0 : e;
	r->copied += MIN(COPIED_AT_ONCE, sets - r->copied);
	r->refused += refused;
	if (r->copied < sets)
		return 0;
	e = set_growth(a, f, XB_FLOW_MOVED);
	if (e < 0)
		return e;
	a->flow_growths++;
	log_info("%s has grown to %u sets", tables_name(table_ids[f]), a->tables->t[table_ids[f]].size);
	if (r->refused)
		log_warning("%s: %u entries found no room in the larger table: their flows begin anew", tables_name(table_ids[f]), r->refused);
	copy_end(r);
	return 0;
}

/* Begins what is wanted, of both at once: loading programs is most of what it costs. */
static int begin(struct apply *a, const __u32 wanted[2], char **reterr_why)
{
	__u32 sizes[N_TABLES];

	room_sizes(a, sizes);
	for (int f = 0; f < 2; f++) {
		if (wanted[f] == sizes[table_ids[f]])
			continue;
		log_info("%s grows from %u to %u sets: some %.0f flows are open", tables_name(table_ids[f]), sizes[table_ids[f]], wanted[f],
			 a->flows[f].load.open / FLOW_ENTRIES_A_SET);
		sizes[old_ids[f]] = sizes[table_ids[f]];
		sizes[table_ids[f]] = wanted[f];
	}
	return room_change(a, sizes, reterr_why);
}

/* All is in the new tables. */
static int finish(struct apply *a, char **reterr_why)
{
	__u32 sizes[N_TABLES];

	room_sizes(a, sizes);
	sizes[TABLE_FLOW4_OLD] = sizes[TABLE_FLOW6_OLD] = 1;
	return room_change(a, sizes, reterr_why);
}

/* Told once, until there is room again. */
static void note_full(struct apply *a, int f, const char *why)
{
	struct flow_room *r = &a->flows[f];

	if (!r->full)
		log_warning("%s should grow beyond %u sets, as some %.0f flows are open, and cannot: %s. More may be dropped (dropped-flows-full)",
			    tables_name(table_ids[f]), r->load.sets, r->load.open / FLOW_ENTRIES_A_SET, why);
	r->full = true;
}

/* Whether all devices run the programs of the tables: until then one may run those that know another table alone. */
static bool devices_ready(struct apply *a, const bool wants[2])
{
	_cleanup_free_ char *why = NULL;
	struct devices_stats stats;

	if (devices_settled(attach_devices(a->attach)))
		return true;
	devices_stats(attach_devices(a->attach), &stats);
	if (stats.faulty)
		xb_why(&why, -EBUSY, "programs could not be put in place on %zu devices", stats.faulty);
	for (int f = 0; f < 2 && stats.faulty; f++)
		if (wants[f])
			note_full(a, f, why ? why : strerror(ENOMEM));
	return false;
}

/* The next step of a growth that is under way. After each the state is in the pinned tables, so that the next start goes on from there. */
static int step(struct apply *a, __u32 tick, char **reterr_why)
{
	if (!devices_ready(a, (bool[2]){ has_old(a, 0), has_old(a, 1) }))
		return RARELY_MS;
	for (int f = 0; f < 2; f++) {
		if (has_old(a, f) && *growth_of(a, f) == XB_FLOW_TO_OLD)
			return set_growth(a, f, XB_FLOW_TO_NEW);
		if (has_old(a, f) && *growth_of(a, f) == XB_FLOW_TO_NEW)
			return copy_some(a, f, tick);
	}
	if (has_old(a, 0) || has_old(a, 1))
		return finish(a, reterr_why);
	for (int f = 0; f < 2; f++) {
		int r = *growth_of(a, f) == XB_FLOW_TO_OLD ? 0 : set_growth(a, f, XB_FLOW_TO_OLD);

		if (r < 0)
			return r;
	}
	return 0;
}

static int look_at_both(struct apply *a, __u32 tick, __u32 ret_wanted[2])
{
	for (int f = 0; f < 2; f++) {
		struct flow_room *room = &a->flows[f];
		int r = look(a, f, tick);

		if (r < 0)
			return r;
		ret_wanted[f] = flow_sets_wanted(&room->load);
		room->full &= room->load.open > (double)room->load.sets * FLOW_ENTRIES_A_SET * 7 / 8;
		if (ret_wanted[f] <= a->flow_sets_most || ret_wanted[f] == room->load.sets)
			continue;
		ret_wanted[f] = MAX(a->flow_sets_most, room->load.sets);
		if (ret_wanted[f] == room->load.sets)
			note_full(a, f, "--conntrack-max-per-core and --conntrack-min allow no more");
	}
	return 0;
}

static int look_and_begin(struct apply *a, __u32 tick)
{
	_cleanup_free_ char *why = NULL;
	bool wants[2], half = false;
	__u32 wanted[2];
	int r = look_at_both(a, tick, wanted);

	if (r < 0)
		return r;
	for (int f = 0; f < 2; f++) {
		const struct flow_load *l = &a->flows[f].load;

		wants[f] = wanted[f] != l->sets;
		half |= l->open > (double)l->sets * FLOW_ENTRIES_A_SET / 2;
	}
	if ((!wants[0] && !wants[1]) || !devices_ready(a, wants))
		return half ? OFTEN_MS : RARELY_MS;
	r = begin(a, wanted, &why);
	for (int f = 0; f < 2 && r < 0; f++)
		if (wants[f])
			note_full(a, f, why ? why : strerror(-r));
	return r < 0 ? RETRY_MS : 0;
}

static bool is_growing(const struct apply *a)
{
	return has_old(a, 0) || has_old(a, 1) || *growth_of(a, 0) != XB_FLOW_TO_OLD || *growth_of(a, 1) != XB_FLOW_TO_OLD;
}

int apply_tend(struct apply *a)
{
	_cleanup_free_ char *why = NULL;
	__u32 tick;
	int r = room_settle(a, &why);

	if (r == 0)
		r = xb_tick_read(a->tick_fd, &tick);
	if (r == 0)
		r = is_growing(a) ? step(a, tick, &why) : look_and_begin(a, tick);
	if (r < 0 && r != a->tend_fault)
		log_warning("tables of flows cannot be looked after: %s", why ? why : strerror(-r));
	a->tend_fault = MIN(r, 0);
	return r < 0 ? RETRY_MS : r;
}

void flow_rooms_done(struct apply *a)
{
	for (int f = 0; f < 2; f++) {
		copy_end(&a->flows[f]);
		if (a->flows[f].sample)
			munmap((void *)a->flows[f].sample, a->flows[f].sample_bytes);
	}
	xb_closep(&a->tick_fd);
}
