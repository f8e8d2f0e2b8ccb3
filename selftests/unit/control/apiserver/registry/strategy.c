/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

/* Recorded answers of upstream's server: a folder of lists of {request, response}. */
static const char *data_folder(void)
{
	const char *folder = getenv("XB_K8S_DATA");

	return folder ? folder : "../shared/k8s";
}

static struct xb_json *exchanges(const char *name)
{
	_cleanup_free_ char *bytes = NULL;
	struct xb_json *d = NULL;
	char path[4096];
	FILE *f;
	long n;

	snprintf(path, sizeof(path), "%s/exchanges/%s.json", data_folder(), name);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	rewind(f);
	bytes = malloc((size_t)n);
	assert_int_equal(fread(bytes, 1, (size_t)n, f), n);
	fclose(f);
	assert_int_equal(xb_json_parse((struct xb_sv){ bytes, (size_t)n }, &(struct xb_json_limits){ .max_bytes = 1 << 24 }, &d, NULL), 0);
	return d;
}

static void every_kind_has_a_strategy(void **state)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		const struct strategy *s = strategy_of(*k);

		assert_non_null(s->name);
		assert_non_null(s->row);
		assert_true(s->n_columns >= 2);
	}
	for (const struct strategy *const *s = strategies; *s; s++)
		assert_non_null(xb_kind_by_name(xb_sv((*s)->group), XB_SV("v1"), xb_sv((*s)->kind)));
}

/* The kind that a path's last part, or the one before a name, is the plural of. */
static const struct strategy *strategy_of_path(struct xb_sv path)
{
	const struct strategy *s = NULL;
	struct xb_sv part;

	if (memchr(path.p, '?', path.n))
		path.n = (size_t)((const char *)memchr(path.p, '?', path.n) - path.p);
	while (xb_sv_split(&path, '/', &part))
		for (const struct xb_kind *const *k = xb_kinds; *k; k++)
			/* metrics.k8s.io has pods and nodes as well, and none of them was recorded */
			if (xb_sv_is(part, (*k)->plural) && strcmp((*k)->group, "metrics.k8s.io"))
				s = strategy_of(*k);
	return s;
}

static void compare_columns(const struct strategy *s, struct xb_jv columns)
{
	unsigned i = 0;

	assert_int_equal(s->n_columns, xb_jv_count(columns));
	for (struct xb_jit it = xb_jv_iter(columns); xb_jit_next(&it); i++) {
		int64_t priority = -1;

		assert_true(xb_jv_streq(xb_jv_get(it.value, "name"), xb_sv(s->columns[i].name)));
		assert_true(xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(s->columns[i].type)));
		assert_true(xb_jv_streq(xb_jv_get(it.value, "format"), xb_sv(s->columns[i].format)));
		assert_int_equal(xb_jv_i64(xb_jv_get(it.value, "priority"), &priority), 0);
		assert_int_equal(s->columns[i].priority, priority);
	}
}

static void columns_are_upstreams(void **state)
{
	static const char *const files[] = { "namespaces", "replicationcontrollers", "services", "config", "pods", "apps", "others" };
	unsigned compared = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = exchanges(files[i]);

		if (!d)
			skip();
		for (struct xb_jit it = xb_jv_iter(xb_json_root(d)); xb_jit_next(&it);) {
			struct xb_jv columns = xb_jv_path(it.value, "response", "body", "columnDefinitions");
			const struct strategy *s = strategy_of_path(xb_jv_text(xb_jv_path(it.value, "request", "path")));

			if (!xb_jv_count(columns) || !s || s == &namespace_strategy)
				continue;
			compare_columns(s, columns);
			compared++;
		}
	}
	assert_true(compared >= 10);
}

/* Upstream's server refused these bodies, or took them: so do the strategies, and name the same fields for the same reasons. */
static void compare_create(struct xb_jv body, struct xb_jv answer)
{
	struct xb_tree *object = xb_tree_from(arena, body, NULL, NULL);
	struct xb_jv causes = xb_jv_path(answer, "details", "causes");
	_cleanup_status_ struct xb_status s = {};
	struct xb_field_errors e = { .arena = arena };
	struct write w = write_of(object);
	const struct strategy *strategy = strategy_of(w.kind);

	decoded(object);
	if (strategy->prepare_create)
		strategy->prepare_create(&w, object);
	if (strategy->begin)
		assert_int_equal(strategy->begin(&w, object, NULL, &e), 0);
	if (!e.n) {
		xb_validate_object_meta(&e, XB_PATH(NULL, "metadata"), xb_tree_get(object, "metadata"), false, strategy->name);
		if (strategy->validate)
			strategy->validate(&w, object, &e);
	}
	if (strategy->end)
		strategy->end(&w, !e.n);
	(void)xb_field_errors_status(&e, "", w.kind->kind, w.name, &s);
	assert_int_equal(s.n_causes, xb_jv_count(causes));
	for (size_t i = 0; i < s.n_causes; i++) {
		struct xb_jv cause = xb_jv_at(causes, i);

		assert_true(xb_jv_streq(xb_jv_get(cause, "reason"), xb_sv(s.causes[i].reason)));
		assert_true(xb_jv_streq(xb_jv_get(cause, "field"), xb_sv(s.causes[i].field)));
	}
}

static void creations_come_to_the_same(void **state)
{
	static const char *const files[] = { "namespaces", "replicationcontrollers", "services", "config", "pods", "apps" };
	unsigned compared = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = exchanges(files[i]);

		if (!d)
			skip();
		for (struct xb_jit it = xb_jv_iter(xb_json_root(d)); xb_jit_next(&it);) {
			struct xb_jv body = xb_jv_path(it.value, "request", "body"), answer = xb_jv_path(it.value, "response", "body");
			bool post = xb_jv_streq(xb_jv_path(it.value, "request", "method"), XB_SV("POST"));
			bool generated = xb_jv_is(xb_jv_path(body, "metadata", "generateName"));
			int64_t code = 0;

			(void)xb_jv_i64(xb_jv_path(it.value, "response", "status"), &code);
			if (!post || generated || (code != 201 && code != 422) || !xb_jv_is(xb_jv_get(body, "kind")) ||
			    xb_jv_streq(xb_jv_get(body, "kind"), XB_SV("Binding")) || xb_jv_streq(xb_jv_get(answer, "reason"), XB_SV("AlreadyExists")) ||
			    xb_jv_streq(xb_jv_path(answer, "details", "kind"), XB_SV("CreateOptions")) ||
			    xb_jv_streq(xb_jv_path(body, "metadata", "name"), XB_SV("dup")))
				continue;
			compare_create(body, answer);
			compared++;
		}
	}
	assert_true(compared >= 50);
}

/* However little memory there is, a write either comes about whole or says that it could not. */
static void short_of_memory(void **state)
{
	static const char *const bodies[] = {
		("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{'hostNetwork':true,'serviceAccount':'a','schedulingGates':[{'name':'a/b'}],'volumes':[{'name':'v'}],"
			"'containers':[{'name':'c','image':'i','ports':[{'containerPort':80},{'containerPort':70000}],'resources':{'limits':{'cpu':'1'}},'volumeMounts':[{'name':'v','mountPath':'/v'}]}]}}"),
		"{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','namespace':'n'},'spec':{'type':'LoadBalancer','externalTrafficPolicy':'Local','sessionAffinity':'ClientIP','ports':[{'port':80},{'name':'b','port':80}]}}",
		"{'apiVersion':'v1','kind':'ReplicationController','metadata':{'name':'r','namespace':'n'},'spec':{'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c'}]}}}}",
		"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s','namespace':'n'},'type':'kubernetes.io/dockercfg','stringData':{'.dockercfg':'x'}}",
		"{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'s'}}",
		"{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d','namespace':'n'},'spec':{'selector':{'matchLabels':{'a':'c'}},'strategy':{'rollingUpdate':{'maxSurge':'x'}},"
			"'template':{'metadata':{'labels':{'a':'b'}},'spec':{'activeDeadlineSeconds':3,'containers':[{'name':'c'}]}}}}",
		"{'apiVersion':'apps/v1','kind':'DaemonSet','metadata':{'name':'d','namespace':'n'},'spec':{'template':{'spec':{'containers':[{'name':'c'}]}}}}",
		"{'apiVersion':'apps/v1','kind':'StatefulSet','metadata':{'name':'d','namespace':'n'},'spec':{'selector':{},'template':{'spec':{'containers':[{'name':'c'}]}}}}",
		"{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j','namespace':'n','uid':'u'},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c'}]}}}}",
		"{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'c','namespace':'n'},'spec':{'schedule':'x','jobTemplate':{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'spec':{'containers':[]}}}}}}",
		"{'apiVersion':'autoscaling/v2','kind':'HorizontalPodAutoscaler','metadata':{'name':'h','namespace':'n'},'spec':{'behavior':{'scaleUp':{'selectPolicy':'x'}}}}",
		"{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{'name':'p','namespace':'n'},'spec':{'minAvailable':'x'}}",
		"{'apiVersion':'v1','kind':'LimitRange','metadata':{'name':'l','namespace':'n'},'spec':{'limits':[{'type':'Container','max':{'cpu':'1'},'min':{'cpu':'2'}},{'type':'Container'}]}}",
		"{'apiVersion':'v1','kind':'ResourceQuota','metadata':{'name':'q','namespace':'n'},'spec':{'hard':{'x':'-1'}}}",
		"{'apiVersion':'v1','kind':'PersistentVolume','metadata':{'name':'v'},'spec':{'accessModes':['x'],'capacity':{'storage':'0'}}}",
		"{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'v','namespace':'n'},'spec':{'accessModes':['x']}}",
		"{'apiVersion':'v1','kind':'Node','metadata':{'name':'s'},'spec':{'podCIDR':'10.0.0.0/24'},'status':{'capacity':{'cpu':'1'}}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		for (size_t limit = 1; limit < 6000; limit += 16) {
			_cleanup_(xb_arena_freep) struct xb_arena *small = xb_arena_new(limit);
			struct xb_tree *object = xb_tree_parse(arena, quoted(bodies[i]));
			struct xb_field_errors e = { .arena = small };
			struct write w = write_of(object);
			const struct strategy *s = strategy_of(w.kind);
			int r = 0;

			w.arena = small;
			if (s->defaults)
				s->defaults(&w, object);
			if (s->prepare_create)
				s->prepare_create(&w, object);
			if (s->begin)
				r = s->begin(&w, object, NULL, &e);
			if (!r && !e.n && s->validate)
				s->validate(&w, object, &e);
			if (!r && s->end)
				s->end(&w, false);
		}
	assert_string_equal(fault_of("{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','namespace':'n'},'spec':{'clusterIP':'10.96.0.1','ports':[{'port':80}]}}"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_kind_has_a_strategy, setup, teardown),
		cmocka_unit_test_setup_teardown(columns_are_upstreams, setup, teardown),
		cmocka_unit_test_setup_teardown(creations_come_to_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(short_of_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
