/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../../../../../userspace/kubelet/spec/security.h"
#include "fixture.h"

#define POD_SC(fields) "'securityContext':{" fields "},"
#define SC(fields) ",'securityContext':{" fields "}"
#define WHO "(pod: \"web_shop(u-1)\", container: c)"

enum { APPARMOR = 1, SECCOMP_DEFAULT = 2, NAMED = 4, NUMBERED = 8, ROOT = 16, TARGET = 32 };
static const struct {
	const char *what, *pod, *security; /* after a '!': the fault */
	unsigned given;
} cases[] = {
	/* users */
	{ "as the image says, which is root", POD("", ""), "uid=0 Unconfined", 0 },
	{ "as the image says, by number", POD("", ""), "uid=7 Unconfined", NUMBERED },
	{ "as the image says, by name", POD("", ""), "user=www Unconfined", NAMED },
	{ "as the pod says", POD(POD_SC("'runAsUser':5,'runAsGroup':6"), ""), "uid=5 gid=6 Unconfined", NAMED },
	{ "as the container says", POD(POD_SC("'runAsUser':5,'runAsGroup':6"), SC("'runAsUser':0,'runAsGroup':null")), "uid=0 gid=6 Unconfined", 0 },
	{ "groups", POD(POD_SC("'fsGroup':100,'supplementalGroups':[7,8]"), ""), "uid=0 groups=100,7,8 Unconfined", 0 },
	{ "never root: a number", POD(POD_SC("'runAsNonRoot':true"), ""), "uid=7 Unconfined", NUMBERED },
	{ "never root: one's own number", POD(POD_SC("'runAsNonRoot':true"), SC("'runAsUser':9")), "uid=9 Unconfined", NAMED },
	{ "never root, but it is", POD(POD_SC("'runAsNonRoot':true"), ""), "!container has runAsNonRoot and image will run as root " WHO, ROOT },
	{ "never root, but the image says nothing", POD(POD_SC("'runAsNonRoot':true"), ""), "!container has runAsNonRoot and image will run as root " WHO, 0 },
	{ "never root, but a name", POD(POD_SC("'runAsNonRoot':true"), ""),
	  "!container has runAsNonRoot and image has non-numeric user (www), cannot verify user is non-root " WHO, NAMED },
	{ "never root, but asked for", POD(POD_SC("'runAsNonRoot':true"), SC("'runAsUser':0")), "!container's runAsUser breaks non-root policy " WHO, NUMBERED },
	{ "the container may", POD(POD_SC("'runAsNonRoot':true"), SC("'runAsNonRoot':false")), "uid=0 Unconfined", ROOT },

	/* what it may */
	{ "privileged", POD("", SC("'privileged':true")), "uid=0 privileged Unconfined", 0 },
	{ "capabilities", POD("", SC("'capabilities':{'add':['NET_ADMIN','SYS_TIME'],'drop':['ALL']}")), "uid=0 +NET_ADMIN SYS_TIME -ALL Unconfined", 0 },
	{ "read-only root", POD("", SC("'readOnlyRootFilesystem':true")), "uid=0 readonly Unconfined", 0 },
	{ "no escalation", POD("", SC("'allowPrivilegeEscalation':false")), "uid=0 no_new_privs Unconfined", 0 },
	{ "escalation", POD("", SC("'allowPrivilegeEscalation':true")), "uid=0 Unconfined", 0 },
	{ "all of /proc", POD("", SC("'procMount':'Unmasked'")), "uid=0 unmasked Unconfined", 0 },
	{ "SELinux", POD(POD_SC("'seLinuxOptions':{'level':'s0:c1'}"), SC("'seLinuxOptions':{'user':'u','role':'r','type':'t','level':'s0'}")), "uid=0 u:r:t:s0 Unconfined", 0 },

	/* seccomp */
	{ "the node's default", POD("", ""), "uid=0 RuntimeDefault", SECCOMP_DEFAULT },
	{ "the runtime's", POD(POD_SC("'seccompProfile':{'type':'RuntimeDefault'}"), ""), "uid=0 RuntimeDefault", 0 },
	{ "none, whatever the node's", POD(POD_SC("'seccompProfile':{'type':'RuntimeDefault'}"), SC("'seccompProfile':{'type':'Unconfined'}")), "uid=0 Unconfined", SECCOMP_DEFAULT },
	{ "a file", POD("", SC("'seccompProfile':{'type':'Localhost','localhostProfile':'p/x.json'}")), "uid=0 Localhost:/var/lib/kubelet/seccomp/p/x.json", 0 },
	{ "no file", POD("", SC("'seccompProfile':{'type':'Localhost'}")), "!localhostProfile must be set if seccompProfile type is Localhost.", 0 },

	/* AppArmor */
	{ "the runtime's", POD(POD_SC("'appArmorProfile':{'type':'RuntimeDefault'}"), ""), "uid=0 Unconfined apparmor=RuntimeDefault", APPARMOR },
	{ "which a kernel without does not have", POD(POD_SC("'appArmorProfile':{'type':'RuntimeDefault'}"), ""), "uid=0 Unconfined", 0 },
	{ "a profile", POD("", SC("'appArmorProfile':{'type':'Localhost','localhostProfile':'deny-all'}")), "uid=0 Unconfined apparmor=Localhost:deny-all", APPARMOR },
	{ "a profile on a kernel without", POD("", SC("'appArmorProfile':{'type':'Localhost','localhostProfile':'deny-all'}")),
	  "!Cannot enforce AppArmor: AppArmor is not enabled on the host", 0 },
	{ "no profile", POD("", SC("'appArmorProfile':{'type':'Localhost'}")), "!missing localhost apparmor profile name", APPARMOR },
	{ "unconfined", POD("", SC("'appArmorProfile':{'type':'Unconfined'}")), "uid=0 Unconfined apparmor=Unconfined", APPARMOR },

	/* namespaces: network, pid, ipc where they are not pod, container, pod */
	{ "the host's", POD("'hostNetwork':true,'hostPID':true,'hostIPC':true,", ""), "uid=0 net=NODE pid=NODE ipc=NODE Unconfined", 0 },
	{ "shared processes", POD("'shareProcessNamespace':true,", ""), "uid=0 pid=POD Unconfined", 0 },
	{ "another's processes", POD("", ""), "uid=0 pid=TARGET:c0ffee Unconfined", TARGET },
	{ "another's, which are the pod's", POD("'shareProcessNamespace':true,", ""), "uid=0 pid=POD Unconfined", TARGET },
	{ "users of its own", POD("'hostUsers':false,", ""), "!can't set `spec.hostUsers: false`, runtime does not support user namespaces", 0 },
	{ "the host's users", POD("'hostUsers':true,", ""), "uid=0 Unconfined", 0 },
};

static void write_profile(struct xb_buf *out, const char *prefix, const Runtime__V1__SecurityProfile *p)
{
	static const char *const types[] = { "RuntimeDefault", "Unconfined", "Localhost" };

	if (p)
		xb_buf_addf(out, " %s%s%s%s", prefix, types[p->profile_type], *p->localhost_ref ? ":" : "", p->localhost_ref);
}

static void write_namespaces(struct xb_buf *out, const Runtime__V1__NamespaceOption *n)
{
	static const char *const modes[] = { "POD", "CONTAINER", "NODE", "TARGET" };

	if (n->network != RUNTIME__V1__NAMESPACE_MODE__POD)
		xb_buf_addf(out, " net=%s", modes[n->network]);
	if (n->pid != RUNTIME__V1__NAMESPACE_MODE__CONTAINER)
		xb_buf_addf(out, " pid=%s%s%s", modes[n->pid], *n->target_id ? ":" : "", n->target_id);
	if (n->ipc != RUNTIME__V1__NAMESPACE_MODE__POD)
		xb_buf_addf(out, " ipc=%s", modes[n->ipc]);
}

static void write_security(struct xb_buf *out, const Runtime__V1__LinuxContainerSecurityContext *s)
{
	const Runtime__V1__SELinuxOption *se = s->selinux_options;

	if (s->run_as_user)
		xb_buf_addf(out, "uid=%lld", (long long)s->run_as_user->value);
	if (*s->run_as_username)
		xb_buf_addf(out, "user=%s", s->run_as_username);
	if (s->run_as_group)
		xb_buf_addf(out, " gid=%lld", (long long)s->run_as_group->value);
	for (size_t i = 0; i < s->n_supplemental_groups; i++)
		xb_buf_addf(out, "%s%lld", i ? "," : " groups=", (long long)s->supplemental_groups[i]);
	xb_buf_adds(out, s->privileged ? " privileged" : "");
	if (s->capabilities) {
		xb_buf_adds(out, " +");
		add_list(out, s->capabilities->add_capabilities, s->capabilities->n_add_capabilities);
		xb_buf_adds(out, " -");
		add_list(out, s->capabilities->drop_capabilities, s->capabilities->n_drop_capabilities);
	}
	xb_buf_adds(out, s->readonly_rootfs ? " readonly" : "");
	xb_buf_adds(out, s->no_new_privs ? " no_new_privs" : "");
	xb_buf_adds(out, !s->n_masked_paths && !s->n_readonly_paths ? " unmasked" : "");
	if (se)
		xb_buf_addf(out, " %s:%s:%s:%s", se->user, se->role, se->type, se->level);
	write_namespaces(out, s->namespace_options);
	write_profile(out, "", s->seccomp);
	write_profile(out, "apparmor=", s->apparmor);
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_given_ struct given g = given(cases[i].pod);
		_cleanup_buf_ struct xb_buf text = {};
		_cleanup_free_ char *why = NULL;
		struct spec_image image = {
			.username = cases[i].given & NAMED ? "www" : "",
			.has_uid = cases[i].given & (NUMBERED | ROOT),
			.uid = cases[i].given & NUMBERED ? 7 : 0,
		};
		struct facts f = node;
		struct security s;
		bool fault = *cases[i].security == '!';
		int r;

		f.apparmor = cases[i].given & APPARMOR;
		f.seccomp_default = cases[i].given & SECCOMP_DEFAULT;
		g.in.facts = &f;
		g.in.target_id = cases[i].given & TARGET ? "c0ffee" : NULL;
		r = security_of_container(&(struct make){ .a = g.arena }, &g.in, &image, &s, &why);
		if (!r)
			write_security(&text, &s.context);
		if (!r == fault || strcmp(r ? why : text.p, cases[i].security + fault))
			fail_msg("%s: %d %s, not %s", cases[i].what, r, r ? why : text.p, cases[i].security);
	}
}

static void test_masked(void **state)
{
	_cleanup_given_ struct given g = given(POD("", SC("'procMount':'Default'")));
	_cleanup_buf_ struct xb_buf text = {};
	struct security s;

	assert_int_equal(security_of_container(&(struct make){ .a = g.arena }, &g.in, &(struct spec_image){}, &s, NULL), 0);
	add_list(&text, s.context.masked_paths, s.context.n_masked_paths);
	assert_string_equal(text.p, "/proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list "
				    "/proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware /sys/devices/virtual/powercap");
	xb_buf_clear(&text);
	add_list(&text, s.context.readonly_paths, s.context.n_readonly_paths);
	assert_string_equal(text.p, "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_masked) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
