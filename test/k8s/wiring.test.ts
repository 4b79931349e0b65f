import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { hasKubectl, OVERLAYS, render, renderWith, type Manifest } from '../helpers/kubernetes.ts';
import {
    componentOf,
    containersOf,
    labelsOf,
    mainOf,
    named,
    ofKind,
    podOf,
    selects,
    settingsOf,
    workloadsOf,
    type Labels,
    type Selector,
    type Workload,
} from '../helpers/workloads.ts';

import type { NetworkPolicy } from '../helpers/network-policies.ts';

export const lab = Lab.script();
const { describe, it } = lab;

interface Service extends Manifest {
    spec: { selector: Labels; ports: { name: string; port: number; targetPort: string }[]; clusterIP?: string };
}
interface Backend {
    kind: string;
    name: string;
    port: number;
    weight?: number;
}
interface Route extends Manifest {
    spec: { rules: { backendRefs: Backend[]; timeouts: { request: string } }[] };
}
interface Ingress extends Manifest {
    metadata: Manifest['metadata'] & { annotations: Labels };
    spec: {
        rules: { http: { paths: { backend: { service: { name: string; port: { name: string } } } }[] } }[];
    };
}
interface PodMonitor extends Manifest {
    spec: {
        selector: { matchLabels: Labels };
        podMetricsEndpoints: { port: string; authorization: { credentials: { name: string; key: string } } }[];
    };
}

const portsOf = (workload: Workload): Record<string, number> =>
    Object.fromEntries((mainOf(workload).ports ?? []).map(({ name, containerPort }) => [name, containerPort]));
const selectedBy = (manifests: Manifest[], labels: Labels): Workload[] =>
    workloadsOf(manifests).filter((workload) => selects({ matchLabels: labels }, labelsOf(workload)));

/** The objects that a workload names, secrets aside: by kind and name. */
function referencesOf(workload: Workload): [kind: string, name: string][] {
    const { serviceAccountName = '', volumes = [], ...pod } = podOf(workload);
    const ofVolumes = volumes.flatMap(({ configMap, persistentVolumeClaim: claim }): [string, string][] => [
        ...(configMap ? [['ConfigMap', configMap.name] satisfies [string, string]] : []),
        ...(claim ? [['PersistentVolumeClaim', claim.claimName] satisfies [string, string]] : []),
    ]);
    const ofContainers = containersOf(pod).flatMap(({ envFrom = [] }) =>
        envFrom.flatMap(({ configMapRef }): [string, string][] =>
            configMapRef ? [['ConfigMap', configMapRef.name]] : [],
        ),
    );
    return [['ServiceAccount', serviceAccountName], ...ofVolumes, ...ofContainers];
}

const volumesOf = ({ spec: { volumeClaimTemplates = [], template } }: Workload): string[] => [
    ...volumeClaimTemplates.map(({ metadata }) => metadata.name),
    ...(template.spec.volumes ?? []).map(({ name }) => name),
];

describe('What belongs together', { skip: !hasKubectl }, () => {
    const rendered = hasKubectl
        ? OVERLAYS.filter((folder) => folder !== 'monitoring').map((folder) => ({ folder, manifests: render(folder) }))
        : [];

    it('has no two workloads that take the same pods', () => {
        for (const { manifests, folder } of rendered) {
            for (const one of workloadsOf(manifests)) {
                const matching = workloadsOf(manifests).filter((other) => selects(one.spec.selector, labelsOf(other)));
                expect(matching.map(({ metadata }) => metadata.name)).to.equal([one.metadata.name]);
                expect(labelsOf(one)['app.kubernetes.io/name'], folder).to.equal('llm-api-layer');
            }
        }
    });

    it('has services with pods that have their ports', () => {
        for (const { manifests, folder } of rendered) {
            for (const { metadata, spec } of ofKind<Service>(manifests, 'Service')) {
                const workloads = selectedBy(manifests, spec.selector);
                expect(workloads.length, `${folder} ${metadata.name}`).to.be.above(0);
                for (const { targetPort } of spec.ports) {
                    for (const workload of workloads) expect(portsOf(workload)).to.include(targetPort);
                }
            }
            const { serviceName = '' } = named<Workload>(manifests, 'StatefulSet', 'redis').spec;
            expect(named<Service>(manifests, 'Service', serviceName).spec.clusterIP).to.equal('None');
        }
    });

    it('listens where the pods say', () => {
        for (const { manifests } of rendered) {
            const { PORT, INTERNAL_PORT, METRICS_PORT } = settingsOf(manifests);
            const metrics = { metrics: Number(METRICS_PORT) };
            const all = { http: Number(PORT), internal: Number(INTERNAL_PORT), ...metrics };
            const expected: Record<string, object> = { api: all, worker: metrics, redis: { redis: 6379 } };
            for (const workload of workloadsOf(manifests)) {
                expect(portsOf(workload)).to.equal(expected[componentOf(workload)] as Record<string, number>);
            }
        }
    });

    it('has policies for ports that there are', () => {
        for (const { manifests, folder } of rendered) {
            const check = (selectors: Selector[], ports: { port: number | string }[], name: string) => {
                const workloads = workloadsOf(manifests).filter((one) =>
                    selectors.some((selector) => selects(selector, labelsOf(one))),
                );
                if (selectors.length > 0) expect(workloads.length, `${folder} ${name}`).to.be.above(0);
                for (const { port } of ports) {
                    for (const one of workloads) expect(portsOf(one), name).to.include(String(port));
                }
            };
            for (const { spec, metadata } of ofKind<NetworkPolicy>(manifests, 'NetworkPolicy')) {
                const { ingress = [], egress = [], podSelector } = spec;
                for (const { ports } of ingress) check([podSelector], ports, metadata.name);
                for (const { ports, to = [] } of egress) {
                    const ours = to.filter(({ namespaceSelector }) => !namespaceSelector);
                    check(
                        ours.flatMap((peer) => peer.podSelector ?? []),
                        ports,
                        metadata.name,
                    );
                }
            }
        }
    });

    it('refers to what is there', () => {
        for (const { manifests, folder } of rendered) {
            for (const workload of workloadsOf(manifests)) {
                const references = referencesOf(workload);
                expect(references.length, folder).to.be.above(1);
                for (const [kind, name] of references) expect(() => named(manifests, kind, name)).to.not.throw();
                const known = new Set(volumesOf(workload));
                const mounts = containersOf(podOf(workload)).flatMap(({ volumeMounts = [] }) => volumeMounts);
                expect(
                    mounts.filter(({ name }) => !known.has(name)),
                    folder,
                ).to.equal([]);
            }
        }
    });

    it('has a way in that streams, by the Gateway API', () => {
        for (const folder of ['overlays/production', 'overlays/blue-green', 'overlays/canary']) {
            const manifests = render(folder);
            const rules = named<Route>(manifests, 'HTTPRoute', 'api').spec.rules;
            expect(rules.length).to.equal(1);
            for (const { backendRefs, timeouts } of rules) {
                expect(timeouts.request).to.equal('0s');
                for (const { name, port } of backendRefs) {
                    const { ports } = named<Service>(manifests, 'Service', name).spec;
                    expect(ports.map((one) => one.port)).to.include(port);
                }
            }
        }
    });

    it('has a way in that streams, by a plain Ingress', () => {
        const manifests = renderWith('base', ['ingress']);
        const { spec, metadata } = named<Ingress>(manifests, 'Ingress', 'api');
        const nginx = (name: string) => metadata.annotations[`nginx.ingress.kubernetes.io/${name}`];
        expect(nginx('proxy-buffering')).to.equal('off');
        expect(nginx('proxy-request-buffering')).to.equal('off');
        expect(Number(nginx('proxy-read-timeout'))).to.be.at.least(Number(settingsOf(manifests).MODEL_ANSWER_TIMEOUT));
        const [{ backend } = { backend: undefined }] = spec.rules[0]?.http.paths ?? [];
        const service = named<Service>(manifests, 'Service', backend?.service.name ?? '');
        expect(service.spec.ports.map(({ name }) => name)).to.include(backend?.service.port.name ?? '');
    });

    it('sends requests to both colours until one is chosen, and could send them to either', () => {
        const manifests = render('overlays/blue-green');
        const { selector } = named<Service>(manifests, 'Service', 'api').spec;
        const names = (color: string) =>
            selectedBy(manifests, { ...selector, color }).map(({ metadata }) => metadata.name);
        expect(selectedBy(manifests, selector).map(({ metadata }) => metadata.name)).to.equal([
            'api-blue',
            'api-green',
        ]);
        expect([names('blue'), names('green')]).to.equal([['api-blue'], ['api-green']]);
        for (const color of ['blue', 'green']) {
            expect(named(manifests, 'HorizontalPodAutoscaler', `api-${color}`).metadata.labels?.color).to.equal(color);
        }
    });

    it('sends all requests to the stable version first, and could send some to the canary', () => {
        const manifests = render('overlays/canary');
        const pods = (service: string) =>
            selectedBy(manifests, named<Service>(manifests, 'Service', service).spec.selector).map(
                ({ metadata }) => metadata.name,
            );
        expect(pods('api')).to.equal(['api', 'api-canary']);
        expect(pods('api-stable')).to.equal(['api']);
        expect(pods('api-canary')).to.equal(['api-canary']);
        const [rule] = named<Route>(manifests, 'HTTPRoute', 'api').spec.rules;
        expect(rule?.backendRefs.map(({ name, weight }) => [name, weight])).to.equal([
            ['api-stable', 100],
            ['api-canary', 0],
        ]);
        expect(ofKind(manifests, 'HorizontalPodAutoscaler').map(({ metadata }) => metadata.name)).to.equal(['api']);
    });

    it('is scraped, pod by pod, by whoever has the token', () => {
        const manifests = render('overlays/monitoring');
        const { selector, podMetricsEndpoints } = named<PodMonitor>(manifests, 'PodMonitor', 'llm-api-layer').spec;
        const scraped = workloadsOf(manifests).filter((workload) => selects(selector, labelsOf(workload)));
        expect(scraped.map(({ metadata }) => metadata.name)).to.equal(['api', 'worker']);
        for (const { port, authorization } of podMetricsEndpoints) {
            for (const workload of scraped) expect(portsOf(workload)).to.include(port);
            expect(authorization.credentials).to.equal({ name: 'llm-api-layer', key: 'METRICS_TOKEN' });
        }
        const dashboard = named<Manifest & { data: Labels }>(manifests, 'ConfigMap', 'llm-api-layer-dashboard');
        expect(JSON.parse(dashboard.data['dashboard.json'] ?? '')).to.include('panels');
        expect(named(manifests, 'PrometheusRule', 'llm-api-layer').metadata.namespace).to.equal('llm-api-layer');
    });

    it('can do with a Redis of somebody else', () => {
        const manifests = renderWith('overlays/production', ['external-redis']);
        const left = manifests.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'redis');
        expect(left).to.equal([]);
        expect(ofKind(manifests, 'StatefulSet')).to.equal([]);
    });
});
