/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sock_change BPFFS CGROUP: the tables change, grow, are closed and adopted while clients connect without a pause. TAP. */
#include <sys/mman.h>
#include "sock.h"

/* --- clients that connect in a loop, in processes of their own */

struct load {
	pid_t pids[4];
	int report;
};
struct tally {
	long connects, failures;
	struct answer last;         /* that was wrong */
};

#define PACE_US 500             /* a client's pause: xb_rev knows the peers of the last 16,384, which none may fall behind before it asks */

/* Shared with the clients. A signal would cut a poll() short and look like a failure. */
static volatile bool *stopping;

static void connect_loop(const char *to, int report)
{
	struct tally t = {};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!*stopping) {
		struct answer a = ask(SOCK_STREAM, to);

		t.connects++;
		if (a.error || !one_of("ABCDE", a.letter) || strcmp(a.peer, to)) {
			t.failures++;
			t.last = a;
		}
		usleep(PACE_US);
	}
	if (write(report, &t, sizeof(t)) != sizeof(t))
		exit(1);
	exit(0);
}

static struct load load_start(const char *to)
{
	struct load l;
	int fds[2];

	fflush(stdout);
	stopping = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stopping == MAP_FAILED || pipe(fds) < 0)
		die("load");
	l.report = fds[0];
	for (size_t i = 0; i < ARRAY_SIZE(l.pids); i++) {
		l.pids[i] = fork();
		if (!l.pids[i])
			connect_loop(to, fds[1]);
	}
	close(fds[1]);
	return l;
}

static void load_stop(struct load *l, const char *what)
{
	struct tally sum = {}, t;

	*stopping = true;
	while (read(l->report, &t, sizeof(t)) == sizeof(t)) {
		sum.connects += t.connects;
		sum.failures += t.failures;
		if (t.failures)
			sum.last = t.last;
	}
	for (size_t i = 0; i < ARRAY_SIZE(l->pids); i++)
		waitpid(l->pids[i], NULL, 0);
	close(l->report);
	munmap((void *)stopping, 1);
	if (sum.failures)
		ok(false, "%s (%ld of %ld did, the last with '%s', answer '%c', peer '%s')", what, sum.failures, sum.connects,
		   strerror(sum.last.error), sum.last.letter ? sum.last.letter : '-', sum.last.peer);
	else
		ok(sum.connects > 100, "%s (of %ld)", what, sum.connects);
}

/* --- refusals */

static void refused(const char *fs, const char *cg, int error, const char *sentence, const char *what)
{
	struct apply_config c = { .bpffs_path = fs, .cgroup_path = cg };
	_cleanup_free_ char *why = NULL;
	struct apply *a;

	is(apply_open(&c, &a, &why), error, what);
	has_text(why, sentence, "and says so");
}

static void test_refusals(void)
{
	struct apply *a = open_tables();
	char other[PATH_MAX], mine[64];

	refused("/tmp", cgroup, -EINVAL, "'/tmp' is not a folder in a BPF file system", "a path that is not bpffs is refused");
	refused("/nonexistent", cgroup, -ENOENT, "'/nonexistent'", "one that does not exist too");
	refused(bpffs, "/tmp", -EINVAL, "'/tmp' is not a folder of cgroup v2", "a path that is not cgroup v2 is refused");
	snprintf(mine, sizeof(mine), "in use by the process with PID %d", getpid());
	refused(bpffs, cgroup, -EBUSY, mine, "a second agent is refused");
	apply_close(a);
	snprintf(other, sizeof(other), "%s/xebec/v77", bpffs);
	mkdir(other, 0700);
	refused(bpffs, cgroup, -EPROTO, "another version of kube-proxy", "tables of another version are refused");
	rmdir(other);
}

/* A program above that allows no other below. */
static void test_single_parent(void)
{
	char single[PATH_MAX], child[PATH_MAX + 16];
	int prog = load_null_program(), cg;

	snprintf(single, sizeof(single), "%s/single", cgroup);
	snprintf(child, sizeof(child), "%s/child", single);
	if (mkdir(single, 0755) < 0 || mkdir(child, 0755) < 0)
		die(child);
	cg = open(single, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bpf_prog_attach(prog, cg, BPF_CGROUP_INET4_CONNECT, 0) < 0)
		die("bpf_prog_attach");
	refused(bpffs, child, -EPERM, "attached without BPF_F_ALLOW_MULTI", "a cgroup below a program that stands alone is refused");
	close(cg);
	close(prog);
	rmdir(child);
	rmdir(single);
}

/* --- restart */

static void test_restart(void)
{
	struct apply *a = open_tables();
	struct apply_stats before, after;
	struct load l;

	set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC");
	set(a, "default/web:http", "tcp6 c=[fd00:10:96::10]:80 be=AB");
	set(a, "default/old", "tcp4 c=10.96.0.11:80 x=203.0.113.9:80 be=E");
	apply_stats(a, &before);
	apply_close(a);
	/* not while it is open: the lock would be theirs too */
	l = load_start("10.96.0.10:80");
	for (int i = 0; i < 10; i++)
		apply_close(open_tables());
	load_stop(&l, "ten restarts fail no connection");
	a = open_tables();
	apply_stats(a, &after);
	ok(after.ports == before.ports && after.frontends == before.frontends && after.backends == before.backends && !after.publishes,
	   "a restart adopts what was there, and stores nothing");
	is_text(spread(SOCK_STREAM, "203.0.113.9:80", 10), "E", "services work before they are set again");
	set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC");
	set(a, "default/web:http", "tcp6 c=[fd00:10:96::10]:80 be=AB");
	is(apply_prune(a), 1, "prune removes what was not set again");
	is(ask(SOCK_STREAM, "203.0.113.9:80").error, ENETUNREACH, "it is gone");
	is_text(spread(SOCK_STREAM, "10.96.0.10:80", 40), "ABC", "the others stay");
	apply_close(a);
}

/* --- a cgroup that was removed and made again under the same name */

static void test_cgroup_again(void)
{
	const char *outer = cgroup;
	char inner[PATH_MAX], procs[PATH_MAX + 16];
	struct apply *a;
	int status;

	snprintf(inner, sizeof(inner), "%s/again", outer);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", inner);
	cgroup = inner;
	for (int i = 0; i < 2; i++) {
		if (mkdir(inner, 0755) < 0)
			die(inner);
		/* links from before this test are on the outer cgroup: they move */
		a = open_tables();
		set(a, "default/again", "tcp4 c=10.96.0.12:80 be=D");
		apply_close(a);
		fflush(stdout);
		if (!fork()) {
			FILE *f = fopen(procs, "we");

			if (!f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
				exit(9);
			exit(ask(SOCK_STREAM, "10.96.0.12:80").letter == 'D' ? 0 : 1);
		}
		wait(&status);
		is(status, 0, i ? "and follow it when it is removed and made again" : "links follow to another cgroup");
		is(ask(SOCK_STREAM, "10.96.0.12:80").error, ENETUNREACH, "outside of it nothing is translated");
		rmdir(inner);
	}
	cgroup = outer;
	apply_close(open_tables());
	is(ask(SOCK_STREAM, "10.96.0.12:80").letter, 'D', "and back");
}

/* --- growth */

static int set_many(struct apply *a, int from, int to, const char *backends)
{
	int bad = 0;

	for (int i = from; i < to; i++) {
		char name[64], spec[128];

		snprintf(name, sizeof(name), "many/service-%d:http", i);
		if (i & 1)
			snprintf(spec, sizeof(spec), "tcp6 c=[fd00:10:97::%x]:80 be=%s", i, backends);
		else
			snprintf(spec, sizeof(spec), "tcp4 c=10.97.%d.%d:80 be=%s", i >> 8, i & 255, backends);
		bad += set(a, name, spec) != 0;
	}
	return bad;
}

static int count_wrong(int to, int step, char letter)
{
	int wrong = 0;

	for (int i = 0; i < to; i += step) {
		char at[64];

		if (i & 1)
			snprintf(at, sizeof(at), "[fd00:10:97::%x]:80", i);
		else
			snprintf(at, sizeof(at), "10.97.%d.%d:80", i >> 8, i & 255);
		wrong += ask(SOCK_STREAM, at).letter != letter;
	}
	return wrong;
}

#define MANY 6000

static void test_growth(void)
{
	struct apply *a = open_tables();
	struct apply_stats small, large;
	struct load l;

	set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC");
	apply_stats(a, &small);
	l = load_start("10.96.0.10:80");
	is(set_many(a, 0, MANY, "ABCDE"), 0, "thousands of services of both families");
	load_stop(&l, "growing step by step fails no connection");
	apply_stats(a, &large);
	ok(large.ports_size > small.ports_size && large.frontends_size > small.frontends_size && large.backends_size > small.backends_size,
	   "every table has grown");
	is(set_many(a, 0, MANY, "D"), 0, "each with one backend");
	is(count_wrong(MANY, 7, 'D'), 0, "all lead where they should");
	apply_close(a);
	a = open_tables();
	is(count_wrong(MANY, 7, 'D'), 0, "also after a restart");
	is(set_many(a, 0, MANY, "DE"), 0, "each changed");
	is(set_many(a, 0, MANY, "E"), 0, "and again: blocks are used again");
	is(count_wrong(MANY, 7, 'E'), 0, "all follow");
	set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC");
	apply_close(a);
	a = open_tables();
	set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC");
	ok(apply_prune(a) >= MANY, "prune removes them all");
	apply_stats(a, &small);
	is((long)small.ports, 1, "one is left");
	is((long)small.backends, 4, "with its block");
	is(set_many(a, 0, MANY, "A"), 0, "and all made anew, in slots that others had");
	is(count_wrong(MANY, 7, 'A'), 0, "lead to their own backends");
	apply_prune(a);
	apply_close(a);
}

/* --- kill -9 in the middle of changes */

static void change_for_ever(unsigned seed)
{
	struct apply *a = open_tables();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int i = (int)(rand_r(&seed) % 1200);
		char name[64];

		snprintf(name, sizeof(name), "many/service-%d:http", i);
		if (rand_r(&seed) % 3 == 0)
			apply_remove(a, name, i & 1 ? AF_INET6 : AF_INET, XB_PROTO_TCP);
		else
			set_many(a, i, i + 1, rand_r(&seed) % 2 ? "BC" : "BCD");
	}
}

static void test_kill(void)
{
	struct load l;
	struct apply *a = open_tables();
	unsigned seed = 4711;
	int status, broken = 0;

	set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC");
	apply_close(a);
	l = load_start("10.96.0.10:80");
	for (int i = 0; i < 12; i++) {
		pid_t pid = fork();

		if (!pid)
			change_for_ever(seed + (unsigned)i);
		usleep(50000 + (useconds_t)(rand_r(&seed) % 350000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		a = open_tables();
		broken += set_many(a, 0, 40, "A") || count_wrong(40, 1, 'A');
		apply_close(a);
	}
	load_stop(&l, "killed in the middle of changes twelve times: no connection of another service fails");
	is(broken, 0, "each time what was left is adopted, and can be set right");
	a = open_tables();
	set(a, "default/web:http", "tcp4 c=10.96.0.10:80 n=30080 be=ABC");
	apply_prune(a);
	is(ask(SOCK_STREAM, "10.97.0.0:80").error, ENETUNREACH, "nothing of the rest stays behind after a prune");
	apply_close(a);
}

static void test_cleanup(void)
{
	_cleanup_free_ char *why = NULL;
	char path[PATH_MAX];
	struct apply *a = open_tables();

	is(apply_cleanup(bpffs, &why), -EBUSY, "cleanup refuses while an agent runs");
	apply_close(a);
	is(apply_cleanup(bpffs, NULL), 0, "cleanup");
	snprintf(path, sizeof(path), "%s/xebec", bpffs);
	is(access(path, F_OK) < 0 ? errno : 0, ENOENT, "leaves nothing pinned");
	is(ask(SOCK_STREAM, "10.96.0.10:80").error, ENETUNREACH, "nor attached");
	is(apply_cleanup(bpffs, NULL), 0, "and has nothing to do the second time");
}

int main(int argc, char **argv)
{
	set_up(argc, argv);
	test_refusals();
	test_single_parent();
	test_restart();
	test_cgroup_again();
	test_growth();
	test_kill();
	test_cleanup();
	return finish();
}
