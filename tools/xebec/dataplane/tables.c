/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tables.h"
#include "xb/bpfobj.h"
#include "xb/why.h"
#include "../xalloc.h"

/* What tells one layout from another. mapped: it is an array in memory. */
static const struct row {
	const char *name;
	__u32 value_size;
	bool mapped;
} rows[N_TABLES] = {
	[TABLE_HDR] = { "xb_hdr", sizeof(struct xb_hdr), true },
	[TABLE_FE4] = { "xb_fe4", sizeof(struct xb_fe4_bucket), true },
	[TABLE_FE6] = { "xb_fe6", sizeof(struct xb_fe6_bucket), true },
	[TABLE_OVF4] = { "xb_ovf4", sizeof(struct xb_fe), false },
	[TABLE_OVF6] = { "xb_ovf6", sizeof(struct xb_fe), false },
	[TABLE_SVC] = { "xb_svc", sizeof(struct xb_svc), true },
	[TABLE_NAME] = { "xb_name", sizeof(struct xb_name), true },
	[TABLE_BE4] = { "xb_be4", sizeof(struct xb_be4), true },
	[TABLE_BE6] = { "xb_be6", sizeof(struct xb_be6), true },
	[TABLE_SRC] = { "xb_src", 0, false },
	[TABLE_MAG] = { "xb_mag", sizeof(struct xb_mag), true },
	[TABLE_REV] = { "xb_rev", sizeof(struct xb_rev_set), true },
	[TABLE_AFF] = { "xb_aff", sizeof(struct xb_aff), false },
	[TABLE_SKU] = { "xb_sku", sizeof(struct xb_sku), false },
	[TABLE_FLOW4] = { "xb_flow4", sizeof(struct xb_flow4_set), true },
	[TABLE_FLOW6] = { "xb_flow6", sizeof(struct xb_flow6_set), true },
	[TABLE_FLOW4_OLD] = { "xb_flow4_old", sizeof(struct xb_flow4_set), true },
	[TABLE_FLOW6_OLD] = { "xb_flow6_old", sizeof(struct xb_flow6_set), true },
	[TABLE_FRAG] = { "xb_frag", sizeof(struct xb_frag), false },
	[TABLE_NODE] = { "xb_node", sizeof(struct xb_node), true },
	[TABLE_METRICS] = { "xb_metrics", sizeof(struct xb_metrics), false },
	[TABLE_REASON] = { "xb_reason", sizeof(__u64), false },
	[TABLE_RATE] = { "xb_rate", 0, false },
	[TABLE_DROP] = { "xb_drop", sizeof(struct xb_event), true },
	[TABLE_NEW] = { "xb_new", sizeof(struct xb_event), true },
	[TABLE_CURSOR] = { "xb_cursor", sizeof(__u64), true },
};

const char *table_name(enum table_id id)
{
	return rows[id].name;
}

struct tables *tables_free(struct tables *t)
{
	if (!t)
		return NULL;
	for (int f = 0; f < 2; f++)
		xb_frontends_done(&t->fe[f]);
	for (int i = 0; i < N_TABLES; i++) {
		if (t->t[i].mem)
			munmap((void *)t->t[i].mem, t->t[i].bytes);
		xb_closep(&t->t[i].fd);
	}
	free(t->folder);
	free(t);
	return NULL;
}

/* --- opening --- */
static int open_one(const char *folder, const struct row *row, struct table *t, char **reterr_why)
{
	_cleanup_free_ char *path = xprintf("%s/%s", folder, row->name);
	struct bpf_map_info info = {};
	__u32 n = sizeof(info);
	int r;

	/* not BPF_F_RDONLY: the kernel shares no memory of a file that is not open for writing, and maps of BPF must be shared */
	t->fd = bpf_obj_get(path);
	if (t->fd < 0 && errno == ENOENT)
		return 0;
	if (t->fd < 0 || bpf_obj_get_info_by_fd(t->fd, &info, &n) < 0)
		return xb_why(reterr_why, -errno, "cannot open '%s': %m", path);
	if (row->value_size && info.value_size != row->value_size)
		return xb_why(reterr_why, -EPROTO, "'%s' has values of %u bytes where this program knows %u", path, info.value_size, row->value_size);
	t->type = info.type;
	t->size = info.max_entries;
	r = row->mapped ? xb_bpf_mmap_ro(t->fd, &t->mem, &t->bytes) : 0;
	return r ? xb_why(reterr_why, r, "cannot map '%s': %s", path, strerror(-r)) : 0;
}

/* Below <bpffs>/xebec: tables of another version than ours. 0: none. */
static unsigned other_version(const char *xebec)
{
	DIR *d = opendir(xebec);
	unsigned version = 0, one;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (sscanf(e->d_name, "v%u", &one) == 1 && one != XB_ABI_VERSION)
			version = one;
	if (d)
		closedir(d);
	return version;
}

static int explain_absence(const char *bpffs_path, const char *folder, int error, char **reterr_why)
{
	_cleanup_free_ char *xebec = xprintf("%s/xebec", bpffs_path);
	unsigned other = error == ENOENT ? other_version(xebec) : 0;

	if (error != ENOENT)
		return xb_why(reterr_why, -error, "cannot open '%s': %s", folder, strerror(error));
	if (other)
		return xb_why(reterr_why, -EPROTO, "the tables below '%s' are of version %u, and this program reads version %d", xebec, other,
			      XB_ABI_VERSION);
	return xb_why(reterr_why, -ENOENT, "no kube-proxy has tables at '%s': --bpffs-path says where, and --node which node of a cluster by \"xebec up\"",
		      folder);
}

int tables_index(struct tables *t)
{
	static const enum table_id ids[2][2] = { { TABLE_FE4, TABLE_OVF4 }, { TABLE_FE6, TABLE_OVF6 } };
	const struct xb_hdr *hdr = t->t[TABLE_HDR].mem;

	for (int f = 0; f < 2; f++) {
		const struct table *fe = &t->t[ids[f][0]];
		int r = xb_frontends_init(&t->fe[f], (void *)fe->mem, fe->mem ? fe->size : 0, f ? XB_IPV6 : XB_IPV4, hdr->hash_seed,
					  t->t[ids[f][1]].fd);

		if (r)
			return r;
	}
	return 0;
}

bool tables_current(const struct tables *t)
{
	struct stat st;

	return !stat(t->folder, &st) && st.st_ino == t->folder_inode;
}

int tables_open(const char *bpffs_path, struct tables **ret, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = xalloc(calloc(1, sizeof(*t)));
	const struct xb_hdr *hdr;
	struct stat st;
	int r = 0;

	for (int i = 0; i < N_TABLES; i++)
		t->t[i].fd = -1;
	t->folder = xprintf("%s/xebec/v%d/maps", bpffs_path, XB_ABI_VERSION);
	if (stat(t->folder, &st) < 0 || access(t->folder, R_OK | X_OK) < 0)
		return explain_absence(bpffs_path, t->folder, errno, reterr_why);
	t->folder_inode = st.st_ino;
	for (int i = 0; i < N_TABLES && !r; i++)
		r = open_one(t->folder, &rows[i], &t->t[i], reterr_why);
	if (r)
		return r;
	hdr = t->t[TABLE_HDR].mem;
	if (!hdr)
		return xb_why(reterr_why, -ENOENT, "'%s' holds no xb_hdr: kube-proxy --cleanup removes what is left there", t->folder);
	if (hdr->version != XB_ABI_VERSION)
		return xb_why(reterr_why, -EPROTO, "the tables in '%s' are of version %u, and this program reads version %d", t->folder,
			      hdr->version, XB_ABI_VERSION);
	r = tables_index(t);
	if (!r)
		*ret = TAKE_PTR(t);
	return r;
}

/* --- reading --- */
const void *table_at(const struct tables *t, enum table_id id, __u32 index)
{
	const struct table *table = &t->t[id];

	return table->mem && index < table->size ? (const char *)table->mem + (size_t)index * rows[id].value_size : NULL;
}

struct xb_set set_at(const struct xb_svc *svc, unsigned set)
{
	union {
		__u64 word;
		struct xb_set set;
	} u = {};

	if (svc)
		u.word = __atomic_load_n((const __u64 __attribute__((may_alias)) *)&svc->set[set], __ATOMIC_ACQUIRE);
	return u.set;
}

__u32 set_block(const struct xb_svc *svc, unsigned which)
{
	struct xb_set set = set_at(svc, which);
	__u32 block = 1;

	for (unsigned k = 0; k < which; k++)
		if (set_at(svc, k).count && set_at(svc, k).base == set.base)
			return 0;
	while (block < set.count)
		block *= 2;
	return set.count ? block : 0;
}

bool backend_at(const struct tables *t, enum xb_family family, __u32 index, struct xb_peer *ret)
{
	const struct xb_be4 *be4 = family == XB_IPV4 ? table_at(t, TABLE_BE4, index) : NULL;
	const struct xb_be6 *be6 = family == XB_IPV6 ? table_at(t, TABLE_BE6, index) : NULL;

	if (be4)
		*ret = (struct xb_peer){ .addr.be32 = { 0, 0, htonl(0xffff), be4->addr.be32 }, .port = be4->port, .local = be4->local };
	else if (be6)
		*ret = (struct xb_peer){ .addr = be6->addr, .port = be6->port, .local = be6->local };
	return be4 || be6;
}

struct name_text name_of(const struct tables *t, __u32 slot)
{
	const struct xb_name *name = table_at(t, TABLE_NAME, slot);
	struct name_text text = {};

	if (name)
		memcpy(text.s, name->name, sizeof(text.s) - 1);
	if (!text.s[0])
		snprintf(text.s, sizeof(text.s), "#%" PRIu32, slot);
	return text;
}

bool name_matches(const char *name, const char *wanted)
{
	size_t n = strlen(wanted);

	return !strncmp(name, wanted, n) && (!name[n] || name[n] == ':');
}

int ticks_read(struct ticks *ret, char **reterr_why)
{
	__u32 now;
	int r = xb_tick_now(&now);

	if (r)
		return xb_why(reterr_why, r, "cannot read the clock of flows: %s; it takes CAP_BPF and CAP_NET_ADMIN (or root)", strerror(-r));
	*ret = (struct ticks){ .now = now, .seconds = (double)(1u << xb_tick_shift()) / xb_jiffies_per_second() };
	return 0;
}
