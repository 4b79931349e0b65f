import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { hasKubectl, OVERLAYS, render, type Manifest } from '../helpers/kubernetes.ts';
import {
    amount,
    componentOf,
    containersOf,
    mainOf,
    named,
    ofKind,
    podOf,
    selects,
    settingsOf,
    workloadsOf,
    type Container,
    type Selector,
    type Workload,
} from '../helpers/workloads.ts';

export const lab = Lab.script();
const { describe, it } = lab;

interface Autoscaler extends Manifest {
    spec: { scaleTargetRef: { kind: string; name: string }; minReplicas: number; maxReplicas: number };
}
interface Budget extends Manifest {
    spec: { minAvailable: number; selector: Selector };
}
interface Quota extends Manifest {
    spec: { hard: Record<string, string> };
}
interface Limits extends Manifest {
    spec: { limits: object[] };
}

const users: Record<string, number> = { api: 1001, worker: 1001, redis: 999 };
/** Those that a pod of restricted security may have, and that are here. */
const VOLUMES = ['emptyDir', 'configMap', 'persistentVolumeClaim'];

const secure = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
const probes = (port: string) => ({
    startupProbe: {
        httpGet: { path: '/health/live', port },
        periodSeconds: 5,
        failureThreshold: 30,
        timeoutSeconds: 3,
    },
    livenessProbe: {
        httpGet: { path: '/health/live', port },
        initialDelaySeconds: 30,
        periodSeconds: 10,
        failureThreshold: 3,
        timeoutSeconds: 3,
    },
    readinessProbe: {
        httpGet: { path: '/health/ready', port },
        initialDelaySeconds: 10,
        periodSeconds: 5,
        failureThreshold: 3,
        timeoutSeconds: 3,
    },
});

/** The most that pods of these containers may ask for while all of them are replaced one by one. */
function needed(manifests: Manifest[], of: (container: Container) => string): number {
    const autoscalers = ofKind<Autoscaler>(manifests, 'HorizontalPodAutoscaler');
    const most = (workload: Workload): number => {
        const { name } = workload.metadata;
        const scaled = autoscalers.find(({ spec }) => spec.scaleTargetRef.name === name)?.spec.maxReplicas;
        // A canary that takes over has as many pods as the stable version.
        const canary = name === 'api-canary' ? 10 : 0;
        return (scaled ?? Math.max(workload.spec.replicas ?? 1, canary)) + (workload.kind === 'Deployment' ? 1 : 0);
    };
    return workloadsOf(manifests).reduce((sum, workload) => sum + most(workload) * amount(of(mainOf(workload))), 0);
}

describe('The pods', { skip: !hasKubectl }, () => {
    const rendered = hasKubectl
        ? OVERLAYS.filter((folder) => folder !== 'monitoring').map((folder) => ({ folder, manifests: render(folder) }))
        : [];
    const workloads = rendered.flatMap(({ folder, manifests }) =>
        workloadsOf(manifests).map((workload) => ({ workload, where: `${folder} ${workload.metadata.name}` })),
    );
    const ours = workloads.filter(({ workload }) => componentOf(workload) !== 'redis');
    const production = () => render('overlays/production');

    it('have no more rights than they need', () => {
        for (const { workload, where } of workloads) {
            const pod = podOf(workload);
            const user = users[componentOf(workload)];
            const { fsGroupChangePolicy: _how, ...context } = pod.securityContext;
            expect(context, where).to.equal({
                runAsNonRoot: true,
                runAsUser: user,
                runAsGroup: user,
                fsGroup: user,
                seccompProfile: { type: 'RuntimeDefault' },
            });
            expect([pod.automountServiceAccountToken, pod.enableServiceLinks], where).to.equal([false, false]);
            expect([pod.hostNetwork, pod.hostPID, pod.hostIPC], where).to.equal([undefined, undefined, undefined]);
            const kinds = (pod.volumes ?? []).flatMap((volume) => Object.keys(volume)).filter((key) => key !== 'name');
            expect(kinds.filter((kind) => !VOLUMES.includes(kind))).to.equal([]);
            for (const container of containersOf(pod)) {
                expect(container.securityContext, where).to.equal(secure);
                expect((container.ports ?? []).filter(({ hostPort }) => hostPort !== undefined)).to.equal([]);
            }
        }
        expect(workloads.length).to.be.above(15);
    });

    it('run in a namespace that takes no others', () => {
        for (const { manifests, folder } of rendered) {
            const { labels = {} } = named(manifests, 'Namespace', 'llm-api-layer').metadata;
            for (const mode of ['enforce', 'audit', 'warn']) {
                expect(labels[`pod-security.kubernetes.io/${mode}`], folder).to.equal('restricted');
            }
            const elsewhere = manifests.filter(
                ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'llm-api-layer',
            );
            expect(elsewhere, folder).to.equal([]);
        }
    });

    it('are of images with a version', () => {
        for (const { workload, where } of workloads) {
            for (const { image } of containersOf(podOf(workload))) {
                expect(image, where).to.match(/:\d+\.\d+\.\d+[^:]*$|@sha256:[0-9a-f]{64}$/);
            }
        }
        for (const { workload, where } of ours) {
            const images = containersOf(podOf(workload)).map(({ image }) => image);
            expect(new Set(images).size, where).to.equal(1);
            expect(mainOf(workload).name, where).to.equal(componentOf(workload));
        }
    });

    it('are asked how they are, where they listen', () => {
        for (const { workload, where } of ours) {
            const { startupProbe, livenessProbe, readinessProbe } = mainOf(workload);
            const port = componentOf(workload) === 'api' ? 'http' : 'metrics';
            expect({ startupProbe, livenessProbe, readinessProbe }, where).to.equal(probes(port));
        }
        const { startupProbe, livenessProbe, readinessProbe } = mainOf(named(production(), 'StatefulSet', 'redis'));
        expect(startupProbe?.exec?.command).to.equal(['redis-cli', '-e', 'ping']);
        expect(readinessProbe?.exec).to.equal(startupProbe?.exec);
        expect(livenessProbe?.tcpSocket?.port).to.equal('redis');
    });

    it('wait for Redis with the same settings', () => {
        for (const { workload, where } of ours) {
            const [waiting, ...others] = podOf(workload).initContainers ?? [];
            expect(others, where).to.equal([]);
            expect(waiting?.command, where).to.equal(['node', 'dist/scripts/wait-for-redis.js']);
            expect(waiting?.envFrom, where).to.equal(mainOf(workload).envFrom);
        }
    });

    it('have the time to end what runs', () => {
        for (const { manifests, folder } of rendered) {
            const drain = Number(settingsOf(manifests).SHUTDOWN_TIMEOUT);
            expect(drain).to.be.above(0);
            for (const workload of workloadsOf(manifests).filter((one) => componentOf(one) !== 'redis')) {
                const pause = mainOf(workload).lifecycle?.preStop?.sleep?.seconds ?? 0;
                const { terminationGracePeriodSeconds: grace } = podOf(workload);
                expect(grace, `${folder} ${workload.metadata.name}`).to.be.above(pause + drain);
                if (componentOf(workload) === 'api') expect(pause).to.be.above(0);
            }
        }
    });

    it('have the processor and memory that they were measured with', () => {
        for (const { workload, where } of ours) {
            expect(mainOf(workload).resources, where).to.equal({
                requests: { cpu: '200m', memory: '256Mi' },
                limits: { cpu: '1000m', memory: '512Mi' },
            });
        }
        for (const { manifests, folder } of rendered) {
            const limit = amount(`${settingsOf(manifests).MAX_RSS_MB}mb`);
            expect(limit, folder).to.be.between(0, amount('512Mi'));
            const { args = [], resources } = mainOf(named(manifests, 'StatefulSet', 'redis'));
            const data = amount(args[args.indexOf('--maxmemory') + 1] ?? '');
            expect(2 * data, folder).to.be.at.most(amount(resources?.limits.memory ?? 0));
        }
    });

    it('are within the limits of the namespace', () => {
        for (const { manifests, folder } of rendered) {
            expect(named<Limits>(manifests, 'LimitRange', 'llm-api-layer').spec.limits, folder).to.equal([
                {
                    type: 'Container',
                    min: { cpu: '100m', memory: '64Mi' },
                    max: { cpu: '2', memory: '2Gi' },
                    defaultRequest: { cpu: '100m', memory: '128Mi' },
                    default: { cpu: '500m', memory: '512Mi' },
                },
            ]);
            for (const container of workloadsOf(manifests).flatMap((workload) => containersOf(podOf(workload)))) {
                const { requests = {}, limits = {} } = container.resources ?? {};
                const bounds = { cpu: ['100m', '2'], memory: ['64Mi', '2Gi'] };
                for (const [what, [least = '', most = '']] of Object.entries(bounds)) {
                    const [request, limit] = [amount(requests[what] ?? ''), amount(limits[what] ?? '')];
                    expect(request, folder).to.be.at.least(amount(least));
                    expect(limit, folder).to.be.at.least(request);
                    expect(limit, folder).to.be.at.most(amount(most));
                }
            }
        }
    });

    it('have room in the quota, when there are as many as there may be', () => {
        for (const { manifests, folder } of rendered) {
            const { hard } = named<Quota>(manifests, 'ResourceQuota', 'llm-api-layer').spec;
            for (const kind of ['requests', 'limits'] as const) {
                for (const what of ['cpu', 'memory']) {
                    const need = needed(manifests, ({ resources }) => resources?.[kind][what] ?? '');
                    expect(need, `${folder} ${kind}.${what}`).to.be.at.most(amount(hard[`${kind}.${what}`] ?? 0));
                }
            }
        }
        expect(named<Quota>(production(), 'ResourceQuota', 'llm-api-layer').spec.hard).to.equal({
            'requests.cpu': '10',
            'limits.cpu': '20',
            'requests.memory': '10Gi',
            'limits.memory': '20Gi',
            persistentvolumeclaims: '5',
            'services.loadbalancers': '2',
        });
    });

    it('are replaced one by one, and never fewer than there were', () => {
        for (const { workload, where } of ours) {
            expect(workload.spec.strategy?.rollingUpdate, where).to.equal({ maxSurge: 1, maxUnavailable: 0 });
        }
        const replicas = ours.map(({ workload, where }) => [where, workload.spec.replicas]);
        // Where an autoscaler says how many there are, applying the manifests anew must not.
        expect(Object.fromEntries(replicas)).to.equal({
            'base api': undefined,
            'base worker': 2,
            'overlays/production api': undefined,
            'overlays/production worker': 2,
            'overlays/monitoring api': undefined,
            'overlays/monitoring worker': 2,
            'overlays/development api': undefined,
            'overlays/development worker': 1,
            'overlays/blue-green api-blue': undefined,
            'overlays/blue-green api-green': undefined,
            'overlays/blue-green worker': 2,
            'overlays/canary api': undefined,
            'overlays/canary api-canary': 0,
            'overlays/canary worker': 2,
        });
    });

    it('are as many as the load asks for', () => {
        for (const { manifests, folder } of rendered.filter((one) => one.folder !== 'overlays/development')) {
            const autoscalers = ofKind<Autoscaler>(manifests, 'HorizontalPodAutoscaler');
            expect(autoscalers.length, folder).to.be.above(0);
            for (const { spec, metadata } of autoscalers) {
                const { scaleTargetRef: target, ...rest } = spec;
                expect(target.name, folder).to.equal(metadata.name);
                expect(named(manifests, target.kind, target.name).kind).to.equal('Deployment');
                expect(rest, folder).to.equal({
                    minReplicas: 3,
                    maxReplicas: 10,
                    metrics: [
                        {
                            type: 'Resource',
                            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
                        },
                        {
                            type: 'Resource',
                            resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '410Mi' } },
                        },
                    ],
                    behavior: {
                        scaleUp: {
                            stabilizationWindowSeconds: 0,
                            policies: [{ type: 'Pods', value: 4, periodSeconds: 30 }],
                        },
                        scaleDown: {
                            stabilizationWindowSeconds: 300,
                            policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
                        },
                    },
                } as typeof rest);
            }
        }
    });

    it('are not all taken away at once', () => {
        for (const { manifests, folder } of rendered.filter((one) => one.folder !== 'overlays/development')) {
            const budgets = ofKind<Budget>(manifests, 'PodDisruptionBudget');
            const isOne = ({ kind, spec }: Workload) => kind === 'StatefulSet' || spec.replicas === 0;
            for (const workload of workloadsOf(manifests).filter((one) => !isOne(one))) {
                const labels = workload.spec.template.metadata.labels;
                const found = budgets.filter(({ spec }) => selects(spec.selector, labels));
                // Two of them for the same pod and no pod can be evicted.
                expect(found.length, `${folder} ${workload.metadata.name}`).to.equal(1);
                expect(found[0]?.spec.minAvailable).to.equal(componentOf(workload) === 'api' ? 2 : 1);
            }
        }
    });
});
