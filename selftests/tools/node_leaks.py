#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What is there on the nodes of a cluster of "xebec up" against what its running pods need: node_leaks.py NAME NODES

The API server says which pods there are. Each is to have one sandbox and its containers, and of every name one dead one at most.
Compared are: the runtime's containers, tasks and shims, and runc's states; network namespaces, devices, routes and address files; mounts;
cgroups of all hierarchies; folders of pods and logs. One line for each difference; the exit status says whether there is one. Snapshots
are not: a containerd that is killed leaves them leased, and its next one removes them when the lease has run out, in a day."""
import glob
import json
import os
import re
import subprocess
import sys

BUNDLES = 'containerd/io.containerd.runtime.v2.task/k8s.io'
RUNC = '/run/containerd/runc/k8s.io'
CRI = 'containerd/io.containerd.grpc.v1.cri'
POD = re.compile(r'(?<=pod)[0-9a-f-]{36}|(?<=pods/)[0-9a-f-]{36}')
ID = re.compile(r'[0-9a-f]{64}')


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def names(folder):
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


class Node:
    def __init__(self, cluster, number, pods):
        self.number, self.name, self.faults = number, f'node-{number}', []
        self.cluster = cluster
        self.root, self.run = f'/var/lib/xebec/clusters/{cluster}/{self.name}', f'/run/xebec/{cluster}/{self.name}'
        self.pods = {p['metadata']['uid']: p for p in pods if p['spec'].get('nodeName') == self.name}
        self.netns = f'xb-{cluster}-{self.name}'
        self.read_runtime()

    def ctr(self, *words):
        return run('ctr', '-a', self.run + '/containerd.sock', '-n', 'k8s.io', *words)

    def read_runtime(self):
        self.containers = {}
        for i in self.ctr('containers', 'ls', '-q').split():
            self.containers[i] = json.loads(self.ctr('containers', 'info', i))
        self.running = {line.split()[0] for line in self.ctr('tasks', 'ls').splitlines()[1:] if line.split()[2] == 'RUNNING'}
        self.sandboxes = {i for i, c in self.containers.items() if c['Labels'].get('io.cri-containerd.kind') == 'sandbox'}

    def differ(self, what, there, needed, only_more=False):
        for x in sorted(set(there) - set(needed)):
            self.faults.append(f'{self.name}: {what} nobody needs: {x}')
        for x in sorted(set(needed) - set(there)) if not only_more else ():
            self.faults.append(f'{self.name}: {what} missing: {x}')

    def look(self):
        self.look_at_containers()
        self.look_at_network()
        self.look_at_mounts()
        self.look_at_cgroups()
        self.look_at_files()
        return self.faults

    def look_at_containers(self):
        seen, dead = {}, {}
        for i, c in self.containers.items():
            uid = c['Labels'].get('io.kubernetes.pod.uid')
            name = 'the sandbox' if i in self.sandboxes else c['Labels'].get('io.kubernetes.container.name')
            among = seen if i in self.running else dead
            among.setdefault((uid, name), []).append(i)
        wanted = {(uid, name) for uid, p in self.pods.items() for name in ['the sandbox'] + [c['name'] for c in p['spec']['containers']]}
        self.differ('container', [f'{u} {n}' for u, n in seen], [f'{u} {n}' for u, n in wanted])
        self.differ('dead container', [f'{u} {n}' for u, n in dead], [f'{u} {n}' for u, n in wanted], only_more=True)
        for (uid, name), ids in [*seen.items(), *dead.items()]:
            if len(ids) > 1:
                self.faults.append(f'{self.name}: {len(ids)} of {name} of pod {uid}')
        self.differ('bundle', names(f'{self.run}/{BUNDLES}'), self.running)
        for i in names(RUNC) - self.running:
            try:
                if self.run + '/' in open(f'{RUNC}/{i}/state.json').read():
                    self.faults.append(f'{self.name}: state of runc nobody needs: {i}')
            except OSError:
                pass
        shims = set()
        for pid in os.listdir('/proc'):
            try:
                words = open(f'/proc/{pid}/cmdline').read().split('\0') if pid.isdigit() else []
            except OSError:
                continue
            if words and words[0].endswith('containerd-shim-runc-v2') and any(self.run + '/' in w for w in words):
                shims.add(words[words.index('-id') + 1])
        self.differ('shim', shims, self.running & self.sandboxes)

    def look_at_network(self):
        pods = [p for p in self.pods.values() if not p['spec'].get('hostNetwork')]
        own = {i for i in self.running & self.sandboxes if self.containers[i]['Labels']['io.kubernetes.pod.uid'] in
               [p['metadata']['uid'] for p in pods]}
        paths = [n['path'] for i in own for n in self.containers[i]['Spec']['linux']['namespaces'] if n['type'] == 'network']
        self.differ('network namespace', names(f'{self.run}/{CRI}/netns'), [os.path.basename(p) for p in paths])
        ips = [ip['ip'] for p in pods for ip in p['status'].get('podIPs', [])]
        for ip in {ip for ip in ips if ips.count(ip) > 1}:
            self.faults.append(f'{self.name}: {ip} is used twice')
        files = f'{self.root}/cni/addresses/xebec'
        there = [n for n in names(files) if n[0].isdigit() or ':' in n]
        self.differ('address', there, ips)
        owners = {i for n in there for i in [open(f'{files}/{n}').read().split()[0]]}
        self.differ('owner of an address', owners, own)
        links = {l['ifname'] for l in json.loads(run('ip', '-n', self.netns, '-j', 'link')) if l['ifname'] not in ('lo', 'eth0')}
        routes = [(r['dst'], r['dev']) for v in '46' for r in json.loads(run('ip', '-n', self.netns, '-' + v, '-j', 'route'))
                  if r.get('dev', '').startswith('xb') and r['dev'] != 'xebec-vxlan' and not r['dst'].startswith(('fe80', 'ff00'))]
        self.differ('route', [r[0] for r in routes], ips)
        self.differ('device', links - {'xebec-vxlan'}, {r[1] for r in routes})
        if len(links - {'xebec-vxlan'}) != len(pods):
            self.faults.append(f'{self.name}: {len(links)} devices for {len(pods)} pods')

    def look_at_mounts(self):
        for line in open('/proc/self/mountinfo'):
            path = line.split()[4]
            if path.startswith(self.root + '/kubelet/') and not (POD.search(path) and POD.search(path).group() in self.pods):
                self.faults.append(f'{self.name}: mount nobody needs: {path}')
            if path.startswith(self.run + '/containerd/') and ID.search(path) and ID.search(path).group() not in self.running:
                self.faults.append(f'{self.name}: mount nobody needs: {path}')

    def look_at_cgroups(self):
        for top in glob.glob(f'/sys/fs/cgroup/*/xebec/{self.cluster}/{self.name}') + glob.glob(f'/sys/fs/cgroup/xebec/{self.cluster}/{self.name}'):
            for folder, _, _ in os.walk(top):
                pod, i = POD.search(folder), ID.search(folder)
                if (pod and pod.group() not in self.pods) or (i and i.group() not in self.running):
                    self.faults.append(f'{self.name}: cgroup nobody needs: {folder}')

    def look_at_files(self):
        self.differ('folder of a pod', names(self.root + '/kubelet/pods'), self.pods)
        self.differ('folder of logs', [n.rsplit('_', 1)[1] for n in names(self.root + '/pod-logs')], self.pods)
        for kind in 'containers', 'sandboxes':
            for where in f'{self.run}/{CRI}', f'{self.root}/containerd/io.containerd.grpc.v1.cri':
                self.differ(f'folder of {kind} in {where}', names(f'{where}/{kind}'), self.containers, only_more=True)


def main():
    cluster, n = sys.argv[1], int(sys.argv[2])
    pods = json.loads(run('kubectl', 'get', 'pods', '-A', '-o', 'json'))['items']
    faults = [f for number in range(1, n + 1) for f in Node(cluster, number, pods).look()]
    print('\n'.join(faults))
    sys.exit(bool(faults))


if __name__ == '__main__':
    try:
        main()
    except (subprocess.CalledProcessError, OSError) as e:  # something went while it was looked at
        sys.exit(f'{e}: {getattr(e, "stderr", "")}')
