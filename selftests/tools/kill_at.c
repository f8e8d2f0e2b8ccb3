/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kill_at [--changes] N PROGRAM [ARGUMENTS...]: runs a program and kills it with SIGKILL when its first thread enters its Nth system
 * call. So every state that a crash may leave is seen, and the same one each time. With --changes only calls count that change
 * what outlives the process: names of files, messages to the kernel, and those of bpf() that write, pin, attach or run something.
 * Exit status 0: it was killed; 3: it ended before.
 */
#include <linux/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENDED_BEFORE 3
#define AT_CALL      (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */

static bool bpf_changes(uint64_t command)
{
	switch (command) {
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_OBJ_PIN:
	case BPF_PROG_TEST_RUN:
	case BPF_LINK_CREATE:
	case BPF_LINK_UPDATE:
	case BPF_LINK_DETACH:
		return true;
	default:
		return false;
	}
}

static bool changes(uint64_t number, const uint64_t *args)
{
	switch (number) {
	case __NR_bpf:
		return bpf_changes(args[0]);
	case __NR_sendto:
	case __NR_sendmsg:
	case __NR_mkdirat:
	case __NR_unlinkat:
	case __NR_renameat2:
#ifdef __NR_mkdir
	case __NR_mkdir:
	case __NR_rmdir:
	case __NR_unlink:
	case __NR_rename:
#endif
		return true;
	default:
		return false;
	}
}

static bool counts(pid_t pid, bool all)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY &&
	       (all || changes(info.entry.nr, info.entry.args));
}

static pid_t start(char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[0], argv);
		_exit(EXIT_FAILURE);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -1;
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	return pid;
}

int main(int argc, char *argv[])
{
	bool all = argc < 2 || strcmp(argv[1], "--changes");
	char **rest = argv + (all ? 1 : 2);
	long left = argc > rest - argv + 1 ? strtol(rest[0], NULL, 10) : 0;
	int status;
	pid_t pid;

	if (left <= 0) {
		fputs("usage: kill_at [--changes] N PROGRAM [ARGUMENTS...]\n", stderr);
		return EXIT_FAILURE;
	}
	pid = start(rest + 1);
	while (pid > 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int signal = WSTOPSIG(status);

		if (signal == AT_CALL && counts(pid, all) && !--left) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return EXIT_SUCCESS;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)(signal == AT_CALL ? 0 : signal));
	}
	return ENDED_BEFORE;
}
