/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>
#include "programs.h"
#include "xb/macro.h"
#include "xb/why.h"
#include "sock.skel.h"
#include "tc.skel.h"
#include "xdp.skel.h"

static const struct {
	const char *name;
	const void *(*bytes)(size_t *ret_n);
	const char *only[2];        /* of its programs; NULL: all */
} built_in[N_OBJECTS] = {
	[OBJECT_SOCK] = { .name = "sock", .bytes = sock__elf_bytes },
	[OBJECT_TC] = { "tc", tc__elf_bytes, { "xb_ingress", "xb_egress" } },
	[OBJECT_TC_L3] = { "tc_l3", tc__elf_bytes, { "xb_ingress_l3", "xb_egress_l3" } },
	[OBJECT_XDP] = { .name = "xdp", .bytes = xdp__elf_bytes },
};

/* A program costs the kernel up to 80 ms: what nobody asked for is not loaded. */
static void choose(struct bpf_object *o, const char *const only[2])
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, o)
		bpf_program__set_autoload(p, !only[0] || !strcmp(bpf_program__name(p), only[0]) || !strcmp(bpf_program__name(p), only[1]));
}

int programs_open(unsigned which, struct programs *ret, char **reterr_why)
{
	struct programs p = {};

	for (int i = 0; i < N_OBJECTS; i++) {
		LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = built_in[i].name);
		const void *elf;
		size_t n;

		if (!(which & 1u << i))
			continue;
		elf = built_in[i].bytes(&n);
		p.object[i] = bpf_object__open_mem(elf, n, &opts);
		if (!p.object[i]) {
			int r = -errno;

			programs_close(&p);
			return xb_why(reterr_why, r, "cannot open the built-in BPF programs '%s': %s", built_in[i].name, strerror(-r));
		}
		choose(p.object[i], built_in[i].only);
	}
	*ret = p;
	return 0;
}

void programs_close(struct programs *p)
{
	for (int i = 0; i < N_OBJECTS; i++)
		bpf_object__close(p->object[i]);
	*p = (struct programs){};
}

static const struct btf_var_secinfo *find_setting(const struct bpf_object *o, const char *name)
{
	const struct btf *btf = bpf_object__btf(o);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; section && i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *v = btf_var_secinfos(section) + i;

		if (!strcmp(btf__name_by_offset(btf, btf__type_by_id(btf, v->type)->name_off), name))
			return v;
	}
	return NULL;
}

static int set_one(const struct bpf_object *o, const struct setting *s, char *rodata, size_t n)
{
	const struct btf_var_secinfo *v = find_setting(o, s->name);
	__u32 narrow = (__u32)s->value;

	if (!v || v->offset + v->size > n)
		return -EINVAL;
	if (v->size == sizeof(__u64))
		memcpy(rodata + v->offset, &s->value, sizeof(__u64));
	else if (v->size == sizeof(__u32) && narrow == s->value)
		memcpy(rodata + v->offset, &narrow, sizeof(__u32));
	else
		return -EINVAL;
	return 0;
}

static int set_all(struct bpf_object *o, const struct setting *settings, size_t n_settings)
{
	struct bpf_map *map = bpf_object__find_map_by_name(o, ".rodata");
	_cleanup_free_ char *rodata = NULL;
	const void *initial = NULL;
	size_t n = 0;
	int r = 0;

	if (map)
		initial = bpf_map__initial_value(map, &n);
	if (!initial)
		return -EINVAL;
	rodata = malloc(n);
	if (!rodata)
		return -ENOMEM;
	memcpy(rodata, initial, n);
	for (size_t i = 0; i < n_settings && r == 0; i++)
		r = set_one(o, &settings[i], rodata, n);
	return r < 0 ? r : bpf_map__set_initial_value(map, rodata, n);
}

int programs_set(const struct programs *p, const struct setting *settings, size_t n)
{
	int r = 0;

	for (int i = 0; i < N_OBJECTS && r == 0; i++)
		if (p->object[i])
			r = set_all(p->object[i], settings, n);
	return r;
}

struct bpf_map *programs_map(const struct programs *p, enum object_id object, const char *name)
{
	return p->object[object] ? bpf_object__find_map_by_name(p->object[object], name) : NULL;
}

int programs_load(const struct programs *p, enum object_id object, char **reterr_why)
{
	int r = bpf_object__load(p->object[object]);

	if (r == -EPERM)
		return xb_why(reterr_why, r, "the kernel does not let this process load BPF: it needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (or root)");
	if (r < 0)
		return xb_why(reterr_why, r, "cannot load the BPF programs '%s': %s (Linux 6.1 or later is needed)", built_in[object].name,
			      strerror(-r));
	return 0;
}

void program_name(int fd, char *ret, size_t n)
{
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(info);

	bpf_obj_get_info_by_fd(fd, &info, &bytes);
	snprintf(ret, n, "%s", info.name);
}

size_t programs_others(const __u32 *ids, size_t n, __u32 ours, const char *where, struct xb_buf *out)
{
	size_t others = 0;

	for (size_t i = 0; i < n; i++) {
		_cleanup_close_ int fd = -1;
		char name[BPF_OBJ_NAME_LEN] = "";

		if (ids[i] == ours)
			continue;
		others++;
		fd = bpf_prog_get_fd_by_id(ids[i]);
		if (fd >= 0)
			program_name(fd, name, sizeof(name));
		xb_buf_addf(out, "%s%s program %u '%s'", out->n ? ", " : "", where, ids[i], name);
	}
	return others;
}
