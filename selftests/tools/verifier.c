/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* verifier: every object, loaded as kube-proxy does, and what each of its programs cost the kernel's verifier. TAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include "../../userspace/proxy/tables.h"

/* BPF_COMPLEXITY_LIMIT_INSNS is what the verifier is willing to look at. A program that takes half of it may be too much for
 * a kernel that recognises fewer of the states it has seen. */
#define INSTRUCTIONS_MAX 1000000

/* Linux up to 6.7 rounds each frame up to so many bytes, newer ones to 16; MAX_BPF_STACK holds for all that call each other. */
#define FRAME_UNIT 32
#define STACK_MAX 512

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

struct code {
	const struct bpf_insn *insns;
	size_t n;
};

/* The function that an instruction calls, or has called by a helper; 0 when it does neither. */
static size_t callee(const struct code *c, size_t i)
{
	const struct bpf_insn *insn = &c->insns[i];
	bool call = insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
	bool callback = insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC;

	return call || callback ? i + 1 + (size_t)insn->imm : 0;
}

static bool begins_function(const struct code *c, size_t at)
{
	for (size_t i = 0; i < c->n; i++)
		if (callee(c, i) == at)
			return true;
	return false;
}

/* Bytes below the frame pointer that an instruction reaches, by itself or as the address that it takes. */
static int reach(const struct code *c, size_t i)
{
	const struct bpf_insn *insn = &c->insns[i], *next = insn + 1;
	__u8 class = BPF_CLASS(insn->code);

	if ((class == BPF_LDX && insn->src_reg == BPF_REG_10) || ((class == BPF_ST || class == BPF_STX) && insn->dst_reg == BPF_REG_10))
		return -insn->off;
	if (insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->src_reg == BPF_REG_10 && i + 1 < c->n &&
	    next->code == (BPF_ALU64 | BPF_ADD | BPF_K) && next->dst_reg == insn->dst_reg)
		return -next->imm;
	return 0;
}

/* What a function and the deepest that it calls take of the stack, as Linux 6.1 counts. */
static int stack_of(const struct code *c, size_t start)
{
	int own = 1, deepest = 0;

	for (size_t i = start; i < c->n && (i == start || !begins_function(c, i)); i++) {
		int below = callee(c, i) ? stack_of(c, callee(c, i)) : 0;

		own = MAX(own, reach(c, i));
		deepest = MAX(deepest, below);
	}
	return (own + FRAME_UNIT - 1) / FRAME_UNIT * FRAME_UNIT + deepest;
}

/* How far Linux up to 6.7 is with an instruction on its way through the branches (check_cfg() in kernel/bpf/verifier.c). */
enum { FALLTHROUGH = 1, BRANCH = 2, DISCOVERED = 16, EXPLORED = 32 };

struct walk {
	const struct code *c;
	unsigned char *state;
	size_t *stack, n;
	bool failed;
};

/* An edge from the instruction on top; true: follow it first. Only a jump may lead back into a loop that is not explored yet. */
static bool push(struct walk *w, size_t to, int edge, bool loop_ok)
{
	size_t from = w->stack[w->n - 1];

	if (w->state[from] >= (DISCOVERED | edge))
		return false;
	if (w->state[to] && !(w->state[to] & EXPLORED)) {
		if (!loop_ok)
			printf("# instruction %zu runs into %zu\n", from, to);
		w->failed |= !loop_ok;
		return false;
	}
	w->state[from] = (unsigned char)(DISCOVERED | edge);
	if (w->state[to])
		return false;
	w->state[to] = DISCOVERED;
	w->stack[w->n++] = to;
	return true;
}

static bool visit(struct walk *w)
{
	size_t t = w->stack[w->n - 1];
	const struct bpf_insn *insn = &w->c->insns[t];
	bool jump = BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32;
	__u8 op = BPF_OP(insn->code);

	if (callee(w->c, t))
		return push(w, t + 1, FALLTHROUGH, false) || push(w, callee(w->c, t), BRANCH, op != BPF_CALL);
	if (!jump || op == BPF_CALL)
		return push(w, t + 1, FALLTHROUGH, false);
	if (op == BPF_EXIT)
		return false;
	if (op == BPF_JA)
		return push(w, t + 1 + (size_t)insn->off, FALLTHROUGH, true);
	return push(w, t + 1, FALLTHROUGH, true) || push(w, t + 1 + (size_t)insn->off, BRANCH, true);
}

/* Whether Linux 6.1 takes the loops as they are laid out: one that is entered in its middle may not lead there without a jump. */
static bool loops_are_jumps(const struct code *c)
{
	struct walk w = { .c = c, .state = calloc(c->n, 1), .stack = calloc(c->n, sizeof(size_t)), .n = 1 };

	w.failed = !w.state || !w.stack;
	for (; !w.failed && w.n; ) {
		if (visit(&w))
			continue;
		w.state[w.stack[--w.n]] = EXPLORED;
	}
	free(w.state);
	free(w.stack);
	return !w.failed;
}

static void check(const struct bpf_program *program)
{
	struct code code = { bpf_program__insns(program), bpf_program__insn_cnt(program) };
	int stack = stack_of(&code, 0);
	struct bpf_prog_info info = {};
	__u32 n = sizeof(info);
	const char *name = bpf_program__name(program);

	if (!ok(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &n) == 0 && info.verified_insns <= INSTRUCTIONS_MAX / 2,
		"%s takes at most half of what the verifier looks at", name))
		printf("# %m\n");
	ok(stack <= STACK_MAX, "%s has enough stack", name);
	ok(loops_are_jumps(&code), "%s has no loop that is entered in its middle", name);
	printf("# %-13s %6u instructions verified, %5u in the program, %5u bytes of machine code, %3d of stack\n", name, info.verified_insns,
	       info.xlated_prog_len / (__u32)sizeof(struct bpf_insn), info.jited_prog_len, stack);
}

static void check_object(enum object_id object, const __u32 sizes[N_TABLES], const char *when)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	_cleanup_free_ char *why = NULL;
	struct bpf_program *program;
	int r = tables_load(NULL, 1u << object, sizes, &t, &why);

	if (!ok(r == 0, "object %d of %d is loaded%s", object + 1, N_OBJECTS, when)) {
		printf("# %s\n", why ? why : strerror(-r));
		return;
	}
	printf("# %s.bpf.o%s\n", bpf_object__name(t->programs.object[object]), when);
	bpf_object__for_each_program(program, t->programs.object[object])
		if (bpf_program__autoload(program))
			check(program);
}

int main(void)
{
	__u32 growing[N_TABLES];

	libbpf_set_print(tell);
	memcpy(growing, tables_start_sizes, sizeof(growing));
	growing[TABLE_FLOW4_OLD] = growing[TABLE_FLOW6_OLD] = 2;
	for (int i = 0; i < N_OBJECTS; i++) {
		check_object(i, tables_start_sizes, "");
		if (i != OBJECT_SOCK)
			check_object(i, growing, ", while tables of flows grow");
	}
	printf("1..%d\n", n_tests);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
