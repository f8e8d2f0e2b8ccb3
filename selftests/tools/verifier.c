/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* verifier: every object, loaded as kube-proxy does, and what each of its programs cost the kernel's verifier. TAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include "../../userspace/proxy/tables.h"

/* BPF_COMPLEXITY_LIMIT_INSNS is what the verifier is willing to look at. A program that takes half of it may be too much for
 * a kernel that recognises fewer of the states it has seen. */
#define INSTRUCTIONS_MAX 1000000

static int n_tests, n_failed;

/* Of a verifier's log the end says why. */
static int _printf_(2, 0) tell(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *text, *save, *line;
	size_t n;

	if (level == LIBBPF_DEBUG || vasprintf(&text, fmt, ap) < 0)
		return 0;
	n = strlen(text);
	for (line = strtok_r(n > 4000 ? text + n - 4000 : text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		printf("# %s\n", line);
	free(text);
	return 0;
}

static bool _printf_(2, 3) ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", good ? "ok" : "not ok", ++n_tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	puts("");
	n_failed += !good;
	return good;
}

static void check(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 n = sizeof(info);
	const char *name = bpf_program__name(program);

	if (!ok(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &n) == 0 && info.verified_insns <= INSTRUCTIONS_MAX / 2,
		"%s takes at most half of what the verifier looks at", name))
		printf("# %m\n");
	printf("# %-13s %6u instructions verified, %4u in the program, %5u bytes of machine code\n", name, info.verified_insns,
	       info.xlated_prog_len / (__u32)sizeof(struct bpf_insn), info.jited_prog_len);
}

int main(void)
{
	libbpf_set_print(tell);
	for (int i = 0; i < N_OBJECTS; i++) {
		_cleanup_(tables_freep) struct tables *t = NULL;
		_cleanup_free_ char *why = NULL;
		struct bpf_program *program;
		int r = tables_load(NULL, 1u << i, tables_start_sizes, &t, &why);

		if (!ok(r == 0, "object %d of %d is loaded", i + 1, N_OBJECTS)) {
			printf("# %s\n", why ? why : strerror(-r));
			continue;
		}
		printf("# %s.bpf.o\n", bpf_object__name(t->programs.object[i]));
		bpf_object__for_each_program(program, t->programs.object[i])
			check(program);
	}
	printf("1..%d\n", n_tests);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
