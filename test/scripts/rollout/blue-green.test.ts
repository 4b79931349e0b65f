import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { image, startCluster, whyNoKubectl, type TestCluster, type Versions } from '../../helpers/kube/cluster.ts';
import { PASSWORD } from '../../helpers/kube/pod.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const missing = whyNoKubectl();
if (missing !== null) console.log(`The tests of blue-green rollouts are skipped: ${missing}.`);

const NEW = ['--image', image('2.0.0')];

describe('blue-green by command', { skip: missing !== null, timeout: 240_000 }, () => {
    let cluster: TestCluster;
    const start = async (versions?: Versions, isDeployed = false) =>
        (cluster = await startCluster('blue-green', versions, { isDeployed }));
    /** Version 2.0.0 is deployed and tested. */
    const deployed = (versions?: Versions) => start(versions, true);
    afterEach(() => cluster.stop());

    /** Which colour serves, and how many replicas the colours have. */
    const shape = () => [cluster.color(), cluster.replicas('api-blue'), cluster.replicas('api-green')];
    const images = () => ['api-blue', 'api-green', 'worker'].map((name) => cluster.image(name).split(':')[1]);

    it('brings a new version to clients and ends the old one, and does no step twice', async () => {
        await start();
        const { rollout, changes } = cluster;
        const steps: [string, string[], (string | number)[]][] = [
            ['blue-green deploy', NEW, ['blue', 2, 2]],
            ['blue-green switch', [], ['green', 2, 2]],
            ['blue-green finish', [], ['green', 0, 2]],
        ];
        for (const [step, args, expected] of steps) {
            const { code, stderr, stdout } = await rollout(step, args);
            expect([code, stderr]).to.equal([0, '']);
            expect(stdout).to.startWith('Context test, namespace llm-api-layer\n→ ');
            expect(shape()).to.equal(expected);
            const before = changes.length;
            const again = await rollout(step, args);
            expect(again).to.include({ code: 0, stderr: '' });
            expect(again.stdout).to.match(/already.*there is nothing to do\./);
            expect(changes.length).to.equal(before);
        }
        expect(images()).to.equal(['1.0.0', '2.0.0', '2.0.0']);
        // Where none waited before, none waits now.
        const waiting = cluster.store
            .list('deployments')
            .flatMap(({ spec }) => spec.template.spec.initContainers ?? []);
        expect(waiting).to.equal([]);
        const { stdout } = await rollout('blue-green status');
        expect(stdout).to.contain(`Clients get to api-green. The last rollout: finished ${image('2.0.0')}.`);
        expect(stdout).to.contain(`api-green: ${image('2.0.0')}, 2 of 2 replicas ready`);

        // The former version may still be gone back to.
        const back = await rollout('blue-green back');
        expect(back).to.include({ code: 0, stderr: '' });
        expect(shape()).to.equal(['blue', 2, 0]);
        expect(images()).to.equal(['1.0.0', '2.0.0', '1.0.0']);
        expect((await rollout('blue-green back')).stdout).to.contain('there is nothing to do');
    });

    it('goes back after a switch, and takes away what was not switched', async () => {
        const { rollout, phase } = await deployed();
        expect((await rollout('blue-green switch')).code).to.equal(0);
        expect((await rollout('blue-green deploy', ['--image', image('3.0.0')])).stderr).to.contain('is not over');
        expect(await rollout('blue-green back')).to.include({ code: 0, stderr: '' });
        expect(shape()).to.equal(['blue', 2, 0]);
        expect((await rollout('blue-green switch')).stderr).to.equal(
            'Not done: Nothing is deployed and tested: deploy first.\n',
        );

        expect((await rollout('blue-green deploy', NEW)).code).to.equal(0);
        expect(await rollout('blue-green back')).to.include({ code: 0, stderr: '' });
        expect([...shape(), phase()]).to.equal(['blue', 2, 0, 'back']);
    });

    it('logs in and calls the sandbox where it is given a user, whose password it does not say', async () => {
        const { rollout } = await deployed();
        const env = { ROLLOUT_EMAIL: 'ada@acme.example', ROLLOUT_PASSWORD: PASSWORD };
        const { code, stdout, stderr } = await rollout('blue-green test', ['--expect-commit=of-2.0.0'], { env });
        expect([code, stderr]).to.equal([0, '']);
        expect(stdout).to.contain('A user gets in: commit of-2.0.0, 1 models\n  The sandbox answers.\n');
        expect(stdout).not.to.contain(PASSWORD);

        const other = await rollout('blue-green test', ['--expect-commit=another'], { env });
        expect(other).to.include({ code: 1 });
        expect(other.stderr).to.equal('Not done: /api/version says of-2.0.0 where another was expected.\n');
        const wrong = await rollout('blue-green test', [], { env: { ...env, ROLLOUT_PASSWORD: 'a wrong password' } });
        expect(wrong.code).to.equal(1);
        expect(wrong.stderr).to.equal('Not done: The login was answered with 401 INVALID_CREDENTIALS\n');
        expect((await rollout('blue-green test', ['--expect-commit=x'])).stderr).to.contain('give ROLLOUT_EMAIL');
    });

    it('takes away a version that does not work', async () => {
        await start({ '2.0.0': { readyStatus: 503 } });
        const { code, stdout, stderr } = await cluster.rollout('blue-green deploy', NEW);
        expect([code, stderr]).to.equal([3, 'Rolled back: /health/ready was answered with 503\n']);
        expect(stdout).to.contain('← api-green: 0 replicas\n');
        expect([...shape(), cluster.phase()]).to.equal(['blue', 2, 0, undefined]);
        expect(images()).to.equal(['1.0.0', '1.0.0', '1.0.0']);
    });

    it('takes away a version that says it is another one', async () => {
        await start();
        const { code, stderr } = await cluster.rollout('blue-green deploy', [...NEW, '--expect-version=2.0.1']);
        expect([code, stderr]).to.equal([3, 'Rolled back: /metrics says 2.0.0 where 2.0.1 was expected.\n']);
        expect(shape()).to.equal(['blue', 2, 0]);
    });

    it('does not wait for an image that cannot be pulled', async () => {
        await start();
        const { code, stderr } = await cluster.rollout('blue-green deploy', ['--image', image('9.9.9')]);
        expect(code).to.equal(3);
        expect(stderr).to.match(
            /^Rolled back: The pod api-green-pod-\d+: ImagePullBackOff Back-off pulling image: not found/,
        );
        expect(shape()).to.equal(['blue', 2, 0]);
    });

    it('waits no longer than it is told for pods to become ready', async () => {
        await start({ '2.0.0': { isStuck: true } });
        const { code, stderr } = await cluster.rollout('blue-green deploy', [...NEW, '--timeout=1']);
        expect([code, shape()]).to.equal([3, ['blue', 2, 0]]);
        expect(stderr).to.contain('timed out waiting for the condition');
    });

    it('switches back from a version of which more requests fail', async () => {
        const { rollout, phase } = await deployed({ '1.0.0': { errors: 2 }, '2.0.0': { errors: 20 } });
        const { code, stderr } = await rollout('blue-green switch');
        expect(code).to.equal(3);
        expect(stderr).to.match(/^Rolled back: The new version is worse: more requests fail \(new: .* 20\.00 % failed/);
        expect([...shape(), phase()]).to.equal(['blue', 2, 2, 'deployed']);
    });

    it('switches back from a version that is slower', async () => {
        const { rollout } = await deployed({ '1.0.0': { seconds: 0.1 }, '2.0.0': { seconds: 0.5 } });
        const { code, stderr } = await rollout('blue-green switch');
        expect(code).to.equal(3);
        expect(stderr).to.match(/The new version is worse: requests take longer/);
        expect(cluster.color()).to.equal('blue');
        expect((await rollout('blue-green switch', ['--max-slowdown=900'])).code).to.equal(0);
    });

    it('switches back where there is too little to judge by, unless it is told not to mind', async () => {
        const { rollout } = await deployed({ '2.0.0': { requests: 1 } });
        const { code, stderr } = await rollout('blue-green switch');
        expect(code).to.equal(3);
        expect(stderr).to.contain('fewer than 50 requests are too few to judge by');
        expect(cluster.color()).to.equal('blue');
        const { stdout } = await rollout('blue-green switch', ['--allow-quiet']);
        expect(stdout).to.contain('fewer than 50 requests are too few to judge by');
        expect(cluster.color()).to.equal('green');
    });
});
