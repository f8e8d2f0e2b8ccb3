/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Renewals end as the general way would end them: every pair of variants of a body is put to three servers, of which one has no shorter
 * way, one does not know a body by the one before. */
#include "../store/fixture.h"
#include "../../../../control/apiserver/metrics.h"
#include "../../../../control/apiserver/options.h"
#include "../../../../control/apiserver/renewals.h"
#include "../../../../control/apiserver/stored.h"
#include "../../../../control/apiserver/user.h"
#include "../../../../control/apiserver/write.h"

#define PATH "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/x"
#define KEY "leases.coordination.k8s.io/kube-node-lease/x"
#define OWNER "'ownerReferences':[{'apiVersion':'v1','kind':'Node','name':'node-a','uid':'b1b7d5a6-21ab-40b0-af7c-177bc1c62194'}]"
#define OLD_TIME "2026-11-26T09:33:15.864331Z"
#define NEW_TIME "2026-11-26T09:33:25.000001Z"
#define STORED "{'apiVersion':'coordination.k8s.io/v1','kind':'Lease','metadata':{'name':'x','namespace':'kube-node-lease','uid':'5c2fe7cb-d126-45c7-bf18-5b6440443096'," \
	"'creationTimestamp':'2026-11-26T09:33:10Z','annotations':{'note':'\\'quoted\\''},'managedFields':[{'apiVersion':'coordination.k8s.io/v1'," \
	"'fieldsType':'FieldsV1','fieldsV1':{'f:metadata':{'f:annotations':{'.':{},'f:note':{}}}},'manager':'kubelet','operation':'Update'," \
	"'time':'2026-11-26T09:33:10Z'}],'resourceVersion':''},'spec':{}}"

struct side {
	struct fixture f;
	struct server server;
	struct apiserver_options options;
	enum { READS, RENEWS, RENEWS_AGAIN } way;
};
struct answer {
	int error;
	bool again, renewed, longer;   /* longer: the new revision has more digits than the one before */
	struct xb_buf text;
};
static struct side *sides[3];   /* by their way */

static int setup(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sides); i++) {
		struct side *s = sides[i] = calloc(1, sizeof(*s));

		s->way = i;
		fixture_init(&s->f);
		s->f.config.engine = fake_engine();
		fixture_open(&s->f);
		s->server = (struct server){
			.store = s->f.s, .options = &s->options, .metrics = metrics_new(), .renewals = renewals_new(),
		};
	}
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sides); i++) {
		metrics_free(sides[i]->server.metrics);
		renewals_free(sides[i]->server.renewals);
		fixture_done(&sides[i]->f);
		free(sides[i]);
	}
	return 0;
}

static void take_answer(struct request *q, const struct xb_json *doc)
{
	struct answer *a = q->state;

	stored_write(xb_json_root(doc), 0, &a->text);
	request_free(q);
}

static struct request *begin(struct side *s, const char *user_name, const char *manager, const char *now, struct answer *a)
{
	static char *groups[] = { GROUP_NODES, NULL };
	static struct user user = { .uid = "", .groups = groups };
	struct request *q = request_new(&s->server, NULL);

	*a = (struct answer){};
	assert_int_equal(route_parse(q->arena, XB_SV("PUT"), XB_SV(PATH), &q->route, &q->fault), 0);
	user.name = (char *)user_name;
	q->user = &user;
	q->query.field_manager = xb_sv(manager);
	assert_int_equal(write_init(q), 0);
	q->write.now = now;
	q->answer = take_answer;
	q->state = a;
	return q;
}

static void put(struct side *s, const char *user, const char *manager, const char *now, struct xb_sv body, struct answer *a)
{
	struct request *q = begin(s, user, manager, now, a);
	struct xb_tree *object, *old;
	struct outcome settled = {};
	struct store_object *head;
	int r = s->way == RENEWS_AGAIN ? renew_again(q, body) : -ENOTSUP;

	a->again = !r;
	if (r == -ENOTSUP) {
		assert_int_equal(xb_tree_read(q->arena, body, NULL, &object), 0);
		r = decode_object(q, expected_of(&q->route), object);
		if (!r)
			r = s->way ? renew_object(q, object, s->way == RENEWS ? (struct xb_sv){} : body) : -ENOTSUP;
	}
	a->renewed = !r;
	if (r == -ENOTSUP) {
		assert_int_equal(write_read(q, &head, &old), 0);
		r = update_object(q, head, old, object);
	}
	a->error = r;
	if (r) {
		xb_status_write(&q->fault, &a->text);
		request_free(q);
		return;
	}
	/* Leases are patient, the test is not */
	assert_int_equal(store_barrier(s->f.s, fixture_done_cb, &settled), 0);
	while (!a->text.n)
		uv_run(&s->f.loop, UV_RUN_ONCE);
}

static void add_quoted(struct xb_buf *out, const char *text)
{
	size_t from = out->n;

	xb_buf_adds(out, text);
	for (size_t i = from; i < out->n; i++)
		if (out->p[i] == '\'')
			out->p[i] = '"';
}

static struct xb_jv stored_metadata(const struct side *s)
{
	return xb_jv_get(xb_json_root(store_head(s->f.s, KEY)->doc), "metadata");
}

/* $V: the version that is there, $W: another with as many digits, $M: the managedFields; all sides have the same. */
static void add_piece(const struct side *s, struct xb_buf *out, const char *text)
{
	for (const char *at; (at = strchr(text, '$')); text = at + 2) {
		_cleanup_buf_ struct xb_buf before = {};

		xb_buf_add(&before, text, at - text);
		xb_buf_addc(&before, '\0');
		add_quoted(out, before.p);
		if (at[1] != 'M')
			xb_buf_addsv(out, xb_jv_text(xb_jv_get(stored_metadata(s), "resourceVersion")));
		if (at[1] == 'W')
			out->p[out->n - 1] = out->p[out->n - 1] == '1' ? '2' : '1';
		if (at[1] == 'M')
			stored_write(xb_jv_get(stored_metadata(s), "managedFields"), 0, out);
	}
	add_quoted(out, text);
}

/* What stands at each place of a body: the first is the usual one. */
struct variant {
	const char *text;
	bool renews;
};
static const struct variant heads[] = {
	{ "'apiVersion':'coordination.k8s.io/v1','kind':'Lease',", true }, { "'kind':'Lease','apiVersion':'coordination.k8s.io/v1',", true },
	{ "", true }, { "'nonsense':1,", true },
}, versions[] = {
	{ "'resourceVersion':'$V',", true }, { "'resourceVersion':'99999',", false }, { "'resourceVersion':'$W',", false }, { "'resourceVersion':'',", false }, { "", false },
}, identities[] = {
	{ "'namespace':'kube-node-lease',", true }, { "", false }, { "'namespace':'kube-node-lease','creationTimestamp':null,", true },
	{ "'namespace':'kube-node-lease','uid':'5c2fe7cb-d126-45c7-bf18-5b6440443096',", false }, { "'namespace':'kube-node-lease','uid':'',", true },
	{ "'namespace':'kube-node-lease','uid':'00000000-d126-45c7-bf18-5b6440443096',", false },
	{ "'namespace':'kube-node-lease','creationTimestamp':'2026-11-26T09:33:10Z',", false },
	{ "'namespace':'kube-node-lease','creationTimestamp':'2020-11-26T09:33:10Z',", false },
	{ "'namespace':'kube-node-lease','generation':7,", false }, { "'namespace':'kube-node-lease','selfLink':'/x',", false },
	{ "'namespace':'kube-node-lease','deletionTimestamp':'2026-11-26T09:33:10Z',", false },
}, owners[] = {
	{ OWNER ",", true }, { "", false }, { "'ownerReferences':[],", false },
	{ "'ownerReferences':[{'uid':'b1b7d5a6-21ab-40b0-af7c-177bc1c62194','name':'node-a','kind':'Node','apiVersion':'v1'}],", true },
	{ "'ownerReferences':[{'apiVersion':'v1','kind':'Node','name':'node-b','uid':'b1b7d5a6-21ab-40b0-af7c-177bc1c62194'}],", false },
}, marks[] = {
	{ "'annotations':{'note':'\\u0022quoted\\u0022'},", true }, { "'annotations':{'note':'plain'},", false }, { "", false },
	{ "'annotations':{'note':'\\u0022quoted\\u0022','more':''},", false }, { "'labels':{'a':'b'},", false },
	{ "'annotations':{'note':'\\u0022quoted\\u0022'},'finalizers':['a.b/c'],", false },
}, managed[] = {
	{ "", true }, { "'managedFields':$M,", true }, { "'managedFields':[],", false }, { "'managedFields':[{}],", false },
	{ "'managedFields':[{'manager':'other','operation':'Update','apiVersion':'coordination.k8s.io/v1','fieldsType':'FieldsV1',"
	  "'fieldsV1':{'f:spec':{'f:renewTime':{}}}}],", false },
}, times[] = {
	{ "'" NEW_TIME "'", true }, { "'" OLD_TIME "'", false }, { "'2026-11-26T09:33:25Z'", true }, { "'2026-11-26T10:33:25.5+01:00'", true },
	{ "null", false }, { "'today'", false }, { "7", false }, { "'2026-13-26T09:33:25.000000Z'", false },
	{ "'2026-11-26T10:33:25.0+01:00'", true },
}, specs[] = {
	{ "'holderIdentity':'node-a','leaseDurationSeconds':40,", true }, { "'leaseDurationSeconds':40,'holderIdentity':'node-a',", true },
	{ "'leaseDurationSeconds':41,'holderIdentity':'node-a',", false }, { "'leaseDurationSeconds':40,'holderIdentity':'node-b',", false },
	{ "'leaseDurationSeconds':0,'holderIdentity':'node-a',", false }, { "'leaseDurationSeconds':40,", false },
	{ "'leaseDurationSeconds':40,'holderIdentity':'node-a','leaseTransitions':1,", false },
	{ "'leaseDurationSeconds':40,'holderIdentity':'node-a','nonsense':[1],", true },
}, managers[] = {
	{ "kubelet", true }, { "kubectl", false },
}, users[] = {
	{ "system:node:x", true }, { "system:node:y", false },
};
enum { HEAD, VERSION, IDENTITY, OWNERS, MARKS, MANAGED, TIME, SPEC, MANAGER, USER, PLACES };
static const struct {
	const struct variant *v;
	unsigned n;
} places[PLACES] = {
#define PLACE(v) { v, ARRAY_SIZE(v) }
	PLACE(heads), PLACE(versions), PLACE(identities), PLACE(owners), PLACE(marks), PLACE(managed), PLACE(times), PLACE(specs),
	PLACE(managers), PLACE(users),
};

static void write_body(const struct side *s, const struct variant *const *v, struct xb_buf *out)
{
	const char *const pieces[] = {
		"{", v[HEAD]->text, "'spec':{", v[SPEC]->text, "'renewTime':", v[TIME]->text, "},'metadata':{", v[VERSION]->text, v[IDENTITY]->text,
		v[OWNERS]->text, v[MARKS]->text, v[MANAGED]->text, "'name':'x'}}",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(pieces); i++)
		add_piece(s, out, pieces[i]);
}

static void store_first(struct side *s)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct store_object *head = store_head(s->f.s, KEY);
	struct store_value value = {};
	struct outcome out = {};

	add_quoted(&text, STORED);
	value.bytes = xb_buf_sv(&text);
	value.hole = strstr(text.p, "\"resourceVersion\":\"") - text.p + strlen("\"resourceVersion\":\"");
	assert_int_equal(store_put(s->f.s, KEY, head ? head->revision : 0, &value, fixture_done_cb, &out), 0);
	fixture_wait(&s->f, &out);
}

static int digits(uint64_t n)
{
	return snprintf(NULL, 0, "%" PRIu64, n);
}

static bool write_usual(struct side *s, const char *time, struct xb_buf *body)
{
	const struct variant then = { time, true };
	const struct variant *usual[PLACES];
	struct answer a;

	for (unsigned i = 0; i < PLACES; i++)
		usual[i] = places[i].v;
	usual[TIME] = &then;
	write_body(s, usual, body);
	put(s, "system:node:x", "kubelet", "2026-11-26T09:33:15Z", xb_buf_sv(body), &a);
	assert_int_equal(a.error, 0);
	xb_buf_done(&a.text);
	return a.renewed;
}

static bool is_usual(const struct variant *const *v)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (v[i] != places[i].v)
			return false;
	return true;
}

/* A write of the usual body settles the order of members and who owns what; another is a renewal; then comes the one with these
 * variants. */
static void write_all(struct side *s, const struct variant *const *v, struct answer *ret)
{
	_cleanup_buf_ struct xb_buf first = {}, second = {}, body = {};
	uint64_t before;
	bool renewed;

	store_first(s);
	assert_false(write_usual(s, "'2026-11-26T09:33:05.000000Z'", &first));
	renewed = write_usual(s, "'" OLD_TIME "'", &second);
	write_body(s, v, &body);
	before = store_revision(s->f.s);
	put(s, v[USER]->text, v[MANAGER]->text, "2026-11-26T09:33:25Z", xb_buf_sv(&body), ret);
	ret->longer = digits(store_revision(s->f.s)) > digits(before);
	assert_int_equal(ret->again, s->way == RENEWS_AGAIN && is_usual(v) && renewed && body.n == second.n && !ret->longer);
}

static void compare(const struct variant *const *v)
{
	struct answer general, here;
	bool renews = true;

	write_all(sides[READS], v, &general);

	for (unsigned i = 0; i < PLACES; i++)
		renews = renews && v[i]->renews;
	for (unsigned way = RENEWS; way < ARRAY_SIZE(sides); way++) {
		write_all(sides[way], v, &here);
		assert_int_equal(here.error, general.error);
		assert_string_equal(here.text.p, general.text.p);
		if (here.renewed != (renews && !here.longer))
			fail_msg("%s: %s", here.renewed ? "renewed" : "not renewed", here.text.p);
		xb_buf_done(&here.text);
	}
	xb_buf_done(&general.text);
}

static void renewals_end_as_the_general_way_does(void **state)
{
	const struct variant *v[PLACES];

	for (unsigned i = 0; i < PLACES; i++)
		v[i] = places[i].v;
	for (unsigned i = 0; i < PLACES; i++) {
		for (unsigned a = 0; a < places[i].n; a++) {
			v[i] = &places[i].v[a];
			for (unsigned j = i + 1; j < PLACES; j++) {
				for (unsigned b = 0; b < places[j].n; b++) {
					v[j] = &places[j].v[b];
					compare(v);
				}
				v[j] = places[j].v;
			}
		}
		v[i] = places[i].v;
	}
}

/* What a body said once holds no longer when another was written since. */
static void what_was_written_in_between_is_written_over(void **state)
{
	static const struct variant later = { "'2026-11-26T09:33:35.000001Z'", true };
	const struct variant *v[PLACES], *again[PLACES];
	_cleanup_buf_ struct xb_buf general = {};

	for (unsigned i = 0; i < PLACES; i++)
		v[i] = again[i] = places[i].v;
	v[MARKS] = &marks[1];
	again[TIME] = &later;
	for (unsigned way = READS; way < ARRAY_SIZE(sides); way++) {
		_cleanup_buf_ struct xb_buf body = {};
		struct answer a, other;

		write_all(sides[way], v, &other);
		assert_false(other.renewed);
		write_body(sides[way], again, &body);
		put(sides[way], "system:node:x", "kubelet", "2026-11-26T09:33:35Z", xb_buf_sv(&body), &a);
		assert_false(a.renewed);
		if (way == READS)
			xb_buf_addsv(&general, xb_buf_sv(&a.text));
		assert_string_equal(a.text.p, general.p);
		xb_buf_done(&a.text);
		xb_buf_done(&other.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(renewals_end_as_the_general_way_does, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_written_in_between_is_written_over, setup, teardown),
	};

	return cmocka_run_group_tests_name("control/apiserver/renew", tests, NULL, NULL);
}
