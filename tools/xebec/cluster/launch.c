/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "launch.h"
#include "xb/file.h"
#include "xb/why.h"
#include "../xalloc.h"

/* The files that becoming the program needs. */
struct steps {
	int netns, procs, log;          /* -1: not asked for */
};

static int open_file(const char *path, int flags, int *ret, char **reterr_why)
{
	*ret = open(path, flags | O_CLOEXEC, 0640);
	return *ret < 0 ? xb_why(reterr_why, -errno, "cannot open '%s': %s", path, strerror(errno)) : 0;
}

static void steps_done(struct steps *s)
{
	if (s->netns >= 0)
		close(s->netns);
	if (s->procs >= 0)
		close(s->procs);
	if (s->log >= 0)
		close(s->log);
}

static int steps_open(const struct launch *l, struct steps *ret, char **reterr_why)
{
	_cleanup_free_ char *mount = NULL, *netns = NULL, *procs = NULL;
	int r = cgroup_mount(&mount, reterr_why);

	if (!r && l->netns) {
		netns = xprintf("/run/netns/%s", l->netns);
		r = open_file(netns, O_RDONLY, &ret->netns, reterr_why);
	}
	if (!r) {
		procs = xprintf("%s/%s/cgroup.procs", mount, l->cgroup);
		r = open_file(procs, O_WRONLY, &ret->procs, reterr_why);
	}
	if (!r && l->log)
		r = open_file(l->log, O_WRONLY | O_CREAT | O_APPEND, &ret->log, reterr_why);
	return r;
}

/* What is undone by exec: signals are as a program expects them. */
static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
}

static int become(const struct launch *l, const struct steps *s)
{
	int null;

	if (write(s->procs, "0", 1) < 0 || (s->netns >= 0 && setns(s->netns, CLONE_NEWNET) < 0))
		return -errno;
	if (s->log >= 0) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0 || setsid() < 0 || dup2(null, 0) < 0 || dup2(s->log, 1) < 0 || dup2(s->log, 2) < 0)
			return -errno;
	}
	reset_signals();
	execv(l->argv[0], l->argv);
	return -errno;
}

int launch_here(const struct launch *l, char **reterr_why)
{
	_cleanup_(steps_done) struct steps s = { .netns = -1, .procs = -1, .log = -1 };
	int r = steps_open(l, &s, reterr_why);

	if (r)
		return r;
	r = become(l, &s);
	return xb_why(reterr_why, r, "cannot run '%s': %s", l->argv[0], strerror(-r));
}

int launch(const struct launch *l, pid_t *ret, char **reterr_why)
{
	_cleanup_(steps_done) struct steps s = { .netns = -1, .procs = -1, .log = -1 };
	int r = steps_open(l, &s, reterr_why), err = 0, report[2];
	pid_t pid;

	if (r)
		return r;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (!pid) {
		r = become(l, &s);
		if (write(report[1], &r, sizeof(r)) < 0)
			abort(); /* a pipe of this process' own */
		_exit(EXIT_FAILURE);
	}
	close(report[1]);
	if (pid < 0)
		err = -errno;
	else if (read(report[0], &r, sizeof(r)) == sizeof(r))
		err = r;
	close(report[0]);
	if (pid > 0 && err)
		waitpid(pid, NULL, 0);
	if (err)
		return xb_why(reterr_why, err, "cannot run '%s': %s", l->argv[0], strerror(-err));
	*ret = pid;
	return 0;
}

int process_started(pid_t pid, unsigned long long *ret)
{
	_cleanup_free_ char *path = xprintf("/proc/%d/stat", (int)pid);
	_cleanup_buf_ struct xb_buf text = {};
	const char *p;
	char state;

	if (xb_file_read(path, 4096, &text) || !(p = strrchr(text.p, ')')))
		return -ESRCH;
	if (sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state, ret) != 2)
		return -ESRCH;
	return state == 'Z' || state == 'X' ? -ESRCH : 0;
}
