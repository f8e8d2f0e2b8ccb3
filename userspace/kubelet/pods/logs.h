/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_LOGS_H
#define KUBELET_PODS_LOGS_H
/* What pods leave in the folder of logs, "<namespace>_<name>_<uid>/<container>/<attempt>.log". A few files; removed at once. */

void logs_remove(const char *pod_logs_dir, const char *namespace_, const char *name, const char *uid);
void logs_remove_file(const char *path);                /* and what it was rotated into, "<path>.<when>" and "<path>.<when>.gz" */
/* Each pod's folder there, by its uid. */
void logs_each(const char *pod_logs_dir, void (*each)(void *arg, const char *namespace_, const char *name, const char *uid), void *arg);

#endif
