#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The client of Node.js (npm's @kubernetes/client-node), as anybody would use it, against the API server. Prints TAP.
//
// usage: client_node.mjs FOLDER SERVER COMMAND...
//
// FOLDER holds node_modules. The client is configured by $KUBECONFIG alone, which the server writes. The server is started
// here, as it is killed with -9 in between. Each flow is one result, in a namespace of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder, ...command] = process.argv.slice(2);
const k8s = await import(pathToFileURL(createRequire(`${folder}/`).resolve('@kubernetes/client-node')));
const { PatchStrategy, setHeaderOptions } = k8s;

const server = {
	async start() {
		this.process = spawn(command[0], command.slice(1), { stdio: ['ignore', 2, 2] });
		this.ended = once(this.process, 'exit');
		await waitFor(async () => {
			try {
				await connect();
				return await core.readNamespace({ name: 'default' });
			} catch {
				assert.equal(this.process.exitCode, null, 'the server ended instead of starting');
				return false;
			}
		}, 'the server answers');
	},
	async crash() {
		this.process.kill('SIGKILL');
		await this.ended;
	},
};

let kc, core;
async function connect() {
	kc = new k8s.KubeConfig();
	kc.loadFromDefault();
	core = kc.makeApiClient(k8s.CoreV1Api);
}

async function waitFor(condition, what, seconds = 20) {
	for (const until = Date.now() + seconds * 1000; !(await condition()); await sleep(20))
		assert.ok(Date.now() < until, `${what}: not after ${seconds} s`);
}

// The Status object that the server refuses with.
async function refused(code, promise) {
	let error;
	try { await promise; } catch (e) { error = e; }
	assert.ok(error instanceof k8s.ApiException, `not refused with ${code}: ${error}`);
	const body = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
	assert.deepEqual([error.code, body.kind, body.status, body.code], [code, 'Status', 'Failure', code]);
	return body;
}

const names = (list) => list.items.map((o) => o.metadata.name);
const configMap = (name, data, labels) => ({ metadata: { name, labels }, data });
const pod = (name, labels) => ({ metadata: { name, labels }, spec: { containers: [{ name: 'c', image: 'nginx' }] } });
const as = (strategy) => setHeaderOptions('Content-Type', strategy);

const flows = {
	async 'version and groups'() {
		const version = await kc.makeApiClient(k8s.VersionApi).getCode();
		assert.deepEqual([version.major, version.minor], ['1', '33']);
		assert.ok((await core.getAPIResources()).resources.some((r) => r.name === 'pods/binding'));
	},

	async namespaces() {
		const made = await core.createNamespace({ body: { metadata: { name: 'short' } } });
		assert.equal(made.status.phase, 'Active');
		await core.deleteNamespace({ name: 'short' });
		const gone = await core.readNamespace({ name: 'short' });
		assert.equal(gone.status.phase, 'Terminating');
		assert.ok(gone.metadata.deletionTimestamp instanceof Date);
		gone.spec.finalizers = [];
		await core.replaceNamespaceFinalize({ name: 'short', body: gone });
		await refused(404, core.readNamespace({ name: 'short' }));
	},

	async 'config maps and secrets'(namespace) {
		const data = { text: 'zwei\nZeilen: äöü "quoted" \\ \u{1f680}', empty: '' };
		const made = await core.createNamespacedConfigMap({ namespace, body: configMap('c', data) });
		assert.deepEqual(made.data, data);
		made.data.more = 'x'.repeat(300000);
		const replaced = await core.replaceNamespacedConfigMap({ name: 'c', namespace, body: made });
		assert.deepEqual(await core.readNamespacedConfigMap({ name: 'c', namespace }), replaced);
		assert.ok(names(await core.listConfigMapForAllNamespaces()).includes('c'));
		await core.createNamespacedSecret({ namespace, body: { metadata: { name: 's' }, stringData: { password: 'hunter2' } } });
		const secret = await core.readNamespacedSecret({ name: 's', namespace });
		assert.deepEqual([secret.type, Buffer.from(secret.data.password, 'base64').toString()], ['Opaque', 'hunter2']);
		assert.equal((await core.deleteNamespacedConfigMap({ name: 'c', namespace })).status, 'Success');
		await refused(404, core.readNamespacedConfigMap({ name: 'c', namespace }));
	},

	async 'services, replication controllers, scale'(namespace) {
		const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] };
		const service = await core.createNamespacedService({ namespace, body: { metadata: { name: 'web' }, spec } });
		assert.match(service.spec.clusterIP, /^10\./);
		const patched = await core.patchNamespacedService({ name: 'web', namespace, body: { spec: { type: 'NodePort' } } },
			as(PatchStrategy.StrategicMergePatch));
		assert.ok(patched.spec.ports[0].nodePort >= 30000);
		await core.deleteNamespacedService({ name: 'web', namespace });
		const rc = { metadata: { name: 'web' }, spec: { template: pod(undefined, { app: 'web' }) } };
		await core.createNamespacedReplicationController({ namespace, body: rc });
		const scale = await core.readNamespacedReplicationControllerScale({ name: 'web', namespace });
		scale.spec.replicas = 3;
		await core.replaceNamespacedReplicationControllerScale({ name: 'web', namespace, body: scale });
		assert.equal((await core.readNamespacedReplicationController({ name: 'web', namespace })).spec.replicas, 3);
	},

	async 'leases and events'(namespace) {
		const coordination = kc.makeApiClient(k8s.CoordinationV1Api);
		const renewTime = new k8s.V1MicroTime('2026-01-02T03:04:05.678Z');
		const lease = await coordination.createNamespacedLease({ namespace, body: { metadata: { name: 'l' }, spec: { holderIdentity: 'me', renewTime } } });
		assert.equal(Date.parse(lease.spec.renewTime), renewTime.getTime()); // this client reads a MicroTime as a string
		lease.spec.holderIdentity = 'you';
		assert.equal((await coordination.replaceNamespacedLease({ name: 'l', namespace, body: lease })).spec.holderIdentity, 'you');
		const event = (name) => ({ metadata: { generateName: 'e-' }, reason: 'Broken', type: 'Warning', involvedObject: { kind: 'Pod', name, namespace } });
		await core.createNamespacedEvent({ namespace, body: event('one') });
		await core.createNamespacedEvent({ namespace, body: event('two') });
		assert.equal((await core.listNamespacedEvent({ namespace, fieldSelector: 'involvedObject.name=one' })).items.length, 1);
	},

	async 'nodes, pods, binding'(namespace) {
		await core.createNode({ body: { metadata: { name: 'n1' } } });
		const conditions = [{ type: 'Ready', status: 'True' }];
		await core.patchNodeStatus({ name: 'n1', body: { status: { conditions, capacity: { cpu: '4' } } } }, as(PatchStrategy.StrategicMergePatch));
		assert.equal((await core.readNode({ name: 'n1' })).status.conditions[0].type, 'Ready');
		await core.createNamespacedPod({ namespace, body: pod('p') });
		await core.createNamespacedPodBinding({ name: 'p', namespace, body: { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n1' } } });
		assert.deepEqual(names(await core.listPodForAllNamespaces({ fieldSelector: 'spec.nodeName=n1' })), ['p']);
		await core.deleteNamespacedPod({ name: 'p', namespace, gracePeriodSeconds: 0 });
		await refused(404, core.readNamespacedPod({ name: 'p', namespace }));
	},

	async 'patch in three forms, and apply'(namespace) {
		const name = 'p';
		await core.createNamespacedPod({ namespace, body: pod(name, { a: '1', b: '2' }) });
		const patch = async (strategy, body, more = {}) => core.patchNamespacedPod({ name, namespace, body, ...more }, as(strategy));
		let p = await patch(PatchStrategy.JsonPatch, [{ op: 'test', path: '/metadata/labels/a', value: '1' }, { op: 'remove', path: '/metadata/labels/a' }]);
		assert.deepEqual(p.metadata.labels, { b: '2' });
		p = await patch(PatchStrategy.MergePatch, { metadata: { labels: { b: null, c: '3' } } });
		assert.deepEqual(p.metadata.labels, { c: '3' });
		p = await patch(PatchStrategy.StrategicMergePatch, { spec: { containers: [{ name: 'c', image: 'nginx:2' }] } });
		assert.deepEqual(p.spec.containers.map((c) => c.image), ['nginx:2']);
		p = await patch(PatchStrategy.ServerSideApply, { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { d: '4' } } }, { fieldManager: 'me' });
		assert.deepEqual(p.metadata.labels, { c: '3', d: '4' });
		p = await patch(PatchStrategy.ServerSideApply, { apiVersion: 'v1', kind: 'Pod', metadata: { name } }, { fieldManager: 'me' });
		assert.deepEqual(p.metadata.labels, { c: '3' });
	},

	async 'selectors and paging'(namespace) {
		const made = Array.from({ length: 25 }, (_, i) => `c${String(i).padStart(2, '0')}`);
		for (const [i, name] of made.entries()) await core.createNamespacedConfigMap({ namespace, body: configMap(name, {}, { odd: String(i % 2) }) });
		assert.equal((await core.listNamespacedConfigMap({ namespace, labelSelector: 'odd in (1)' })).items.length, 12);
		assert.deepEqual(names(await core.listNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name=c07' })), ['c07']);
		const found = [], sizes = [];
		let _continue;
		do {
			const page = await core.listNamespacedConfigMap({ namespace, limit: 10, _continue });
			found.push(...names(page));
			sizes.push(page.items.length);
			_continue = page.metadata._continue;
		} while (_continue);
		assert.deepEqual([found, sizes], [made, [10, 10, 5]]);
		await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'odd=1' });
		assert.equal((await core.listNamespacedConfigMap({ namespace })).items.length, 13);
	},

	async errors(namespace) {
		let body = await refused(404, core.readNamespacedPod({ name: 'none', namespace }));
		assert.deepEqual([body.reason, body.message], ['NotFound', 'pods "none" not found']);
		const made = await core.createNamespacedConfigMap({ namespace, body: configMap('c') });
		body = await refused(409, core.createNamespacedConfigMap({ namespace, body: configMap('c') }));
		assert.equal(body.reason, 'AlreadyExists');
		await core.replaceNamespacedConfigMap({ name: 'c', namespace, body: { ...made, data: { a: 'b' } } });
		body = await refused(409, core.replaceNamespacedConfigMap({ name: 'c', namespace, body: made }));
		assert.deepEqual([body.reason, body.details], ['Conflict', { name: 'c', kind: 'configmaps' }]);
		const wrong = pod('p');
		wrong.spec.containers[0].name = 'Bad Name';
		body = await refused(422, core.createNamespacedPod({ namespace, body: wrong }));
		assert.deepEqual([body.reason, body.details.causes[0].field], ['Invalid', 'spec.containers[0].name']);
	},

	async 'conflict and retry'(namespace) {
		const name = 'counter';
		let conflicts = 0;
		await core.createNamespacedConfigMap({ namespace, body: configMap(name, { n: '0' }) });
		const read = () => core.readNamespacedConfigMap({ name, namespace });
		const count = async (body) => {
			for (let done = 0; done < 10; body = await read()) {
				body.data.n = String(Number(body.data.n) + 1);
				try {
					await core.replaceNamespacedConfigMap({ name, namespace, body });
					done++;
				} catch (e) {
					assert.equal(e.code, 409);
					conflicts++;
				}
			}
		};
		const first = await Promise.all([read(), read(), read(), read()]);
		await Promise.all(first.map(count));
		assert.equal((await read()).data.n, '40');
		assert.ok(conflicts >= 3, `${conflicts} conflicts of four that began with the same version`);
	},

	async 'objects of any kind, by discovery'(namespace) {
		const objects = k8s.KubernetesObjectApi.makeApiClient(kc);
		const spec = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace } };
		const made = await objects.create({ ...spec, data: { a: 'b' } });
		assert.equal((await objects.read(spec)).metadata.uid, made.metadata.uid);
		assert.deepEqual((await objects.replace({ ...made, data: { a: 'c' } })).data, { a: 'c' });
		const patched = await objects.patch({ ...spec, data: { d: 'e' } }, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
		assert.deepEqual(patched.data, { a: 'c', d: 'e' });
		const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l', namespace } };
		await objects.create(lease);
		assert.deepEqual(names(await objects.list('coordination.k8s.io/v1', 'Lease', namespace)), ['l']);
		await objects.delete(lease);
		await refused(404, objects.read(lease));
	},

	async 'an informer survives kills'(namespace) {
		const path = `/api/v1/namespaces/${namespace}/configmaps`;
		await core.createNamespacedConfigMap({ namespace, body: configMap('first') });
		const seen = [], expected = ['add first'];
		let lists = 0, errors = 0;
		const informer = k8s.makeInformer(kc, path, () => { lists++; return core.listNamespacedConfigMap({ namespace }); });
		for (const verb of ['add', 'update', 'delete']) informer.on(verb, (o) => seen.push(`${verb} ${o.metadata.name}`));
		informer.on('error', () => { errors++; setTimeout(() => informer.start(), 50); });
		await informer.start();
		for (let round = 0; round < 3; round++) {
			for (let i = 0; i < 10; i++) {
				const name = `c${round}-${i}`;
				const made = await core.createNamespacedConfigMap({ namespace, body: configMap(name) });
				await core.replaceNamespacedConfigMap({ name, namespace, body: { ...made, data: { a: 'b' } } });
				await core.deleteNamespacedConfigMap({ name, namespace });
				expected.push(`add ${name}`, `update ${name}`, `delete ${name}`);
			}
			await waitFor(() => seen.length >= expected.length, 'the events of a round');
			await server.crash();
			await server.start();
		}
		await core.deleteNamespacedConfigMap({ name: 'first', namespace });
		expected.push('delete first');
		await waitFor(() => seen.length >= expected.length, 'the event after the last kill');
		await informer.stop();
		assert.deepEqual(seen, expected);
		assert.deepEqual([lists, informer.list().length], [1, 0]); // it resumed: it never had to list again
		assert.ok(errors > 0, 'the informer saw no kill');
	},
};

await server.start();
let number = 0, failed = 0;
for (const [name, flow] of Object.entries(flows)) {
	number++;
	try {
		const namespace = name.replaceAll(/[^a-z]+/g, '-');
		await core.createNamespace({ body: { metadata: { name: namespace } } });
		await flow(namespace);
		console.log(`ok ${number} - node: ${name}`);
	} catch (e) {
		failed++;
		console.log(`not ok ${number} - node: ${name}`);
		console.log(String(e.stack).replaceAll(/^/gm, '# '));
	}
}
console.log(`1..${number}`);
server.process.kill('SIGTERM');
assert.deepEqual(await server.ended, [0, null]);
process.exit(failed ? 1 : 0);
