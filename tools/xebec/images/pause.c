/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What runs in a pod's sandbox: it holds the pod's namespaces and, where its containers share a process namespace, is their init.
 * Nothing of libc is set up here, so only calls that cannot fail are made.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own form of it, rt_sigaction(2). */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

void _start(void)
{
	/* orphans that end go without being waited for */
	static const struct kernel_sigaction ignore = { .handler = SIG_IGN };

	syscall(SYS_rt_sigaction, SIGCHLD, &ignore, NULL, sizeof(ignore.mask));
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}
