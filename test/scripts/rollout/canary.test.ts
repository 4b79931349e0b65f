import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { image, startCluster, whyNoKubectl, type TestCluster, type Versions } from '../../helpers/kube/cluster.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const missing = whyNoKubectl();
if (missing !== null) console.log(`The tests of canaries are skipped: ${missing}.`);

const NEW = ['--image', image('2.0.0')];

describe('a canary by command', { skip: missing !== null, timeout: 240_000 }, () => {
    let cluster: TestCluster;
    const start = async (versions?: Versions, hasGateway = true) =>
        (cluster = await startCluster('canary', versions, { hasGateway }));
    afterEach(() => cluster.stop());

    const weights = () =>
        cluster.store
            .get('httproutes', 'api')
            ?.spec.rules[0].backendRefs.map(({ weight }: { weight: number }) => weight);
    const replicas = () => [cluster.replicas('api'), cluster.replicas('api-canary')];
    const images = () => ['api', 'api-canary', 'worker'].map((name) => cluster.image(name).split(':')[1]);

    it('gives the new version a share, then more, then all, and does no step twice', async () => {
        const { rollout, changes, phase } = await start();
        const steps: [string, string[], number[], number[]][] = [
            ['canary start', [...NEW, '--percent=25'], [75, 25], [3, 1]],
            ['canary start', [...NEW, '--percent=50'], [50, 50], [3, 3]],
            ['canary promote', [], [100, 0], [3, 0]],
        ];
        for (const [step, args, expectedWeights, expectedReplicas] of steps) {
            const { code, stderr } = await rollout(step, args);
            expect([code, stderr]).to.equal([0, '']);
            expect(weights()).to.equal(expectedWeights);
            expect(replicas()).to.equal(expectedReplicas);
            const before = changes.length;
            const again = await rollout(step, args);
            expect(again).to.include({ code: 0, stderr: '' });
            expect(again.stdout).to.contain('already: there is nothing to do.');
            expect(changes.length).to.equal(before);
        }
        expect([...images(), phase()]).to.equal(['2.0.0', '2.0.0', '2.0.0', 'promoted']);
        const { stdout } = await rollout('canary status');
        expect(stdout).to.contain(`The last canary: promoted ${image('2.0.0')}.`);
    });

    it('leaves the rest of the route alone', async () => {
        await start();
        const route = cluster.store.get('httproutes', 'api') ?? {};
        const other = { matches: [{ path: { value: '/console' } }], backendRefs: [{ name: 'console', port: 80 }] };
        const rules = [other, { ...route.spec.rules[0], timeouts: { request: '0s' } }];
        cluster.store.put('httproutes', { ...route, spec: { hostnames: ['api.example'], rules } });
        // Its gateway was quicker to write to it.
        cluster.refuse('httproutes/api');
        expect(await cluster.rollout('canary start', [...NEW, '--percent=25'])).to.include({ code: 0, stderr: '' });
        const [first, second] = cluster.store.get('httproutes', 'api')?.spec.rules ?? [];
        expect(first).to.equal(other);
        expect(second).to.include({ timeouts: { request: '0s' } });
        expect(second.backendRefs[1]).to.equal({ name: 'api-canary', port: 80, weight: 25 });
    });

    it('has replicas make the share where there is no Gateway API, and says which it is', async () => {
        const { rollout } = await start({}, false);
        const { code, stdout } = await rollout('canary start', [...NEW, '--percent=10']);
        expect(code).to.equal(0);
        expect(stdout).to.contain(
            'by replicas, as the cluster has no Gateway API: 1 of 4, which is 25 % of the requests',
        );
        expect((await rollout('canary start', [...NEW, '--percent=40'])).stdout).to.contain('2 of 5, which is 40 %');
        expect(replicas()).to.equal([3, 2]);
        expect((await rollout('canary promote')).code).to.equal(0);
        expect([replicas(), images()]).to.equal([
            [3, 0],
            ['2.0.0', '2.0.0', '2.0.0'],
        ]);
    });

    it('uses no route that does nothing', async () => {
        await start();
        const { status: _unaccepted, ...route } = cluster.store.get('httproutes', 'api') ?? {};
        cluster.store.put('httproutes', { metadata: {}, ...route });
        const dry = () => cluster.rollout('canary start', [...NEW, '--percent=25', '--dry-run']);
        expect((await dry()).stdout).to.contain('as no gateway has accepted the HTTPRoute api');
        const rules = [{ backendRefs: [{ name: 'api', port: 80 }] }];
        cluster.store.put('httproutes', { metadata: {}, ...route, spec: { rules } });
        expect((await dry()).stdout).to.contain('as the HTTPRoute api does not lead to api-stable and api-canary');
    });

    it('aborts to what was before, and repeats that harmlessly', async () => {
        const { rollout, changes, phase } = await start();
        expect((await rollout('canary abort')).stdout).to.contain('No canary is under way: there is nothing to do.');
        expect((await rollout('canary start', [...NEW, '--percent=25'])).code).to.equal(0);
        const another = await rollout('canary start', ['--image', image('3.0.0'), '--percent=25']);
        expect([another.code, another.stderr]).to.equal([
            1,
            `Not done: A canary of ${image('2.0.0')} is under way: promote or abort it first.\n`,
        ]);
        expect(await rollout('canary abort')).to.include({ code: 0, stderr: '' });
        expect([weights(), replicas(), images()]).to.equal([
            [100, 0],
            [3, 0],
            ['1.0.0', '1.0.0', '1.0.0'],
        ]);
        const before = changes.length;
        expect((await rollout('canary abort')).stdout).to.contain('there is nothing to do');
        expect([changes.length, phase()]).to.equal([before, 'aborted']);
        expect((await rollout('canary promote')).stderr).to.equal('Not done: No canary runs: start one first.\n');
    });

    it('aborts a promotion that was killed half way', async () => {
        const { rollout, phase } = await start();
        expect((await rollout('canary start', [...NEW, '--percent=25'])).code).to.equal(0);
        const kill = { signal: 'SIGKILL', at: /→ worker: wait/ } as const;
        expect((await rollout('canary promote', [], kill)).code).to.equal(null);
        expect([...images(), phase()]).to.equal(['2.0.0', '2.0.0', '2.0.0', 'promoting']);
        expect(await rollout('canary abort')).to.include({ code: 0, stderr: '' });
        expect([...images(), phase()]).to.equal(['1.0.0', '1.0.0', '1.0.0', 'aborted']);
        expect([weights(), replicas()]).to.equal([
            [100, 0],
            [3, 0],
        ]);
    });

    for (const [what, behaviour, words] of [
        ['does not work', { readyStatus: 503 }, /\/health\/ready was answered with 503/],
        ['cannot be pulled', { isMissing: true }, /ImagePullBackOff/],
        ['fails more often', { errors: 10 }, /worse: more requests fail/],
        ['is slower', { seconds: 1 }, /worse: requests take longer/],
        ['nobody has asked', { requests: 0 }, /too few to judge by/],
    ] as const) {
        it(`takes away a version that ${what}`, async () => {
            const { rollout, phase } = await start({ '2.0.0': behaviour });
            const { code, stderr } = await rollout('canary start', [...NEW, '--percent=25']);
            expect(code).to.equal(3);
            expect(stderr).to.match(words);
            expect([weights(), replicas(), images(), phase()]).to.equal([
                [100, 0],
                [3, 0],
                ['1.0.0', '1.0.0', '1.0.0'],
                undefined,
            ]);
        });
    }

    it('promotes nothing that there is too little to judge by, and leaves its share', async () => {
        const { rollout, changes } = await start({ '2.0.0': { requests: 1 } });
        expect((await rollout('canary start', [...NEW, '--percent=25', '--allow-quiet'])).code).to.equal(0);
        const before = changes.length;
        const { code, stderr } = await rollout('canary promote');
        expect(code).to.equal(1);
        expect(stderr).to.startWith('Not done: fewer than 50 requests are too few to judge by (new: ');
        expect(changes.length).to.equal(before);
    });
});
