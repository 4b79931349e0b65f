import { startPod, type Behaviour, type PodServer } from './pod.ts';

import type { Json } from './patch.ts';
import type { ObjectStore } from './store.ts';

const READY_AFTER_MS = 50;

export interface Controller {
    /** Where a port that a pod names is really: on which of this machine. */
    portOf: (pod: string, port: number) => number | undefined;
    close: () => void;
}

/**
 * Does what is wanted of deployments: makes pods, has them become ready, replaces them as the strategy allows, and
 * tells how far it is. Of an autoscaler it knows the bounds.
 */
export function startController(store: ObjectStore, behaviours: Record<string, Behaviour>): Controller {
    const servers = new Map<string, PodServer>();
    const timers = new Set<NodeJS.Timeout>();
    let made = 0;
    let isClosed = false;

    const podsOf = (deployment: Json): Json[] =>
        store.list('pods').filter(({ metadata }) => metadata.name.startsWith(`${deployment.metadata.name}-pod-`));
    const behaviourOf = (image: string): Behaviour => behaviours[image] ?? { version: '0.0.0', isMissing: true };
    const imageOf = (spec: Json): string => spec.containers[0].image;
    const isReady = ({ status }: Json): boolean => status.conditions[0].status === 'True';

    const remove = (pod: Json): void => {
        servers.get(pod.metadata.name)?.close();
        servers.delete(pod.metadata.name);
        store.delete('pods', pod.metadata.name);
    };

    const becomeReady = async (pod: Json, behaviour: Behaviour): Promise<void> => {
        const server = behaviour.port === undefined ? await startPod(behaviour) : realPod(behaviour.port);
        if (isClosed || !store.get('pods', pod.metadata.name)) return server.close();
        servers.set(pod.metadata.name, server);
        store.put('pods', { ...pod, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } });
    };

    const make = ({ metadata, spec }: Json): void => {
        const behaviour = behaviourOf(imageOf(spec.template.spec));
        const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image: not found' };
        const pod = store.put('pods', {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: `${metadata.name}-pod-${++made}`, labels: spec.template.metadata.labels },
            spec: spec.template.spec,
            status: {
                phase: 'Pending',
                conditions: [{ type: 'Ready', status: 'False' }],
                ...(behaviour.isMissing === true && { containerStatuses: [{ state: { waiting } }] }),
            },
        });
        if (behaviour.isMissing === true || behaviour.isStuck === true) return;
        const timer = setTimeout(() => void becomeReady(pod, behaviour), READY_AFTER_MS);
        timers.add(timer);
    };

    const withinBounds = ({ metadata, spec }: Json): number => {
        const autoscalers = store.list('horizontalpodautoscalers');
        const scaler = autoscalers.find((one) => one.spec.scaleTargetRef.name === metadata.name);
        // It rests while there are none.
        if (!scaler || spec.replicas === 0) return spec.replicas;
        return Math.min(Math.max(spec.replicas, scaler.spec.minReplicas), scaler.spec.maxReplicas);
    };

    const reconcile = (deployment: Json): void => {
        const { replicas, template, strategy } = deployment.spec;
        const scaled = withinBounds(deployment);
        if (scaled !== replicas) {
            return void store.put('deployments', { ...deployment, spec: { ...deployment.spec, replicas: scaled } });
        }
        const { maxSurge = 1, maxUnavailable = 0 } = strategy?.rollingUpdate ?? {};
        const isFresh = (pod: Json): boolean => imageOf(pod.spec) === imageOf(template.spec);
        const count = (): number => podsOf(deployment).length;
        for (const pod of podsOf(deployment).filter(isFresh).slice(replicas)) remove(pod);
        for (const pod of podsOf(deployment).filter((one) => !isFresh(one))) {
            const ready = podsOf(deployment).filter((one) => one !== pod && isReady(one)).length;
            if (!isReady(pod) || ready >= replicas - maxUnavailable) remove(pod);
        }
        let fresh = podsOf(deployment).filter(isFresh).length;
        for (; fresh < replicas && count() < replicas + maxSurge; fresh++) make(deployment);
        tellStatus(deployment, podsOf(deployment), isFresh);
    };

    const tellStatus = (deployment: Json, pods: Json[], isFresh: (pod: Json) => boolean): void => {
        const ready = pods.filter(isReady).length;
        const status = {
            observedGeneration: deployment.metadata.generation,
            replicas: pods.length,
            updatedReplicas: pods.filter(isFresh).length,
            readyReplicas: ready,
            availableReplicas: ready,
        };
        if (JSON.stringify(status) !== JSON.stringify(deployment.status))
            store.put('deployments', { ...deployment, status });
    };

    const later = (name: string): void => {
        const timer = setTimeout(() => {
            timers.delete(timer);
            const deployment = store.get('deployments', name);
            if (deployment) reconcile(deployment);
        }, 5);
        timers.add(timer);
    };
    const stop = store.watch((resource, { object }) => {
        if (resource === 'deployments') later(object.metadata.name);
        if (resource === 'pods') later(object.metadata.name.replace(/-pod-\d+$/, ''));
    });
    return {
        portOf: (pod, port) => {
            const { ports = [] } = store.get('pods', pod)?.spec.containers[0] ?? {};
            const isNamed = ports.some(({ containerPort }: Json) => containerPort === port);
            return isNamed ? servers.get(pod)?.port : undefined;
        },
        close: () => {
            isClosed = true;
            stop();
            for (const timer of timers) clearTimeout(timer);
            for (const server of servers.values()) server.close();
        },
    };
}

const realPod = (port: number): PodServer => ({ port, close: () => undefined });
