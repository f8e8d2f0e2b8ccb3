/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>

#include "env_set.h"

int env_set_init(struct env_set *s, struct make *m)
{
	*s = (struct env_set){ .m = m, .by_name = xb_map_new(XB_MAP_BORROW) };
	return s->by_name ? 0 : -ENOMEM;
}

void env_set_done(struct env_set *s)
{
	s->by_name = xb_map_free(s->by_name);
	xb_vec_done(&s->vars);
}

void env_set_put(struct env_set *s, char *name, char *value)
{
	Runtime__V1__KeyValue *var = xb_map_get(s->by_name, xb_sv(name));

	if (var) {
		var->value = value;
		return;
	}
	var = xb_arena_alloc(s->m->a, sizeof(*var));
	if (!var) {
		s->m->failed = true;
		return;
	}
	runtime__v1__key_value__init(var);
	var->key = name;
	var->value = value;
	s->m->failed |= xb_map_set(s->by_name, xb_sv(name), var, NULL) < 0 || xb_vec_push(&s->vars, var) < 0;
}

const char *env_set_get(const struct env_set *s, struct xb_sv name)
{
	const Runtime__V1__KeyValue *var = xb_map_get(s->by_name, name);

	return var ? var->value : NULL;
}

/* --- services --- */
static void upper(char *text)
{
	for (; *text; text++)
		*text = *text == '-' ? '_' : (char)toupper((unsigned char)*text);
}

/* suffix: upper case already. */
static void put(struct env_set *s, struct xb_sv service, const char *suffix, char *value)
{
	char *name = make_printf(s->m, "%.*s%s", XB_SV_ARG(service), suffix);

	upper(name);
	env_set_put(s, name, value);
}

/* As Docker's links had them: X_PORT_80_TCP and what it is made of. */
static void put_links(struct env_set *s, struct xb_sv service, struct xb_sv ip, struct xb_jv port, bool first)
{
	struct xb_sv protocol = xb_jv_text(xb_jv_get(port, "protocol")), number = xb_jv_bytes(xb_jv_get(port, "port"));
	static const char *const parts[] = { "", "_PROTO", "_PORT", "_ADDR" };
	bool v6 = memchr(ip.p, ':', ip.n);
	char *lower, *url, **values;

	if (!protocol.n)
		protocol = XB_SV("TCP");
	lower = make_copy(s->m, protocol);
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	url = make_printf(s->m, "%s://%s%.*s%s:%.*s", lower, v6 ? "[" : "", XB_SV_ARG(ip), v6 ? "]" : "", XB_SV_ARG(number));
	values = (char *[]){ url, lower, make_copy(s->m, number), make_copy(s->m, ip) };
	if (first)
		put(s, service, "_PORT", url);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char suffix[64];

		snprintf(suffix, sizeof(suffix), "_PORT_%.*s_%.*s%s", XB_SV_ARG(number), XB_SV_ARG(protocol), parts[i]);
		put(s, service, suffix, values[i]);
	}
}

void env_set_put_service(struct env_set *s, struct xb_jv service)
{
	struct xb_sv name = xb_jv_text(xb_jv_path(service, "metadata", "name"));
	struct xb_sv ip = xb_jv_text(xb_jv_path(service, "spec", "clusterIP"));
	struct xb_jv ports = xb_jv_path(service, "spec", "ports");
	bool first = true;

	if (!ip.n || xb_sv_is(ip, "None") || !xb_jv_count(ports))
		return;
	put(s, name, "_SERVICE_HOST", make_copy(s->m, ip));
	put(s, name, "_SERVICE_PORT", make_copy(s->m, xb_jv_bytes(xb_jv_get(xb_jv_at(ports, 0), "port"))));
	for (struct xb_jit it = xb_jv_iter(ports); xb_jit_next(&it);) {
		struct xb_sv port_name = xb_jv_text(xb_jv_get(it.value, "name"));
		char suffix[80];

		if (!port_name.n)
			continue;
		snprintf(suffix, sizeof(suffix), "_SERVICE_PORT_%.*s", XB_SV_ARG(port_name));
		put(s, name, suffix, make_copy(s->m, xb_jv_bytes(xb_jv_get(it.value, "port"))));
	}
	for (struct xb_jit it = xb_jv_iter(ports); xb_jit_next(&it); first = false)
		put_links(s, name, ip, it.value, first);
}
