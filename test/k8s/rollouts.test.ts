import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { image, startCluster, type TestCluster } from '../helpers/kube/cluster.ts';
import { faultsOf, hasKubectl, render, type Manifest } from '../helpers/kubernetes.ts';
import { containersOf, labelsOf, named, ofKind, podOf, selects, type Workload } from '../helpers/workloads.ts';

import type { Json } from '../helpers/kube/patch.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

/** What rollouts go by, and what goes by rollouts. */
const KINDS = ['Deployment', 'Service', 'HTTPRoute', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'];
const OLD = image('0.1.0');
const NEW = image('0.2.0');
const DEPLOY = ['--image', NEW];

describe('Rollouts of what the manifests make', { skip: !hasKubectl, timeout: 240_000 }, () => {
    let cluster: TestCluster;
    let manifests: Manifest[];
    afterEach(() => cluster?.stop());

    const start = async (way: 'blue-green' | 'canary') => {
        manifests = render(`overlays/${way}`).filter(({ kind }) => KINDS.includes(kind));
        cluster = await startCluster(way, { '0.1.0': {}, '0.2.0': {} }, { manifests, hasGateway: true });
    };
    const run = async (step: string, args: string[] = []) =>
        expect(await cluster.rollout(step, [...args, '--sample=5'])).to.include({ code: 0, stderr: '' });

    const deployments = () => cluster.store.list('deployments') as unknown as Workload[];
    /** All images of each deployment, of what waits as well. */
    const images = () =>
        Object.fromEntries(
            deployments().map((one) => [
                one.metadata.name,
                containersOf(podOf(one)).map((container) => container.image),
            ]),
        );
    const replicas = () =>
        Object.fromEntries(deployments().map(({ metadata, spec }) => [metadata.name, spec.replicas]));
    /** The most that an autoscaler has found necessary. */
    const autoscale = (name: string, count: number) => {
        const object = cluster.store.get('deployments', name) ?? {};
        cluster.store.put('deployments', {
            ...object,
            metadata: object.metadata,
            spec: { ...object.spec, replicas: count },
        });
    };

    /** The fewest pods that a service had at any time from now on. */
    const fewest = (service: string): (() => number) => {
        const { store } = cluster;
        const ready = (): number => {
            const matchLabels = store.get('services', service)?.spec.selector;
            const isReady = ({ metadata, status }: Json) =>
                selects({ matchLabels }, metadata.labels) && status.conditions[0].status === 'True';
            return store.list('pods').filter(isReady).length;
        };
        let least = ready();
        store.watch(() => (least = Math.min(least, ready())));
        return () => least;
    };

    const boundsOf = (name: string) =>
        cluster.store.get('horizontalpodautoscalers', name)?.spec as
            | { minReplicas: number; maxReplicas: number }
            | undefined;
    /** No number was asked for that an autoscaler would have to mend. */
    const expectWithinBounds = () => {
        for (const { path, patch } of cluster.changes.filter((change) => change.path.endsWith('/scale'))) {
            const { minReplicas = 0, maxReplicas = Infinity } = boundsOf(path.split('/')[1] ?? '') ?? {};
            const count = patch.spec.replicas;
            expect(count === 0 || (count >= minReplicas && count <= maxReplicas), `${path} ${count}`).to.be.true();
        }
    };

    /** But for images and numbers, all is as the manifests say, and a cluster would take it. */
    const expectUntouched = async () => {
        for (const one of deployments()) {
            const { spec } = named<Workload>(manifests, 'Deployment', one.metadata.name);
            const { replicas: _count, ...rest } = one.spec;
            const { replicas: _none, ...asked } = spec;
            const text = JSON.stringify(rest).replaceAll(NEW, OLD);
            expect(JSON.parse(text)).to.equal(JSON.parse(JSON.stringify(asked)));
            expect(selects(one.spec.selector, labelsOf(one))).to.be.true();
        }
        for (const resource of ['deployments', 'services', 'httproutes']) {
            for (const { status: _status, ...object } of cluster.store.list(resource)) {
                expect(await faultsOf(object as Manifest), object.metadata.name).to.equal([]);
            }
        }
    };

    /** As an operator does who has put the new image into the site's manifest. */
    const applyAgain = async () => {
        const items = ofKind(manifests, 'Deployment', 'Service', 'HTTPRoute');
        const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items }).replaceAll(OLD, NEW);
        const args = ['apply', '--validate=false', '--openapi-patch=false', '-f', '-'];
        expect(await cluster.kubectl(args, list)).to.include({ code: 0, stderr: '' });
    };

    it('go the whole way by blue and green, back as well, and applying anew changes neither colour nor number', async () => {
        await start('blue-green');
        expect(replicas()).to.equal({ 'api-blue': 3, 'api-green': 3, worker: 2 });
        const served = fewest('api');
        expect((await cluster.rollout('blue-green deploy', DEPLOY)).stderr).to.contain('begin first');
        await run('blue-green begin', ['--dry-run']);
        expect(cluster.changes).to.equal([]);
        await run('blue-green begin');
        expect([cluster.color(), replicas()]).to.equal(['blue', { 'api-blue': 3, 'api-green': 0, worker: 2 }]);
        expect((await cluster.rollout('blue-green begin')).stdout).to.contain('there is nothing to do');

        await run('blue-green deploy', DEPLOY);
        expect(images()).to.equal({ 'api-blue': [OLD, OLD], 'api-green': [NEW, NEW], worker: [OLD, OLD] });
        await run('blue-green switch');
        await run('blue-green back');
        expect([cluster.color(), replicas()]).to.equal(['blue', { 'api-blue': 3, 'api-green': 0, worker: 2 }]);

        autoscale('api-blue', 5);
        await run('blue-green deploy', DEPLOY);
        await run('blue-green test');
        // Between the two there is more to do.
        autoscale('api-blue', 6);
        await run('blue-green switch');
        expect([cluster.color(), cluster.replicas('api-green')]).to.equal(['green', 6]);
        await run('blue-green finish');
        // Blue keeps what may be gone back to.
        expect(images()).to.equal({ 'api-blue': [OLD, OLD], 'api-green': [NEW, NEW], worker: [NEW, NEW] });
        const after = ['green', { 'api-blue': 0, 'api-green': 6, worker: 2 }];
        expect([cluster.color(), replicas()]).to.equal(after);
        expect(served()).to.be.at.least(boundsOf('api-blue')?.minReplicas ?? NaN);
        expectWithinBounds();
        await expectUntouched();

        await applyAgain();
        expect([cluster.color(), replicas()]).to.equal(after);
        expect(new Set(Object.values(images()).flat())).to.equal(new Set([NEW]));
    });

    it('go the whole way by a canary, aborted as well, and applying anew leaves the number to the autoscaler', async () => {
        await start('canary');
        expect(replicas()).to.equal({ api: 3, 'api-canary': 0, worker: 2 });
        const weights = () =>
            cluster.store.get('httproutes', 'api')?.spec.rules[0].backendRefs.map(({ weight }: Json) => weight);
        const served = [fewest('api'), fewest('api-stable')];
        await run('canary start', [...DEPLOY, '--percent=25']);
        expect([weights(), replicas()]).to.equal([[75, 25], { api: 3, 'api-canary': 1, worker: 2 }]);
        expect(images()).to.equal({ api: [OLD, OLD], 'api-canary': [NEW, NEW], worker: [OLD, OLD] });
        await run('canary abort');
        expect([weights(), replicas()]).to.equal([[100, 0], { api: 3, 'api-canary': 0, worker: 2 }]);
        expect(images()).to.equal({ api: [OLD, OLD], 'api-canary': [OLD, OLD], worker: [OLD, OLD] });

        autoscale('api', 5);
        await run('canary start', [...DEPLOY, '--percent=50']);
        expect([weights(), cluster.replicas('api-canary')]).to.equal([[50, 50], 5]);
        await run('canary promote');
        const after = [[100, 0], { api: 5, 'api-canary': 0, worker: 2 }];
        expect([weights(), replicas()]).to.equal(after);
        expect(images()).to.equal({ api: [NEW, NEW], 'api-canary': [NEW, NEW], worker: [NEW, NEW] });
        expect(Math.min(...served.map((least) => least()))).to.be.at.least(boundsOf('api')?.minReplicas ?? NaN);
        expectWithinBounds();
        await expectUntouched();

        await applyAgain();
        expect([weights(), replicas()]).to.equal(after);
    });
});
