/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sock_steps BPFFS CGROUP: changes of the tables are killed after single instructions that stored something in them: XB_POINTS of each
 * change, spread over it (default 3; 0: all). What a program sees then is what was or what was to be; and the next start makes it
 * whole. TAP.
 */
#include <sys/ptrace.h>
#include "sock.h"
#include "../../userspace/proxy/apply_state.h"

/* Of the service that is changed: before, and after. NULL: it is not there. */
struct change {
	const char *what, *before, *after;
	const char *letters;        /* backends that a client may meet meanwhile */
	bool refused;               /* or it is refused */
};
static const struct change changes[] = {
	{ "backends", "tcp4 c=10.96.1.1:80 n=30081 be=AB", "tcp4 c=10.96.1.1:80 n=30081 be=CD", "ABCD", false },
	{ "frontends", "tcp4 c=10.96.1.1:80 n=30081 x=203.0.113.9:80 be=AB", "tcp4 c=10.96.1.1:80 n=30082 x=203.0.113.8:80 be=ABC", "ABC",
	  false },
	{ "settings", "tcp4 c=10.96.1.1:80 be=AB", "tcp4 c=10.96.1.1:80 l=203.0.113.7:80 src=192.0.2.0/24 maglev aff=60 be=B", "AB", false },
	{ "a new one", NULL, "tcp4 c=10.96.1.1:80 n=30081 be=AB", "AB", true },
	{ "one that goes", "tcp4 c=10.96.1.1:80 n=30081 l=203.0.113.7:80 src=192.0.2.0/24 maglev be=AB", NULL, "AB", true },
};
#define NAME     "steps/changed"
#define VIP      "10.96.1.1:80"
#define OTHER    "10.96.1.2:80"
#define TO_END   -1

static void make(struct apply *a, const char *spec)
{
	if (spec)
		set(a, NAME, spec);
	else
		apply_remove(a, NAME, AF_INET, XB_PROTO_TCP);
}

/* As kube-proxy does with what its lists say. */
static struct apply *start(const char *spec)
{
	struct apply *a = open_tables();

	set(a, "steps/other", "tcp4 c=" OTHER " be=E");
	if (spec)
		set(a, NAME, spec);
	apply_prune(a);
	return a;
}

/* The tables as they were, to tell when an instruction has stored something. */
struct copy {
	void *mem[N_TABLES];
};

/* Brings it up to date, and returns whether it was not. */
static bool copy_follow(struct copy *c, const struct tables *t)
{
	bool differed = false;

	for (int i = 0; i < N_TABLES; i++) {
		const struct table *one = &t->t[i];

		if (!one->mem || (c->mem[i] && !memcmp(c->mem[i], one->mem, one->bytes)))
			continue;
		if (!c->mem[i])
			c->mem[i] = malloc(one->bytes);
		if (!c->mem[i])
			die("malloc");
		memcpy(c->mem[i], one->mem, one->bytes);
		differed = true;
	}
	return differed;
}

static void copy_done(struct copy *c)
{
	for (int i = 0; i < N_TABLES; i++)
		free(c->mem[i]);
}

/* In a process of its own, which shares the tables, until it has stored so many times, or to its end: how many times it did. */
static long change(struct apply *a, const char *after, long most)
{
	struct copy copy = {};
	long stores = 0;
	int status;
	pid_t pid;

	copy_follow(&copy, a->tables);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		make(a, after);
		raise(SIGSTOP);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		die("waitpid");
	do {
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		stores += copy_follow(&copy, a->tables);
	} while (stores != most && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	copy_done(&copy);
	return stores;
}

static bool seen_well(const struct change *c)
{
	struct answer a = ask(SOCK_STREAM, VIP), other = ask(SOCK_STREAM, OTHER);

	if (other.letter == 'E' && (a.error ? c->refused : one_of(c->letters, a.letter)))
		return true;
	printf("# the other: '%c'; its own: '%c', %s\n", other.letter ? other.letter : '-', a.letter ? a.letter : '-', strerror(a.error));
	return false;
}

static bool same(const struct apply_stats *a, const struct apply_stats *b)
{
	if (a->ports == b->ports && a->frontends == b->frontends && a->backends == b->backends)
		return true;
	printf("# ports %zu, frontends %zu, backends %zu; should be %zu, %zu, %zu\n", a->ports, a->frontends, a->backends, b->ports, b->frontends,
	       b->backends);
	return false;
}

/* Killed after so many stores, and started again. */
static bool is_mended(const struct change *c, struct apply **a, long stores, const struct apply_stats *want)
{
	struct apply_stats got;
	bool good;

	change(*a, c->after, stores);
	apply_close(*a);
	good = seen_well(c);
	*a = start(c->after);
	apply_stats(*a, &got);
	return same(&got, want) && seen_well(c) && good;
}

static void test(const struct change *c, long points)
{
	struct apply_stats nothing, want, got;
	struct apply *a;
	long stores, bad = 0;

	apply_cleanup(bpffs, NULL);
	a = start(NULL);
	apply_stats(a, &nothing);
	make(a, c->after);
	apply_stats(a, &want);
	make(a, c->before);
	stores = change(a, c->after, TO_END);
	apply_close(a);
	a = start(c->before);
	points = points && points < stores ? points : stores;
	for (long i = 0; i < points; i++) {
		long at = 1 + i * stores / points;

		if (!is_mended(c, &a, at, &want)) {
			printf("# after %ld stores\n", at);
			bad++;
		}
		make(a, c->before);
	}
	make(a, NULL);
	apply_stats(a, &got);
	apply_close(a);
	printf("# %ld stores, killed after %ld of them\n", stores, points);
	ok(!bad && same(&got, &nothing), "%s", c->what);
}

int main(int argc, char **argv)
{
	const char *points = getenv("XB_POINTS");

	set_up(argc, argv);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		test(&changes[i], points ? atol(points) : 3);
	return finish();
}
