/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_PROCESS_H
#define XB_PROCESS_H
/*
 * The outside of every program that runs until it is told to end: what all command lines have, the log, the API server that it
 * speaks to, and the loop, which ends by SIGTERM or SIGINT. It logs, which the rest of the library does not.
 */
#include <uv.h>
#include "xb/flags.h"
#include "xb/kubeconfig.h"
#include "xb/rest.h"

#define XB_PROCESS_VERSION "v1.33.0"    /* of Kubernetes: what these programs say they are */

struct xb_process_options {
	const char *logging_format;
	int verbosity;
	bool help, version;
};
/* Rows for a table of struct xb_flag; member is a struct xb_process_options. */
#define XB_PROCESS_FLAGS(options, member)                                                                                            \
	XB_FLAG(CHOICE, options, member.logging_format, "logging-format", "text", "Logs", "How log lines are written.",              \
		.choices = "text|json"),                                                                                             \
	XB_FLAG(INT, options, member.verbosity, "v", "0", "Logs", "How much is logged.", .max = 10, .letter = 'v'),                  \
	XB_FLAG(BOOL, options, member.help, "help", "false", "Global", "Print this and end.", .letter = 'h'),                        \
	XB_FLAG(BOOL, options, member.version, "version", "false", "Global", "Print the version and end.")
/* Begins the log. True: --help or --version was asked for and is answered. */
bool xb_process_answered(const char *name, const struct xb_process_options *o, void (*help)(struct xb_buf *out));
/* Says why a program cannot start, and gives that exit status; why may be NULL: r says it. */
int xb_process_fault(int r, const char *what, const char *why);

/* The name of this machine's Node: that of --hostname-override, else (NULL, "") the host's; in lower case. -EINVAL: the host has none. */
int xb_process_node_name(const char *hostname_override, char **ret, char **reterr_why);

struct xb_process {
	uv_loop_t loop;
	uv_signal_t term, interrupt;
	const char *parting;                    /* what the log says when it is told to end; what stays */
	void (*told)(void *arg);                /* NULL: the loop stops */
	void *arg;
};
/* Makes the loop. p stays where it is until xb_process_end(), before which all that is on the loop is to be freed. */
void xb_process_begin(struct xb_process *p, const char *parting, void (*told)(void *arg), void *arg);
void xb_process_end(struct xb_process *p);
/* The API server of a kubeconfig or a URL, without both that of the pod's service account; said in the log, with the name of the Node
 * that this program is for (NULL: none). ret_k: as it was read, the caller's to be done with. -errno with a sentence. */
int xb_process_connect(struct xb_process *p, const char *name, const char *node, const char *kubeconfig, const char *master,
		       struct xb_kubeconfig *ret_k, struct xb_rest **ret, char **reterr_why);
/* The same where a program is nothing without: an exit status, the fault is said. ret_k: NULL where it is of no interest. */
int xb_process_must_connect(struct xb_process *p, const char *name, const char *node, const char *kubeconfig, const char *master,
			    struct xb_kubeconfig *ret_k, struct xb_rest **ret);

#endif
