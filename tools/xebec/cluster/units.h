/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_UNITS_H
#define XEBEC_UNITS_H
/* The programs of a cluster: a row each, with its command line; and the files that they read. */
#include "cluster.h"

struct words {                          /* an argv that grows */
	char **v;
	size_t n;
};
void words_add(struct words *w, const char *fmt, ...) _printf_(2, 3);
void words_done(struct words *w);

struct unit_row {
	const char *name;               /* of the program, and of its log and pid files */
	bool control;                   /* on the first node alone */
	const char *after;              /* units of that name, of the same node or the control plane's, answer before this one starts */
	bool rights;                    /* nor does it start before rights_give() */
	void (*command)(const struct cluster *c, unsigned node, struct words *w);
	/* Where it answers: "unix:PATH" or "ADDRESS:PORT"; a new string. NULL where nobody waits for it. */
	char *(*answers)(const struct cluster *c, unsigned node);
};
extern const struct unit_row unit_rows[];
extern const size_t n_unit_rows;

char *unit_log(const struct cluster *c, const struct unit_row *row, unsigned node);     /* new strings */
char *unit_pid_file(const struct cluster *c, const struct unit_row *row, unsigned node);

/* Certificates, kubeconfigs and configuration, of the control plane and of a node. What is there is kept, but for what follows from
 * this program's version. Blocking. */
int files_make_control(const struct cluster *c, char **reterr_why);
int files_make_node(const struct cluster *c, unsigned node, char **reterr_why);

#endif
