/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kill_at N PROGRAM [ARGUMENTS...]: runs a program of one thread and kills it with SIGKILL when it enters its Nth system call. So
 * every state that a crash may leave is seen, and the same one each time. Exit status 0: it was killed; 3: it ended before.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENDED_BEFORE 3

int main(int argc, char *argv[])
{
	long entries = 0, at = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	int status;
	pid_t pid;

	if (at <= 0) {
		fputs("usage: kill_at N PROGRAM [ARGUMENTS...]\n", stderr);
		return EXIT_FAILURE;
	}
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[2], argv + 2);
		_exit(EXIT_FAILURE);
	}
	/* Stops at each entry and each exit of a call: every second one counts. */
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (entries++ == 2 * at - 1) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return EXIT_SUCCESS;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	return ENDED_BEFORE;
}
