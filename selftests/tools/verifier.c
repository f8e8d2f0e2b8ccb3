/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* verifier BPFFS OBJECT...: that the kernel holds every program of the objects, loaded against the tables that kube-proxy
 * pinned there, and what each of them cost the verifier. TAP. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include "xb/abi/types.h"
#include "xb/macro.h"

/* What the verifier is willing to look at, BPF_COMPLEXITY_LIMIT_INSNS. A program that takes half of it may be too much for
 * a kernel that forgets fewer of the states it saw. */
#define INSTRUCTIONS_MAX 1000000
#define MAPS_MAX 64

static __u32 tables[MAPS_MAX];
static __u32 n_tables;
static int n_tests, n_failed;

static void __attribute__((noreturn)) die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void tables_find(const char *bpffs)
{
	char folder[PATH_MAX], path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	snprintf(folder, sizeof(folder), "%s/xebec/v%u/maps", bpffs, XB_ABI_VERSION);
	d = opendir(folder);
	if (!d)
		die(folder);
	while ((e = readdir(d)) && n_tables < MAPS_MAX) {
		struct bpf_map_info info = {};
		__u32 n = sizeof(info);
		_cleanup_close_ int fd = -1;

		if (e->d_name[0] == '.' || (size_t)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= sizeof(path))
			continue;
		fd = bpf_obj_get(path);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n) < 0)
			die(path);
		tables[n_tables++] = info.id;
	}
	closedir(d);
}

static bool uses_tables(const __u32 *maps, __u32 n)
{
	for (__u32 i = 0; i < n && i < MAPS_MAX; i++)
		for (__u32 k = 0; k < n_tables; k++)
			if (maps[i] == tables[k])
				return true;
	return false;
}

/* The newest program of that name on our tables. The kernel cuts names off. */
static bool program_find(const char *name, struct bpf_prog_info *ret)
{
	bool found = false;

	for (__u32 id = 0; bpf_prog_get_next_id(id, &id) == 0; ) {
		__u32 maps[MAPS_MAX], n = sizeof(struct bpf_prog_info);
		struct bpf_prog_info info = { .map_ids = (__u64)(uintptr_t)maps, .nr_map_ids = MAPS_MAX };
		_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n) < 0 || strncmp(info.name, name, sizeof(info.name) - 1) ||
		    !uses_tables(maps, info.nr_map_ids))
			continue;
		*ret = info;
		found = true;
	}
	return found;
}

static void check(const char *object, const char *name)
{
	struct bpf_prog_info info = {};
	bool good = program_find(name, &info) && info.verified_insns <= INSTRUCTIONS_MAX / 2;

	printf("%s %d - %s of %s\n", good ? "ok" : "not ok", ++n_tests, name, object);
	printf("# %-13s %6u instructions verified, %4u in the program, %5u bytes of machine code\n", name, info.verified_insns,
	       info.xlated_prog_len / (__u32)sizeof(struct bpf_insn), info.jited_prog_len);
	n_failed += !good;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s BPFFS OBJECT...\n", argv[0]);
		return EXIT_FAILURE;
	}
	tables_find(argv[1]);
	for (int i = 2; i < argc; i++) {
		struct bpf_object *object = bpf_object__open_file(argv[i], NULL);
		struct bpf_program *program;

		if (!object)
			die(argv[i]);
		bpf_object__for_each_program(program, object)
			check(strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i], bpf_program__name(program));
		bpf_object__close(object);
	}
	printf("1..%d\n", n_tests);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
