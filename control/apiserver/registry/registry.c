/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "xb/why.h"

static int add_range(struct registry *r, struct xb_sv cidr, char **reterr_why)
{
	_cleanup_(ip_range_freep) struct ip_range *range = NULL;
	int err = ip_range_new(xb_sv_trim(cidr), &range, reterr_why);

	if (err < 0)
		return err;
	if (r->ranges[1])
		return xb_why(reterr_why, -EINVAL, "there can be two service ranges at most");
	if (r->ranges[0] && ip_range_is_v6(r->ranges[0]) == ip_range_is_v6(range))
		return xb_why(reterr_why, -EINVAL, "two service ranges must be of different families");
	r->ranges[r->ranges[0] ? 1 : 0] = TAKE_PTR(range);
	return 0;
}

int registry_new(const struct registry_config *c, struct registry **ret, char **reterr_why)
{
	_cleanup_(registry_freep) struct registry *r = calloc(1, sizeof(*r));
	struct xb_sv rest = xb_sv(c->service_ranges), cidr;
	int err = 0;

	if (!r)
		return -ENOMEM;
	r->allow_privileged = c->allow_privileged;
	while (!err && xb_sv_split(&rest, ',', &cidr))
		err = add_range(r, cidr, reterr_why);
	if (!err && !r->ranges[0])
		err = xb_why(reterr_why, -EINVAL, "there is no service range");
	if (err < 0)
		return err;
	err = port_range_new(c->node_port_first, c->node_port_last, &r->node_ports);
	if (err == -EINVAL)
		return xb_why(reterr_why, err, "%d-%d is not a range of ports", c->node_port_first, c->node_port_last);
	if (err < 0)
		return err;
	*ret = TAKE_PTR(r);
	return 0;
}

struct registry *registry_free(struct registry *r)
{
	if (!r)
		return NULL;
	ip_range_free(r->ranges[0]);
	ip_range_free(r->ranges[1]);
	port_range_free(r->node_ports);
	free(r);
	return NULL;
}

static void adopt_port(struct registry *r, struct xb_jv number)
{
	int64_t n;

	if (!xb_jv_i64(number, &n))
		(void)port_range_take(r->node_ports, n);
}

/* What is outside the ranges (they were changed) belongs to nobody. */
void registry_adopt_service(struct registry *r, struct xb_jv service)
{
	struct xb_jv spec = xb_jv_get(service, "spec");

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "clusterIPs")); xb_jit_next(&it);)
		for (unsigned i = 0; i < ARRAY_SIZE(r->ranges) && r->ranges[i]; i++)
			(void)ip_range_take(r->ranges[i], xb_jv_text(it.value));
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "ports")); xb_jit_next(&it);)
		adopt_port(r, xb_jv_get(it.value, "nodePort"));
	adopt_port(r, xb_jv_get(spec, "healthCheckNodePort"));
}

const char *registry_first_service_ip(const struct registry *r)
{
	return ip_range_first(r->ranges[0]);
}
