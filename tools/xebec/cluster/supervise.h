/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_SUPERVISE_H
#define XEBEC_SUPERVISE_H
/*
 * The supervisor keeps a cluster's programs running: starts them in order, and again when they end, after 0.1 s, doubled to 5 s
 * while they end soon. It may be killed: programs go on, and the next one takes them over, known by pid and start time.
 * It holds a lock on <run>/supervisor.lock as long as it lives.
 */
#include "cluster.h"
#include "units.h"

/* Until a signal tells it to end; then its programs go on. -EBUSY: another one is there. */
int supervise(const struct cluster *c, char **reterr_why);
/* In the background, unless there is one, which then reads the cluster's state again. */
int supervisor_start(const struct cluster *c, char **reterr_why);
pid_t supervisor_pid(const struct cluster *c);          /* 0: there is none */
int supervisor_stop(const struct cluster *c, char **reterr_why); /* its programs go on */

/* The process of a unit, by its pid file. 0: it does not run. */
pid_t unit_pid(const struct cluster *c, const struct unit_row *row, unsigned node);
/* Can somebody connect there ("unix:PATH", "ADDRESS:PORT")? Waits at most 50 ms. */
bool answers_at(const char *where);

#endif
