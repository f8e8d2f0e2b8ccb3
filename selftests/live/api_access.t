#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who may do what: RBAC with its default roles, escalation, impersonation, nodes, service account tokens; with kubectl.
. "$(dirname "$0")/../lib.sh"

node_up
cat >"$TMP/tokens.csv" <<'EOF'
admintoken,admin,1,"system:masters"
janetoken,jane,2
n1token,system:node:n1,3,"system:nodes"
EOF
apiserver_start --authorization-mode=Node,RBAC
as() { # token, method, path, curl's arguments...: the body, then the code
	local token=$1 method=$2 path=$3; shift 3
	in_ns node curl -sS --max-time 20 --cacert "$TMP/pki/ca.crt" ${token:+-H "Authorization: Bearer $token"} -X "$method" -w '\n%{http_code}\n' \
		"$@" "$API$path"
}
code() { tail -1 <<<"$1"; }
field() { head -n -1 <<<"$1" | jq -r "$2"; }
refused() { # description, answer, message
	is "$(code "$2") $(field "$2" .message)" "403 $3" "$1"
}
JSON='Content-Type: application/json' MERGE='Content-Type: application/merge-patch+json' APPLY='Content-Type: application/apply-patch+yaml'
pods=/api/v1/namespaces/default/pods

# --- nobody, and somebody who is not known ---
is "$(code "$(as '' GET /readyz)")" 200 'health is for everybody'
is "$(code "$(as '' GET /version)")" 200 'so is the version'
refused 'nobody lists pods' "$(as '' GET /api/v1/pods)" \
	'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope'
refused 'nobody sees what is served' "$(as '' GET /apis)" 'forbidden: User "system:anonymous" cannot get path "/apis"'
refused 'nor learns what is not' "$(as '' GET /apis/no.such/v1/things)" \
	'things.no.such is forbidden: User "system:anonymous" cannot list resource "things" in API group "no.such" at the cluster scope'
is "$(code "$(as wrong GET /readyz)")" 401 'a token that is nobody’s'
refused 'a user without a role' "$(as janetoken GET "$pods?watch=1")" \
	'pods is forbidden: User "jane" cannot watch resource "pods" in API group "" in the namespace "default"'
is "$(code "$(as janetoken GET /apis)")" 200 'discovery is for every user'

# --- roles ---
[ "$(kubectl_minor)" -lt 28 ] || like "$(k auth whoami)" 'Username +kubernetes-admin' 'kubectl auth whoami'
ok 'kubectl create role' k create role reader --verb=get,list --resource=pods
ok 'kubectl create rolebinding' k create rolebinding jane-reads --role=reader --user=jane
is "$(code "$(as janetoken GET $pods)")" 200 'a role is in force as soon as it is bound'
is "$(k auth can-i list pods --as=jane)" yes 'kubectl auth can-i --as: yes'
is "$(k auth can-i delete pods --as=jane)" no 'kubectl auth can-i --as: no'
is "$(k auth can-i list pods -n kube-system --as=jane)" no 'a role ends with its namespace'
is "$(k auth can-i get pods --subresource=log --as=jane)" no 'a resource is not its subresource'
like "$(k auth can-i --list --as=jane)" 'pods +\[\] +\[\] +\[get list\]' 'kubectl auth can-i --list'
is "$(k auth can-i '*' '*')" yes 'the administrator may do everything'
ok 'kubectl delete rolebinding' k delete rolebinding jane-reads
is "$(code "$(as janetoken GET $pods)")" 403 'and it ends when it is unbound'
k create rolebinding nothing --role=reader --user=jane >/dev/null
k delete role reader >/dev/null
refused 'a role that is bound and not there is told' "$(as janetoken GET $pods)" \
	'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default": RBAC: role.rbac.authorization.k8s.io "reader" not found'
k delete rolebinding nothing >/dev/null
k create role reader --verb=get,list --resource=pods >/dev/null
ok 'kubectl create clusterrole' k create clusterrole one-secret --verb=get --resource=secrets --resource-name=a
ok 'kubectl create clusterrolebinding' k create clusterrolebinding jane-one --clusterrole=one-secret --user=jane
is "$(k auth can-i get secret/a --as=jane) $(k auth can-i get secret/b --as=jane) $(k auth can-i list secrets --as=jane)" 'yes no no' 'names of objects'
is "$(code "$(as janetoken PUT /api/v1/namespaces/default/secrets/a -H "$JSON" -d '{}')")" 403 'to read is not to write'

# --- aggregation, defaults ---
# all that v1.20 gave, but what v1.33 takes back: endpoints to write (CVE-2021-25740), heapster
if [ -e "$DATA/behaviour/default-rbac.json" ]; then
	k get clusterroles,clusterrolebindings -o json >"$TMP/rbac.json"
	lacking=$(jq -rn --slurpfile was "$DATA/behaviour/default-rbac.json" --slurpfile is "$TMP/rbac.json" '
		def rules: [.rules[]? | .verbs[] as $v | ((.nonResourceURLs[]? | [$v, .]),
			(.apiGroups[]? as $g | .resources[]? as $r | (.resourceNames // [""])[] as $n | [$v, $g, $r, $n]))];
		def items: if type == "object" then .items else . end;
		($is[0].items | map({key: (.kind + .metadata.name), value: .}) | from_entries) as $now |
		($was[0].clusterroles | items)[] | .metadata.name as $n | $now["ClusterRole" + $n] as $here |
		if $here == null then "no role \($n)" else (rules - ($here | rules))[] as $r | "\($n): \($r | join(" "))" end,
			(select($here != null and .metadata.labels != $here.metadata.labels) | "\($n): labels"),
		(($was[0].clusterrolebindings | items)[] | .metadata.name as $b | $now["ClusterRoleBinding" + $b] as $here |
			select([.subjects, .roleRef] != ($here | [.subjects, .roleRef])) | "binding \($b)")' | sort -u | grep -v ' endpoints $')
	is "$lacking" "no role system:heapster
system:controller:horizontal-pod-autoscaler: get  services/proxy http:heapster:
system:controller:horizontal-pod-autoscaler: get  services/proxy https:heapster:" 'the default roles and bindings'
fi
aggregated() { k get clusterrole view -o json | jq '[.rules[] | select(.resources == ["configmaps"] and .verbs == ["get"])] | length'; }
k create clusterrole things --verb=get --resource=configmaps >/dev/null
k label clusterrole things rbac.authorization.k8s.io/aggregate-to-view=true >/dev/null
ok 'a labelled role is part of "view"' busywait 5 eval '[ "$(aggregated)" = 1 ]'
k delete clusterrole things system:persistent-volume-provisioner >/dev/null
ok 'until it goes' busywait 5 eval '[ "$(aggregated)" = 0 ]'
is "$(k get clusterrole admin -o json | jq '.rules | length > 20')" true '"admin" is made of "edit", and that of "view"'

# --- nobody grants what they have not ---
k create clusterrole granter --verb=create,update,patch,get,list --resource=roles,rolebindings,clusterroles >/dev/null
k create clusterrolebinding jane-grants --clusterrole=granter --user=jane >/dev/null
role() { printf '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"%s"},"rules":[%s]}' "$1" "$2"; }
binding() { printf '{"metadata":{"name":"%s"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"%s","name":"%s"},"subjects":[{"kind":"User","name":"jane"}]}' "$1" "$2" "$3"; }
rbac=/apis/rbac.authorization.k8s.io/v1/namespaces/default
everything='{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}'
own='{"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["a"]}'
refused 'a role beyond its author' "$(as janetoken POST $rbac/roles -H "$JSON" -d "$(role r "$everything")")" \
	'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'
is "$(code "$(as janetoken POST $rbac/roles -H "$JSON" -d "$(role mine "$own")")")" 201 'a role within'
is "$(code "$(as janetoken PATCH $rbac/roles/mine -H "$MERGE" -d "{\"rules\":[$everything]}")")" 403 'a patch cannot widen it'
is "$(code "$(as janetoken PUT $rbac/roles/fresh -H "$JSON" -d "$(role fresh "$everything")")")" 403 'nor can a PUT of what is not there'
is "$(code "$(as janetoken POST $rbac/rolebindings -H "$JSON" -d "$(binding b ClusterRole cluster-admin)")")" 403 'a binding to a role beyond its author'
is "$(code "$(as janetoken POST $rbac/rolebindings -H "$JSON" -d "$(binding b ClusterRole no-such)")")" 404 'a binding to no role'
is "$(code "$(as janetoken POST $rbac/rolebindings -H "$JSON" -d "$(binding b Role mine)")")" 201 'a binding to a role within'
like "$(field "$(api PUT $rbac/rolebindings/b -H "$JSON" -d "$(binding b Role reader)")" .message)" 'cannot change roleRef' 'a binding keeps its role'
refused 'aggregation would be a way around' "$(as janetoken POST /apis/rbac.authorization.k8s.io/v1/clusterroles -H "$JSON" \
	-d '{"metadata":{"name":"agg"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}}')" \
	'clusterroles.rbac.authorization.k8s.io "agg" is forbidden: must have cluster-admin privileges to use aggregationRule'

# --- an update is no creation ---
k create clusterrole updater --verb=update,patch --resource=roles >/dev/null
k create clusterrolebinding bill-updates --clusterrole=updater --user=bill >/dev/null
no_create='roles.rbac.authorization.k8s.io "new" is forbidden: User "bill" cannot create resource "roles" in API group "rbac.authorization.k8s.io" in the namespace "default"'
refused 'a PUT of what is not there asks for "create"' \
	"$(api PUT $rbac/roles/new -H 'Impersonate-User: bill' -H "$JSON" -d "$(role new "$own")")" "$no_create"
refused 'so does an apply' \
	"$(api PATCH "$rbac/roles/new?fieldManager=x" -H 'Impersonate-User: bill' -H "$APPLY" -d "$(role new "$own")")" "$no_create"

# --- impersonation ---
refused 'acting as another' "$(as janetoken GET $pods -H 'Impersonate-User: admin')" \
	'users "admin" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope'
k create clusterrole as-bob --verb=impersonate --resource=users --resource-name=bob >/dev/null
k create clusterrolebinding jane-as-bob --clusterrole=as-bob --user=jane >/dev/null
refused 'as bob, who may nothing' "$(as janetoken GET $pods -H 'Impersonate-User: bob')" \
	'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"'
refused 'bob, but not in any group' "$(as janetoken GET $pods -H 'Impersonate-User: bob' -H 'Impersonate-Group: system:masters')" \
	'groups "system:masters" is forbidden: User "jane" cannot impersonate resource "groups" in API group "" at the cluster scope'
is "$(code "$(as janetoken GET $pods -H 'Impersonate-Group: system:masters')")" 500 'a group without a user'
[ "$(kubectl_minor)" -lt 28 ] || like "$(k auth whoami --as=bob --as-group=dev --as-uid=7)" 'Username +bob.*UID +7.*Groups +\[dev system:authenticated\]' 'kubectl --as --as-group --as-uid'

# --- service accounts ---
ok 'kubectl create serviceaccount' k create serviceaccount robot
# token_of SPEC: the answer to a TokenRequest; kubectl has "create token" since 1.24
token_of() { as admintoken POST /api/v1/namespaces/default/serviceaccounts/robot/token -H "$JSON" -d "{\"spec\":{$1}}"; }
[ "$(kubectl_minor)" -lt 24 ] || like "$(k create token robot --duration=15m)" '^ey.*\..*\.' 'kubectl create token'
token=$(field "$(token_of '"expirationSeconds":900')" .status.token)
is "$(code "$(as "$token" GET $pods)")" 403 'its token is known, but may nothing'
ok 'a role for it' k create rolebinding robot-reads --role=reader --serviceaccount=default:robot
is "$(code "$(as "$token" GET $pods)")" 200 'now it may'
is "$(k auth can-i list pods --as=system:serviceaccount:default:robot)" yes 'so says can-i'
review() { api POST /apis/authentication.k8s.io/v1/tokenreviews -H "$JSON" -d "{\"spec\":{\"token\":\"$1\"${2:+,\"audiences\":[\"$2\"]}}}"; }
is "$(field "$(review "$token")" '.status | "\(.authenticated) \(.user.username) \(.user.groups|join(","))"')" \
	'true system:serviceaccount:default:robot system:serviceaccounts,system:serviceaccounts:default,system:authenticated' 'TokenReview'
is "$(field "$(review "$token" elsewhere)" .status.authenticated)" null 'for another audience it is none'
other=$(field "$(token_of '"audiences":["elsewhere"]')" .status.token)
is "$(code "$(as "$other" GET $pods)")" 401 'a token for others is none here'
is "$(field "$(review "$other" elsewhere)" '.status.audiences[0]')" elsewhere 'but there'
is "$(code "$(as "${token%?}" GET $pods)") $(code "$(as "${token%.*}." GET $pods)")" '401 401' 'without its whole signature it is none'
like "$(token_of '"expirationSeconds":60')" 'may not specify a duration less than 10 minutes' 'too short'
cat >"$TMP/pod.yaml" <<'EOF'
apiVersion: v1
kind: Pod
metadata: { name: bound }
spec:
  serviceAccountName: robot
  nodeName: n1
  containers: [ { name: c, image: i, env: [ { name: A, valueFrom: { secretKeyRef: { name: used, key: k } } } ] } ]
EOF
k create -f "$TMP/pod.yaml" >/dev/null
bound=$(field "$(token_of '"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"bound"}')" .status.token)
is "$(code "$(as "$bound" GET $pods)")" 200 'a token bound to a pod'
is "$(field "$(review "$bound")" '.status.user.extra["authentication.kubernetes.io/pod-name"][0]')" bound 'tells its pod'
like "$(token_of '"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"bound","uid":"1-2"}')" 'does not match the UID in record' 'but not another of that name'
is "$(field "$(as "$token" GET /openid/v1/jwks)" '.keys[0].alg')" ES256 'the keys are there to be read'
is "$(field "$(as "$token" GET /.well-known/openid-configuration)" .issuer)" https://kubernetes.default.svc 'and where to find them'

# --- nodes ---
k create secret generic used --from-literal=k=v >/dev/null
k create secret generic other --from-literal=k=v >/dev/null
secrets=/api/v1/namespaces/default/secrets
is "$(code "$(as n1token GET $secrets/used)")" 200 'a node reads the secret of its pod'
refused 'and no other' "$(as n1token GET $secrets/other)" \
	'secrets "other" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node '"'n1'"' and this object'
is "$(code "$(as n1token GET $secrets)")" 403 'nor all of them'
is "$(code "$(as n1token GET "$secrets?fieldSelector=metadata.name%3Dused")")" 200 'but that one by name'
is "$(code "$(as n1token GET "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1")") $(code "$(as n1token GET /api/v1/pods)")" '200 403' 'its pods, not all'
node() { printf '{"metadata":{"name":"%s","labels":{%s}}}' "$1" "$2"; }
patch_node() { field "$(as n1token PATCH /api/v1/nodes/n1 -H "$MERGE" -d "$1")" .message; }
is "$(code "$(as n1token POST /api/v1/nodes -H "$JSON" -d "$(node n1 '"kubernetes.io/hostname":"n1"')")")" 201 'it registers'
is "$(code "$(as n1token POST /api/v1/nodes -H "$JSON" -d "$(node n2 '')")")" 403 'as itself only'
like "$(patch_node '{"metadata":{"labels":{"node-restriction.kubernetes.io/x":"y"}}}')" \
	'is not allowed to modify labels: node-restriction.kubernetes.io/x' 'without labels that others rely on'
like "$(patch_node '{"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]}}')" 'is not allowed to modify taints' 'it does not taint itself'
is "$(patch_node '{"metadata":{"labels":{"mine":"y"}}}')" null 'its own labels it sets'
token_for() { as n1token POST /api/v1/namespaces/default/serviceaccounts/robot/token -H "$JSON" -d "{\"spec\":{$1}}"; }
refused 'no token for no pod' "$(token_for '')" 'serviceaccounts "robot" is forbidden: node requested token not bound to a pod'
ref='"kind":"Pod","apiVersion":"v1","name":"bound"'
refused 'nor for any of that name' "$(token_for "\"boundObjectRef\":{$ref}")" \
	'serviceaccounts "robot" is forbidden: node requested token with a pod binding without a uid'
is "$(code "$(token_for "\"boundObjectRef\":{$ref,\"uid\":\"$(k get pod bound -o 'jsonpath={.metadata.uid}')\"}")")" 201 'a token for its pod'
like "$(field "$(as n1token POST $pods -H "$JSON" -d '{"metadata":{"name":"p"},"spec":{"nodeName":"n1","containers":[{"name":"c","image":"i"}]}}')" .message)" \
	'can only create mirror pods' 'it makes no pods'
k delete pod bound --force --grace-period=0 >/dev/null 2>&1
is "$(code "$(as n1token GET $secrets/used)")" 403 'with the pod goes the leave'
is "$(code "$(as "$bound" GET $pods)")" 401 'and the token'
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Secret","metadata":{"name":"kept","annotations":{"kubernetes.io/service-account.name":"robot"}},"type":"kubernetes.io/service-account-token"}
EOF
of_secret() { k get secret "$1" -o "jsonpath={.data.$2}" | base64 -d; }
kept=$(of_secret kept token)
is "$(of_secret kept 'ca\.crt' | cmp - "$TMP/pki/ca.crt" && of_secret kept namespace)" default 'a secret gets the CA and the namespace'
is "$(field "$(as "$kept" POST /apis/authentication.k8s.io/v1/selfsubjectreviews -H "$JSON" -d '{}')" .status.userInfo.username)" \
	system:serviceaccount:default:robot 'and a token that says who it is'
is "$(k describe secret kept | grep -c '^token: ')" 1 'which kubectl describe shows'
k create -f - >/dev/null <<'EOF'
{"apiVersion":"v1","kind":"Secret","metadata":{"name":"twin","annotations":{"kubernetes.io/service-account.name":"robot"}},"type":"kubernetes.io/service-account-token"}
EOF
twin=$(of_secret twin token)
k delete secret twin >/dev/null
is "$(code "$(as "$twin" GET $pods)") $(code "$(as "$kept" GET /api)")" '401 200' 'a token ends with its secret'
ok 'kubectl delete serviceaccount' k delete serviceaccount robot
is "$(code "$(as "$kept" GET /api)")" 401 'or with the account'
is "$(code "$(as "$token" GET $pods)")" 401 'a token ends with its account'

# --- reconcile, restart ---
k get clusterrole one-secret -o yaml | sed 's/^  - a$/  - b/' >"$TMP/reconcile.yaml"
like "$(k auth reconcile -f "$TMP/reconcile.yaml")" 'reconciled' 'kubectl auth reconcile'
is "$(k auth can-i get secret/b --as=jane)" yes 'it added the rule'
stop "$APISERVER_PID"
NO_ACCOUNTS= apiserver_start --authorization-mode=Node,RBAC
is "$(k get clusterrole system:persistent-volume-provisioner -o name)" clusterrole.rbac.authorization.k8s.io/system:persistent-volume-provisioner 'a default role that went is back after a restart'
is "$(k auth can-i get secret/b --as=jane)" yes 'the others are what they were'

# --- the plugin ServiceAccount ---
like "$(k run lost --image=i 2>&1)" 'error looking up service account default/default: serviceaccount "default" not found' 'no pod without an account'
k create serviceaccount default >/dev/null
ok 'with one it runs' k run found --image=i
like "$(k get pod found -o json | jq -r '.spec | "\(.serviceAccountName) \(.volumes[0].name) \(.containers[0].volumeMounts[0].mountPath)"')" \
	'^default kube-api-access-[a-z0-9]{5} /var/run/secrets/kubernetes.io/serviceaccount$' 'and finds its token'
k patch serviceaccount default -p '{"automountServiceAccountToken":false}' >/dev/null
k run plain --image=i >/dev/null
is "$(k get pod plain -o json | jq '.spec.volumes')" null 'unless it is not wanted'
done_testing
