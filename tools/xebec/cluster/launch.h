/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_LAUNCH_H
#define XEBEC_LAUNCH_H
/* Programs as processes of a node: in its network namespace, in its cgroup. */
#include <stdbool.h>
#include <sys/types.h>

struct launch {
	char *const *argv;              /* argv[0]: the file, absolute */
	const char *netns;              /* name of a network namespace; NULL: the caller's */
	const char *cgroup;             /* relative, on v2; made before */
	const char *log;                /* file to append output to, input is /dev/null; NULL: the caller's */
};
/* A new process, of a session of its own when it has a log. It runs the program already when this returns: what prevents that is
 * the -errno, with reterr_why. */
int launch(const struct launch *l, pid_t *ret, char **reterr_why);
/* This process becomes that program. Returns on failure alone. */
int launch_here(const struct launch *l, char **reterr_why);

/* A process is known again by its pid and the time it started, in clock ticks since boot (proc(5)). -ESRCH. */
int process_started(pid_t pid, unsigned long long *ret);

#endif
