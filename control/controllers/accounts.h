/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_ACCOUNTS_H
#define CONTROLLERS_ACCOUNTS_H
/*
 * Service accounts in whose names loops write: made in kube-system when they are missing, with tokens that are asked for
 * (TokenRequest) and renewed long before they end, and at once when one is refused.
 */
#include "xb/recorder.h"

struct kcm_accounts;
/* rest asks for accounts and tokens, and its connections are used. changed: perhaps they are ready now. */
int kcm_accounts_new(struct xb_rest *rest, void (*changed)(void *arg), void *arg, struct kcm_accounts **ret);
struct kcm_accounts *kcm_accounts_free(struct kcm_accounts *a); /* before rest; not from changed. Frees what kcm_accounts_of gave */
/* What sends in that account's name: made when it is first asked for. name is borrowed. 0 or -ENOMEM. */
int kcm_accounts_of(struct kcm_accounts *a, const char *name, struct xb_rest **ret_rest, struct xb_recorder **ret_recorder);
bool kcm_accounts_ready(const struct kcm_accounts *a);  /* each has a token */

#endif
