/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "../../../../../control/apiserver/user.h"

/* of a throw-away key, for CN=u, O=dev */
#define REQUEST \
	"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIVU1Id0NBUUF3R2pFTU1Bb0dBMVVFQ2d3RFpHVjJNUW93Q0FZ" \
	"RFZRUUREQUYxTUZrd0V3WUhLb1pJemowQwpBUVlJS29aSXpqMERBUWNEUWdBRUxIbDRpOTVhM1V5VHZ5b1dBOG5SV1RLSXVhc2pC" \
	"SGZLc3ZsYnhyUW9LMFF0CkhoNFlxTVNNNmZMRGZNV3JRTzJvZXYxQWxKamxSWmpHUGM2YW1SZUJPYUFBTUFvR0NDcUdTTTQ5QkFN" \
	"Q0EwZ0EKTUVVQ0lDRXk3TXJzVlVzMzBXTExGMERXL0k4Yld0L2Qvb1pLZUFnT2t3NXB5enJjQWlFQW9qYU4zNEFwOFpUdQpoVFBm" \
	"MHRzbDRmSXVmZjNmYVZyMUtjQm9wVW1aV2JZPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K"
/* of the same kind */
#define CERTIFICATE \
	"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJiakNDQVJPZ0F3SUJBZ0lVUzBNYkJINEE4cWs3UDQ0RXlrNGdGL1FSV0hz" \
	"d0NnWUlLb1pJemowRUF3SXcKRERFS01BZ0dBMVVFQXd3QmRUQWVGdzB5TmpFeE1qWXdNREk1TXpaYUZ3MHpOakV4TWpNd01ESTVN" \
	"elphTUF3eApDakFJQmdOVkJBTU1BWFV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVFQeDZYUmpLbUhjS29ICkEz" \
	"VGFFSmNBTzN3clNQTnhFVHpaMVg4b3VWRUFTcDJVUFgyT1R5cmJtbHJ2YmcwNm51ai90a3Jza1dMSEhjVlgKK1dHNDlXelNvMU13" \
	"VVRBZEJnTlZIUTRFRmdRVUloeWl0LzY5dGRZTGp3T2RZZVl0cHJ4Tkl2TXdId1lEVlIwagpCQmd3Rm9BVUloeWl0LzY5dGRZTGp3" \
	"T2RZZVl0cHJ4Tkl2TXdEd1lEVlIwVEFRSC9CQVV3QXdFQi96QUtCZ2dxCmhrak9QUVFEQWdOSkFEQkdBaUVBc0hrVzZvU1hETmJL" \
	"U1EyalV4NnV4VUJmTmZSdUNxTDBLU3JkR2dvdndqSUMKSVFEd2FXbElBVlpoVklZRVd6NkpVUEJNcjd4NVRHOEs3a0xIZ2dpeUpM" \
	"RERtdz09Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K"
#define CSR(spec) "{'apiVersion':'certificates.k8s.io/v1','kind':'CertificateSigningRequest','metadata':{'name':'c'},'spec':{" spec "}}"
#define GOOD "'request':'" REQUEST "','signerName':'example.com/s','usages':['client auth']"
#define OF(type, status) "{'type':'" type "','status':'" status "','lastTransitionTime':'2026-01-01T00:00:00Z','lastUpdateTime':'2026-01-01T00:00:00Z'}"

static void bad_inputs_are_refused(void **state)
{
	static const struct example examples[] = {
		{ CSR(GOOD), "" },
		{ CSR("'request':'aGVsbG8=','signerName':'example.com/s','usages':['client auth']"),
		  "spec.request: Invalid value: \"aGVsbG8=\": PEM block type must be CERTIFICATE REQUEST" },
		{ CSR("'request':'" REQUEST "','signerName':'','usages':[]"), "spec.usages: Required value\nspec.signerName: Required value" },
		{ CSR("'request':'" REQUEST "','signerName':'s','usages':['any','any']"),
		  "spec.usages[1]: Duplicate value: \"any\"\n"
		  "spec.signerName: Invalid value: \"s\": must be a fully qualified domain and path of the form 'example.com/signer-name'" },
		{ CSR("'request':'" REQUEST "','signerName':'local/s','usages':['any']"),
		  "spec.signerName: Invalid value: \"local\": should be a domain with at least two segments separated by dots" },
		{ CSR("'request':'" REQUEST "','signerName':'kubernetes.io/legacy-unknown','usages':['any']"),
		  "spec.signerName: Invalid value: \"kubernetes.io/legacy-unknown\": the legacy signerName is not allowed via this API version" },
		{ CSR(GOOD ",'expirationSeconds':599"),
		  "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)" },
	};

	EACH_CREATE(examples);
	assert_non_null(strstr(fault_of(CSR("'request':'" REQUEST "','signerName':'a.b/c','usages':['x']")),
			       "spec.usages[0]: Unsupported value: \"x\": supported values: \"any\", \"cert sign\""));
}

static void the_server_says_who_asks(void **state)
{
	char *groups[] = { "g", NULL }, *values[] = { "v", "w", NULL };
	struct user_extra extra[] = { { "k", values }, {} };
	struct user u = { .name = "me", .uid = "1", .groups = groups, .extra = extra };
	struct xb_tree *c = decoded(xb_tree_parse(arena, quoted(CSR("'request':'','signerName':'a.b/c','username':'root','groups':['system:masters']"))));
	struct write w = write_of(c);

	w.user = &u;
	certificate_signing_request_strategy.prepare_create(&w, c);
	assert_string_equal(text_of(xb_tree_path(c, "spec", "username")), "'me'");
	assert_string_equal(text_of(xb_tree_path(c, "spec", "uid")), "'1'");
	assert_string_equal(text_of(xb_tree_path(c, "spec", "groups")), "['g']");
	assert_string_equal(text_of(xb_tree_path(c, "spec", "extra")), "{'k':['v','w']}");
	assert_string_equal(text_of(xb_tree_get(updated(created(CSR(GOOD)), "{'spec':{'signerName':'a.b/c'}}"), "status")), "{}");
}

/* What validation says when status becomes this by way of a subresource. */
static const char *changed(const struct xb_tree *old, const char *sub, const char *status, struct xb_tree **ret)
{
	const struct strategy *s = &certificate_signing_request_strategy;
	struct xb_field_errors e = { .arena = arena };
	struct xb_tree *c = xb_tree_copy(arena, old);
	struct write w = write_of(old);

	w.sub = xb_kind_subresource(w.kind, xb_sv(sub));
	xb_tree_setc(c, "status", xb_tree_parse(arena, quoted(status)));
	s->prepare_status(&w, c, old);
	s->validate_status(&w, c, old, &e);
	*ret = c;
	return causes_of(&w, &e);
}

static void approval_decides_once(void **state)
{
	struct xb_tree *c = created(CSR(GOOD)), *approved, *n;

	assert_string_equal(changed(c, "status", "{'conditions':[{'type':'Approved','status':'True'}]}", &n),
			    "status.conditions: Forbidden: updates may not add a condition of type \"Approved\"");
	assert_string_equal(changed(c, "approval", "{'certificate':'eA==','conditions':[{'type':'Approved','status':'True'}]}", &approved), "");
	assert_string_equal(text_of(xb_tree_get(approved, "status")),
			    "{'conditions':[{'type':'Approved','status':'True','lastUpdateTime':'2026-01-01T00:00:00Z','lastTransitionTime':'2026-01-01T00:00:00Z'}]}");
	assert_string_equal(changed(approved, "approval", "{}", &n),
			    "status.conditions: Forbidden: updates may not remove a condition of type \"Approved\"");
	assert_string_equal(changed(approved, "approval", "{'conditions':[" OF("Approved", "True") "," OF("Denied", "True") "]}", &n),
			    "status.conditions[0].type: Invalid value: \"Approved\": Approved and Denied conditions are mutually exclusive\n"
			    "status.conditions[1].type: Invalid value: \"Denied\": Approved and Denied conditions are mutually exclusive");
	assert_string_equal(changed(c, "approval", "{'conditions':[" OF("Denied", "False") "]}", &n),
			    "status.conditions[0].status: Unsupported value: \"False\": supported values: \"True\"");
	assert_string_equal(changed(approved, "status", "{'certificate':'" CERTIFICATE "','conditions':[" OF("Approved", "True") "," OF("Failed", "True") "]}", &n), "");
	assert_string_equal(changed(n, "status", "{'certificate':'eQ==','conditions':[" OF("Approved", "True") "," OF("Failed", "True") "]}", &n),
			    "status.certificate: Forbidden: updates may not modify existing certificate content");
	assert_string_equal(changed(approved, "status", "{'certificate':'eA==','conditions':[" OF("Approved", "True") "]}", &n),
			    "status.certificate: Invalid value: \"<certificate data>\": must contain one or more CERTIFICATE PEM blocks");
	assert_string_equal(changed(approved, "status", "{'certificate':'" REQUEST "','conditions':[" OF("Approved", "True") "]}", &n),
			    "status.certificate: Invalid value: \"<certificate data>\": only CERTIFICATE PEM blocks are allowed");
}

static void tables(void **state)
{
	static const struct example examples[] = {
		{ CSR("'signerName':'a.b/c','username':'u'"), "['c','<unknown>','a.b/c','u','<none>','Pending']" },
		{ CSR("'signerName':'a.b/c','username':'u','expirationSeconds':3600},'status':{'certificate':'eA==','conditions':[" OF("Approved", "True") "]"),
		  "['c','<unknown>','a.b/c','u','60m','Approved,Issued']" },
		{ CSR("},'status':{'conditions':[" OF("Denied", "True") "," OF("Failed", "True") "]"), "['c','<unknown>','<none>','','<none>','Denied,Failed']" },
	};

	EACH_ROW(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_server_says_who_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(approval_decides_once, setup, teardown),
		cmocka_unit_test_setup_teardown(tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
