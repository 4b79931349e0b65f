import { setTimeout as sleep } from 'node:timers/promises';

import { CheckError, RefusedError } from './errors.ts';

import type { Kubectl } from './kubectl.ts';

export interface Metadata {
    name: string;
    resourceVersion: string;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
}

interface Container {
    name: string;
    image: string;
}

export interface Deployment {
    metadata: Metadata;
    spec: {
        replicas: number;
        selector: { matchLabels: Record<string, string> };
        template: { spec: { containers: Container[]; initContainers?: Container[] } };
    };
    status: { readyReplicas?: number };
}

interface ContainerState {
    state?: { waiting?: { reason: string; message?: string } };
}

interface Pod {
    metadata: Metadata;
    spec: { containers: Container[] };
    status: {
        conditions?: { type: string; status: string }[];
        containerStatuses?: ContainerState[];
        initContainerStatuses?: ContainerState[];
    };
}

/** The kinds of processes, which are the names of their containers too. */
export type Component = 'api' | 'worker';

/** What of a pod waits before the rest starts, by a program of the same image. */
const WAITING = 'wait-for-redis';
const PREVIOUS_IMAGE = 'llm-api-layer/previous-image';
const POLL_MS = 1_000;
/** A pod that waits for one of these will not become ready by waiting. */
const HOPELESS = new Set([
    'ImagePullBackOff',
    'InvalidImageName',
    'ErrImageNeverPull',
    'CreateContainerConfigError',
    'CreateContainerError',
    'CrashLoopBackOff',
]);

export async function readDeployment(kubectl: Kubectl, name: string): Promise<Deployment> {
    return JSON.parse(await kubectl.read(['get', 'deployment', name, '-o', 'json'])) as Deployment;
}

/** Several at once, by their names. */
export async function readDeployments(kubectl: Kubectl, names: string[]): Promise<(name: string) => Deployment> {
    const list = await kubectl.read(['get', 'deployments', ...names, '-o', 'json']);
    const { items } = JSON.parse(list) as { items: Deployment[] };
    return (name) => {
        const found = items.find(({ metadata }) => metadata.name === name);
        if (!found) throw new RefusedError(`There is no deployment ${name}.`);
        return found;
    };
}

/** @throws RefusedError when the deployment has no such container */
export function imageOf({ metadata, spec }: Deployment, component: Component = 'api'): string {
    const container = spec.template.spec.containers.find(({ name }) => name === component);
    if (!container) throw new RefusedError(`The deployment ${metadata.name} has no container ${component}.`);
    return container.image;
}

const waitingOf = ({ spec }: Deployment): Container[] =>
    (spec.template.spec.initContainers ?? []).filter(({ name }) => name === WAITING);

/** Whether all of it that is ours has that image. */
export const hasImage = (deployment: Deployment, image: string, component: Component = 'api'): boolean =>
    imageOf(deployment, component) === image && waitingOf(deployment).every((container) => container.image === image);

/** What ran there before the image was changed, as far as it is known. */
export const previousImageOf = ({ metadata }: Deployment): string | undefined => metadata.annotations?.[PREVIOUS_IMAGE];

export const readyReplicas = ({ status }: Deployment): number => status.readyReplicas ?? 0;

/** @param previous Remembered at the deployment, to go back to */
export function setImage(
    kubectl: Kubectl,
    deployment: Deployment,
    image: string,
    { component = 'api', previous }: { component?: Component; previous?: string | undefined } = {},
): Promise<void> {
    const { name } = deployment.metadata;
    const waiting = waitingOf(deployment);
    const pod = {
        containers: [{ name: component, image }],
        // A container that is named here and not there would be added.
        ...(waiting.length > 0 && { initContainers: waiting.map((container) => ({ name: container.name, image })) }),
    };
    const patch = {
        ...(previous !== undefined && { metadata: { annotations: { [PREVIOUS_IMAGE]: previous } } }),
        spec: { template: { spec: pod } },
    };
    return kubectl.change(['patch', 'deployment', name, '--type=strategic', '-p', JSON.stringify(patch)]);
}

export const scale = (kubectl: Kubectl, deployment: string, replicas: number): Promise<void> =>
    kubectl.change(['scale', `deployment/${deployment}`, `--replicas=${replicas}`]);

/** The pods of a deployment that run this image and are not on their way out. */
async function podsOf(kubectl: Kubectl, deployment: Deployment, component: Component, image: string): Promise<Pod[]> {
    const labels = Object.entries(deployment.spec.selector.matchLabels).map(([name, value]) => `${name}=${value}`);
    const list = await kubectl.read(['get', 'pods', '-l', labels.join(','), '-o', 'json']);
    return (JSON.parse(list) as { items: Pod[] }).items.filter(
        ({ metadata, spec }) =>
            metadata.deletionTimestamp === undefined &&
            spec.containers.some((container) => container.name === component && container.image === image),
    );
}

const isReady = ({ status }: Pod): boolean =>
    status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;

/** The names of the pods of the API that run the deployment's image and are ready, in a fixed order. */
export async function readyPods(kubectl: Kubectl, name: string): Promise<string[]> {
    const deployment = await readDeployment(kubectl, name);
    const pods = await podsOf(kubectl, deployment, 'api', imageOf(deployment));
    return pods
        .filter(isReady)
        .map(({ metadata }) => metadata.name)
        .toSorted();
}

/**
 * Waits until all replicas of the deployment run its image and are ready.
 *
 * @throws CheckError as soon as it is known that it comes to nothing, and after `timeout` seconds
 */
export async function waitUntilReady(
    kubectl: Kubectl,
    name: string,
    { timeout, component = 'api' }: { timeout: number; component?: Component },
): Promise<void> {
    const over = new AbortController();
    const until = AbortSignal.any([kubectl.signal, over.signal]);
    const args = ['rollout', 'status', `deployment/${name}`, `--timeout=${timeout}s`];
    if (kubectl.isDry) return kubectl.wait(args);
    const ready = kubectl.wait(args, until).finally(() => over.abort());
    const hopeless = failWhenHopeless(kubectl, name, component, until).finally(() => over.abort());
    const [waited, watched] = await Promise.allSettled([ready, hopeless]);
    kubectl.signal.throwIfAborted();
    if (watched.status === 'rejected') throw watched.reason;
    if (waited.status === 'rejected') throw waited.reason;
}

async function failWhenHopeless(
    kubectl: Kubectl,
    name: string,
    component: Component,
    until: AbortSignal,
): Promise<void> {
    const pause = (): Promise<unknown> => sleep(POLL_MS, undefined, { signal: until }).catch(() => undefined);
    // A pod that has just been made waits for nothing yet.
    for (await pause(); !until.aborted; await pause()) {
        const deployment = await readDeployment(kubectl, name);
        const pods = await podsOf(kubectl, deployment, component, imageOf(deployment, component));
        for (const { metadata, status } of pods) {
            const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
            const waiting = containers.flatMap(({ state }) => state?.waiting ?? []);
            const problem = waiting.find(({ reason }) => HOPELESS.has(reason));
            if (problem)
                throw new CheckError(`The pod ${metadata.name}: ${problem.reason} ${problem.message ?? ''}`.trim());
        }
    }
}

/** @throws RefusedError for an image that may be another one tomorrow */
export function expectPinned(image: string): void {
    const isDigest = /@sha256:[0-9a-f]{64}$/.test(image);
    const [, tag] = /^[^@]*:(\w[\w.-]*)$/.exec(image) ?? [];
    if (isDigest || (tag !== undefined && tag !== 'latest')) return;
    throw new RefusedError(`${image} is not pinned: name a tag that is not "latest", or a digest.`);
}
