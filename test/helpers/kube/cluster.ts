import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { NAMESPACE, startKubeApi, type KubeApi } from './api.ts';
import { startController } from './controller.ts';
import { ObjectStore } from './store.ts';
import { packageRoot } from '../../../src/package-root.ts';
import { temporaryFolder } from '../folder.ts';

import type { Json } from './patch.ts';
import type { Behaviour } from './pod.ts';

export interface Run {
    code: number | null;
    stdout: string;
    stderr: string;
}

export interface RunOptions {
    /** Sends a signal as soon as such a line was said. */
    signal?: NodeJS.Signals;
    at?: RegExp;
    env?: Record<string, string>;
    input?: string;
}

export interface TestCluster extends Omit<KubeApi, 'close' | 'kubeconfig'> {
    store: ObjectStore;
    /** Runs `kubectl` as an operator would. */
    kubectl: (args: string[], input: string) => Promise<Run>;
    /** Runs a step as an operator would, with a window in which a signal has the time to come, and one pod of each. */
    rollout: (step: string, args?: string[], options?: RunOptions) => Promise<Run>;
    image: (deployment: string) => string;
    replicas: (deployment: string) => number;
    /** The colour that clients get to. */
    color: () => string;
    /** How far a rollout has come. */
    phase: () => string | undefined;
    stop: () => Promise<void>;
}

/** As the manifests name it. */
export const image = (version: string): string => `registry.example.com/llm-api-layer:${version}`;

/** What pods do by the version that runs in them. */
export type Versions = Record<string, Omit<Behaviour, 'version'>>;

/** Of kubectl, which is a program in Go. */
const GOGC = 'off';
const COMMAND = join(packageRoot(), 'dist/scripts/rollout.js');
const LABELS = { 'app.kubernetes.io/name': 'llm-api-layer' };

function deployment(name: string, component: string, more: Record<string, string>, replicas: number): Json {
    const labels = { ...LABELS, 'app.kubernetes.io/component': component, ...more };
    return {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace: NAMESPACE, labels },
        spec: {
            replicas,
            selector: { matchLabels: labels },
            template: {
                metadata: { labels },
                spec: {
                    containers: [
                        {
                            name: component,
                            image: image('1.0.0'),
                            ports: [{ containerPort: 3000 }, { containerPort: 9464 }],
                        },
                    ],
                },
            },
        },
    };
}

const service = (selector: Record<string, string>): Json => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'api', namespace: NAMESPACE },
    spec: { selector: { ...LABELS, ...selector } },
});

/** As a gateway has accepted it: all requests get to the stable version. */
const route = (): Json => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'api', namespace: NAMESPACE },
    spec: {
        rules: [
            {
                backendRefs: [
                    { name: 'api-stable', port: 80, weight: 100 },
                    { name: 'api-canary', port: 80, weight: 0 },
                ],
            },
        ],
    },
    status: ACCEPTED,
});

const OBJECTS = {
    'blue-green': (): [string, Json][] => [
        ['services', service({ color: 'blue' })],
        ['deployments', deployment('api-blue', 'api', { color: 'blue' }, 2)],
        ['deployments', deployment('api-green', 'api', { color: 'green' }, 0)],
        ['deployments', deployment('worker', 'worker', {}, 1)],
    ],
    canary: (): [string, Json][] => [
        ['services', service({})],
        ['deployments', deployment('api', 'api', { track: 'stable' }, 3)],
        ['deployments', deployment('api-canary', 'api', { track: 'canary' }, 0)],
        ['deployments', deployment('worker', 'worker', {}, 1)],
    ],
};

export interface ClusterOptions {
    hasGateway?: boolean;
    /** Version 2.0.0 is in the idle colour, and tested. */
    isDeployed?: boolean;
    /** In place of those that are made up here. */
    manifests?: Json[];
}

/** A stand-in for a cluster in which version 1.0.0 serves. */
export async function startCluster(
    way: keyof typeof OBJECTS,
    versions: Versions = {},
    { hasGateway = false, isDeployed = false, manifests }: ClusterOptions = {},
): Promise<TestCluster> {
    const store = new ObjectStore();
    const known = Object.entries({ '1.0.0': {}, '2.0.0': {}, ...versions });
    const behaviours = known.map(([version, behaviour]) => [image(version), { version, ...behaviour }] as const);
    const controller = startController(store, Object.fromEntries(behaviours));
    for (const [resource, object] of manifests?.map(asApplied) ?? OBJECTS[way]()) store.put(resource, object);
    if (isDeployed) deploy(store);
    if (hasGateway && !manifests) store.put('httproutes', route());
    const { portOf } = controller;
    const { kubeconfig, close, ...api } = await startKubeApi({ store, hasGateway, portOf });
    const home = temporaryFolder();
    writeFileSync(join(home, 'config'), kubeconfig);
    const of = (name: string): Json => store.get('deployments', name) ?? {};
    while (!store.list('deployments').every(isReady)) await sleep(10);
    return {
        ...api,
        store,
        kubectl: (args, input) => run(home, 'kubectl', args, { input }),
        rollout: (step, args = [], options = {}) =>
            run(
                home,
                process.execPath,
                [COMMAND, ...step.split(' '), `--window=${options.signal ? 1 : 0.2}`, '--sample=1', ...args],
                options,
            ),
        image: (name) => of(name).spec.template.spec.containers[0].image,
        replicas: (name) => of(name).spec.replicas,
        color: () => store.get('services', 'api')?.spec.selector.color,
        phase: () => {
            const raw = store.get('services', 'api')?.metadata.annotations?.['llm-api-layer/rollout'];
            return raw === undefined ? undefined : JSON.parse(raw).phase;
        },
        stop: async () => {
            controller.close();
            await close();
        },
    };
}

/** As `blue-green deploy` leaves it. */
function deploy(store: ObjectStore): void {
    const state = { phase: 'deployed', image: image('2.0.0'), previousImage: image('1.0.0') };
    const green = deployment('api-green', 'api', { color: 'green' }, 2);
    green.spec.template.spec.containers[0].image = image('2.0.0');
    green.metadata.annotations = { 'llm-api-layer/previous-image': image('1.0.0') };
    store.put('deployments', green);
    const { metadata, ...rest } = service({ color: 'blue' });
    const annotations = { 'llm-api-layer/rollout': JSON.stringify(state) };
    store.put('services', { ...rest, metadata: { ...metadata, annotations } });
}

const ACCEPTED = { parents: [{ conditions: [{ type: 'Accepted', status: 'True' }] }] };

/** What a cluster makes of it: its defaults, and where a gateway takes it. */
function asApplied(manifest: Json): [string, Json] {
    const { kind, metadata, spec } = manifest;
    const applied = { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(manifest)}\n` };
    const object = { ...manifest, metadata: { ...metadata, annotations: { ...metadata.annotations, ...applied } } };
    const resource = `${kind.toLowerCase()}s`;
    if (kind === 'HTTPRoute') return [resource, { ...object, status: ACCEPTED }];
    return [resource, kind === 'Deployment' ? { ...object, spec: { replicas: 1, ...spec } } : object];
}

const isReady = ({ spec, status }: Json): boolean => (status?.readyReplicas ?? 0) === spec.replicas;

async function run(
    home: string,
    command: string,
    args: string[],
    { signal, at, env, input = '' }: RunOptions,
): Promise<Run> {
    const child = spawn(command, args, {
        // Nothing of what the machine has of kubectl is read or written, and it ends before its memory matters. Nor is it
        // measured what of the program runs: coverage is of the server, and writing it is dear.
        env: {
            PATH: process.env.PATH ?? '',
            HOME: home,
            KUBECONFIG: join(home, 'config'),
            KUBECACHEDIR: join(home, 'cache'),
            GOGC,
            ...env,
        },
        stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(input);
    const output = { stdout: '', stderr: '' };
    let isSignalled = false;
    child.stdout.on('data', (chunk: Buffer) => {
        output.stdout += chunk.toString();
        if (isSignalled || !signal || at?.test(output.stdout) !== true) return;
        isSignalled = true;
        child.kill(signal);
    });
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...output };
}

/** Why there is no kubectl to test with; null when there is one. */
export function whyNoKubectl(): string | null {
    try {
        const args = ['version', '--client', '-o', 'json'];
        const text = execFileSync('kubectl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
        const { gitVersion, minor } = JSON.parse(text).clientVersion;
        return Number.parseInt(minor, 10) >= 27 ? null : `kubectl is ${gitVersion}, 1.27 or later is needed`;
    } catch {
        return 'there is no kubectl';
    }
}
