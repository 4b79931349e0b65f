import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { image, startCluster, whyNoKubectl, type TestCluster } from '../../helpers/kube/cluster.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const missing = whyNoKubectl();
if (missing !== null) console.log(`The tests of interrupted rollouts are skipped: ${missing}.`);

const NEW = ['--image', image('2.0.0')];
const CANARY = [...NEW, '--percent=25'];

describe('a rollout that is interrupted', { skip: missing !== null, timeout: 240_000 }, () => {
    let cluster: TestCluster;
    afterEach(() => cluster.stop());

    /** What a rollout changes: where clients get to, what runs there, and how often. */
    const shape = () => {
        const deployments = cluster.store.list('deployments').map(({ metadata: { name } }) => name);
        const weights = cluster.store.get('httproutes', 'api')?.spec.rules[0].backendRefs;
        return {
            color: cluster.color(),
            phase: cluster.phase(),
            weights: weights?.map(({ weight }: { weight: number }) => weight),
            deployments: deployments.map((name) => [name, cluster.image(name), cluster.replicas(name)]),
        };
    };

    for (const [at, signal, code] of [
        [/→ note that/, 'SIGINT', 130],
        [/→ api-green: image/, 'SIGTERM', 143],
        [/→ api-green: 2 replicas/, 'SIGINT', 130],
        [/→ api-green: wait/, 'SIGTERM', 143],
        [/→ api-green: ask/, 'SIGINT', 130],
    ] as const) {
        it(`takes the new colour away again, at ${at.source}`, async () => {
            cluster = await startCluster('blue-green');
            const before = shape();
            const { code: ended, stderr } = await cluster.rollout('blue-green deploy', NEW, { signal, at });
            expect([ended, stderr]).to.equal([code, 'Rolled back: interrupted\n']);
            expect(shape()).to.equal(before);
        });
    }

    it('gives clients back to the former colour, and may be repeated', async () => {
        cluster = await startCluster('blue-green', {}, { isDeployed: true });
        const before = shape();
        for (const at of [/→ service api/, /→ api-green: watch/]) {
            const { code, stderr } = await cluster.rollout('blue-green switch', [], { signal: 'SIGTERM', at });
            expect([code, stderr]).to.equal([143, 'Rolled back: interrupted\n']);
            expect(shape()).to.equal(before);
        }
        expect(cluster.changes.some(({ patch }) => patch.spec?.selector?.color === 'green')).to.be.true();
        expect((await cluster.rollout('blue-green switch')).code).to.equal(0);
        expect(cluster.color()).to.equal('green');
    });

    it('leaves the former colour until it is finished', async () => {
        cluster = await startCluster('blue-green', {}, { isDeployed: true });
        expect((await cluster.rollout('blue-green switch')).code).to.equal(0);
        const before = shape();
        const at = /→ worker: wait/;
        const { code, stderr } = await cluster.rollout('blue-green finish', [], { signal: 'SIGINT', at });
        expect([code, stderr]).to.equal([130, 'Rolled back: interrupted\n']);
        expect(shape()).to.equal(before);
        // From there on it is quicker to go on.
        const late = { signal: 'SIGINT', at: /→ api-blue: 0 replicas/ } as const;
        expect((await cluster.rollout('blue-green finish', [], late)).code).to.equal(0);
        expect([cluster.phase(), cluster.replicas('api-blue')]).to.equal(['finished', 0]);
    });

    it('goes on where it was killed', async () => {
        cluster = await startCluster('blue-green');
        const kill = { signal: 'SIGKILL', at: /→ api-green: ask/ } as const;
        expect((await cluster.rollout('blue-green deploy', NEW, kill)).code).to.equal(null);
        expect(cluster.phase()).to.equal('deploying');
        expect((await cluster.rollout('blue-green deploy', NEW)).code).to.equal(0);

        const amidst = { signal: 'SIGKILL', at: /→ api-green: watch/ } as const;
        expect((await cluster.rollout('blue-green switch', ['--sample=2'], amidst)).code).to.equal(null);
        expect([cluster.color(), cluster.phase()]).to.equal(['green', 'watching']);
        const { code, stdout } = await cluster.rollout('blue-green switch');
        expect(code).to.equal(0);
        expect(stdout).to.match(/namespace llm-api-layer\n→ api-green: watch .*\n {2}new: .*; old: 200 requests/);
        expect([cluster.color(), cluster.phase()]).to.equal(['green', 'switched']);
    });

    it('takes a deployment away that was killed', async () => {
        cluster = await startCluster('blue-green');
        const { deployments } = shape();
        const kill = { signal: 'SIGKILL', at: /→ api-green: ask/ } as const;
        expect((await cluster.rollout('blue-green deploy', NEW, kill)).code).to.equal(null);
        expect((await cluster.rollout('blue-green back')).code).to.equal(0);
        expect(shape()).to.include({ color: 'blue', phase: 'back', deployments });
    });

    for (const [at, hasGateway] of [
        [/→ api-canary: image/, true],
        [/→ api-canary: wait/, false],
        [/→ api-canary: its share/, true],
        [/→ api-canary: watch/, true],
        [/→ api-canary: watch/, false],
    ] as const) {
        it(`takes the canary away again, at ${at.source}${hasGateway ? '' : ' without a gateway'}`, async () => {
            cluster = await startCluster('canary', {}, { hasGateway });
            const before = shape();
            const { code, stderr } = await cluster.rollout('canary start', CANARY, { signal: 'SIGTERM', at });
            expect([code, stderr]).to.equal([143, 'Rolled back: interrupted\n']);
            expect(shape()).to.equal(before);
        });
    }

    it('has the stable version back until the canary has no share any more', async () => {
        cluster = await startCluster('canary', {}, { hasGateway: true });
        expect((await cluster.rollout('canary start', CANARY)).code).to.equal(0);
        const before = shape();
        for (const at of [/→ api: wait/, /→ worker: wait/]) {
            const { code, stderr } = await cluster.rollout('canary promote', [], { signal: 'SIGINT', at });
            expect([code, stderr]).to.equal([130, 'Rolled back: interrupted\n']);
            expect(shape()).to.equal(before);
        }
        const kill = { signal: 'SIGKILL', at: /→ api: wait/ } as const;
        expect((await cluster.rollout('canary promote', [], kill)).code).to.equal(null);
        expect((await cluster.rollout('canary promote')).code).to.equal(0);
        expect([cluster.phase(), cluster.image('api'), cluster.replicas('api-canary')]).to.equal([
            'promoted',
            image('2.0.0'),
            0,
        ]);
    });
});
