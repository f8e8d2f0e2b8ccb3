/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H
/*
 * A store as a file: looking into it, copying it out of a running server, putting a copy back. For programs beside the
 * server; nothing here takes the store's lock. Each returns 0 or -errno, and then *reterr_why is a sentence for the operator
 * (file, what is wrong, what to do), the caller's to free. -EUCLEAN: damaged. Blocking.
 */
#include <stdint.h>
#include "xb/macro.h"

struct store_kind_count {
	char *name;                 /* the first part of the keys: "pods", "deployments.apps" */
	uint64_t keys;
};
struct store_report {
	uint64_t revision, compacted;
	uint64_t keys, bytes;       /* current objects, and their values' bytes */
	uint64_t rows;              /* with the history */
	uint64_t parts;             /* what many objects hold alike */
	uint64_t file_bytes;
	struct store_kind_count *kinds; /* in order of name */
	size_t n_kinds;
};
void store_report_done(struct store_report *r);

/* Reads everything, checks every row as the server does at its start, and counts. path: a snapshot, a store.db, or the folder
 * of a store, with or without a server running on it. */
int store_inspect(const char *path, struct store_report *ret, char **reterr_why);

/* The store as it is at one moment, as one file of mode 0600, which appears whole, on the disk and inspected, or not at all. */
int store_snapshot(const char *data_dir, const char *file, struct store_report *ret, char **reterr_why);

/*
 * Puts what inspects well into a folder that is empty or missing. The store goes on at a revision higher by "bump", with
 * everything before compacted: so every revision that a client may have seen after the snapshot was taken, as long as they
 * were fewer than bump, is answered with 410, and none is given again.
 */
int store_restore(const char *file, const char *data_dir, uint64_t bump, struct store_report *ret, char **reterr_why);

#endif
