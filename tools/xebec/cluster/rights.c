/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <unistd.h>

#include "rights.h"
#include "xb/macro.h"
#include "xb/why.h"
#include "../xalloc.h"

#define RBAC      "rbac.authorization.k8s.io"
#define RBAC_PATH "/apis/" RBAC "/v1/"

static const struct {
	const char *role, *user;
	const char *rules;
} rows[] = {
	{ "xebec:host-ports", "system:kube-proxy", "{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\",\"list\",\"watch\"]}" },
	{ "xebec:netd", CLUSTER_NETD_USER,
	  "{\"apiGroups\":[\"\"],\"resources\":[\"nodes\"],\"verbs\":[\"get\",\"list\",\"watch\"]},"
	  "{\"apiGroups\":[\"\"],\"resources\":[\"nodes/status\"],\"verbs\":[\"patch\"]}" },
};

static int give(struct api *a, const char *role, const char *user, const char *rules, char **reterr_why)
{
	_cleanup_free_ char *object = xprintf("{\"metadata\":{\"name\":\"%s\"},\"rules\":[%s]}", role, rules);
	_cleanup_free_ char *binding = xprintf("{\"metadata\":{\"name\":\"%1$s\"},"
					       "\"roleRef\":{\"apiGroup\":\"" RBAC "\",\"kind\":\"ClusterRole\",\"name\":\"%1$s\"},"
					       "\"subjects\":[{\"apiGroup\":\"" RBAC "\",\"kind\":\"User\",\"name\":\"%2$s\"}]}", role, user);
	int r = api_create(a, RBAC_PATH "clusterroles", object, reterr_why);

	return r ? r : api_create(a, RBAC_PATH "clusterrolebindings", binding, reterr_why);
}

static char *given_file(const struct cluster *c)
{
	return xprintf("%s/rights-given", c->run);
}

int rights_give(const struct cluster *c, struct api *a, char **reterr_why)
{
	_cleanup_free_ char *path = given_file(c);
	_cleanup_close_ int fd = -1;
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(rows); i++)
		r = give(a, rows[i].role, rows[i].user, rows[i].rules, reterr_why);
	if (r)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? xb_why(reterr_why, -errno, "cannot make '%s': %s", path, strerror(errno)) : 0;
}

bool rights_given(const struct cluster *c)
{
	_cleanup_free_ char *path = given_file(c);

	return !access(path, F_OK);
}
