import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import {
    image,
    startCluster,
    whyNoKubectl,
    type ClusterOptions,
    type TestCluster,
} from '../../helpers/kube/cluster.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const missing = whyNoKubectl();
if (missing !== null) console.log(`The tests of operators of rollouts are skipped: ${missing}.`);

const NEW = ['--image', image('2.0.0')];

describe('the command for rollouts', { skip: missing !== null, timeout: 240_000 }, () => {
    let cluster: TestCluster | undefined;
    const start = async (way: 'blue-green' | 'canary', options?: ClusterOptions) => {
        cluster = await startCluster(way, {}, options);
        return cluster;
    };
    afterEach(async () => {
        await cluster?.stop();
        cluster = undefined;
    });

    it('lets one of two operators switch who do so at once', async () => {
        const { rollout, changes, color } = await start('blue-green', { isDeployed: true });
        // Both have read what there is long before one of them switches.
        const step = () => rollout('blue-green switch', ['--window=3']);
        const runs = await Promise.all([step(), step()]);
        const [winner, loser] = runs.toSorted((one, other) => Number(one.code) - Number(other.code));
        expect(winner).to.include({ code: 0, stderr: '' });
        expect(loser?.code).to.equal(4);
        expect(loser?.stderr).to.equal('Not done: Somebody else has begun a step of a rollout meanwhile.\n');
        const switches = changes.filter(({ patch }) => patch.spec?.selector !== undefined);
        expect(switches.map(({ patch }) => patch.spec.selector.color)).to.equal(['green']);
        expect(color()).to.equal('green');
    });

    it('lets one of two operators deploy who do so at once, and keeps others off what was broken off', async () => {
        const { rollout, changes, phase, ...now } = await start('blue-green');
        const images = [image('2.0.0'), image('1.0.1')];
        const kill = { signal: 'SIGKILL', at: /→ api-green: wait/ } as const;
        const runs = await Promise.all(images.map((name) => rollout('blue-green deploy', ['--image', name], kill)));
        const [killed, refused] = runs[0]?.code === null ? runs : runs.toReversed();
        expect(killed?.code).to.equal(null);
        // The other may have come too late to read what was there before.
        expect(refused?.code === 1 || refused?.code === 4).to.be.true();
        const given = changes.filter(({ path, patch }) => path === 'deployments/api-green' && patch.spec.template);
        expect([given.length, phase()]).to.equal([1, 'deploying']);

        const other = images.find((name) => name !== now.image('api-green')) ?? '';
        const { code, stderr } = await rollout('blue-green deploy', ['--image', other]);
        expect(code).to.equal(1);
        expect(stderr).to.contain('is being deployed, or that was broken off: take it away first, by back.');
    });

    it('does not mind what else is changed of the service', async () => {
        const { rollout, refuse, color } = await start('blue-green', { isDeployed: true });
        refuse('services/api');
        expect(await rollout('blue-green switch')).to.include({ code: 0, stderr: '' });
        expect(color()).to.equal('green');
    });

    it('takes back a switch of which it does not know whether it came about', async () => {
        const { rollout, lose, changes, color, phase } = await start('blue-green', { isDeployed: true });
        lose('services/api');
        const { code, stderr } = await rollout('blue-green switch');
        expect(code).to.equal(3);
        expect(stderr).to.contain('the connection to the store was lost');
        const switches = changes.filter(({ path }) => path === 'services/api');
        expect(switches.map(({ patch }) => patch.spec.selector.color)).to.equal(['green', 'blue']);
        expect([color(), phase()]).to.equal(['blue', 'deployed']);
    });

    it('says what it cannot take back', async () => {
        const { rollout, store } = await start('blue-green', { isDeployed: true });
        // Somebody else takes the rollout over while it is watched.
        const stop = store.watch((resource, { object }) => {
            if (resource !== 'services' || object.spec.selector.color !== 'green') return;
            stop();
            const annotations = { 'llm-api-layer/rollout': JSON.stringify({ phase: 'switched' }) };
            store.put('services', { ...object, metadata: { ...object.metadata, annotations } });
        });
        const { code, stderr } = await rollout('blue-green switch', ['--min-requests=100000']);
        expect(code).to.equal(5);
        expect(stderr).to.match(
            /^Failed, and left half done: .*\. Not taken back, please do: service api: back to blue \(Somebody else/,
        );
    });

    for (const [way, step, args] of [
        ['blue-green', 'blue-green deploy', NEW],
        ['blue-green', 'blue-green switch', []],
        ['blue-green', 'blue-green back', []],
        ['canary', 'canary start', [...NEW, '--percent=25']],
    ] as const) {
        it(`changes nothing in a dry run of ${step}`, async () => {
            const options = {
                isDeployed: step === 'blue-green switch' || step === 'blue-green back',
                hasGateway: true,
            };
            const { rollout, changes, methods } = await start(way, options);
            const { code, stdout, stderr } = await rollout(step, [...args, '--dry-run']);
            expect([code, stderr]).to.equal([0, '']);
            expect(stdout).to.match(/would run: kubectl --namespace=llm-api-layer patch /);
            expect(stdout).to.endWith('Dry run: nothing was changed.\n');
            expect(changes).to.equal([]);
            expect([...methods]).to.equal(['GET']);
        });
    }

    it('refuses an image that may be another one tomorrow', async () => {
        const { rollout, changes } = await start('blue-green');
        for (const name of ['registry.example:5000/app', 'registry.example/app:latest']) {
            const { code, stderr } = await rollout('blue-green deploy', ['--image', name]);
            expect([code, stderr]).to.equal([
                1,
                `Not done: ${name} is not pinned: name a tag that is not "latest", or a digest.\n`,
            ]);
        }
        expect(changes).to.equal([]);
    });

    it('says what it does not understand', async () => {
        const { rollout } = await start('canary');
        for (const [step, args, words] of [
            ['blue-green', [], 'There is no blue-green.'],
            ['canary start', NEW, 'canary start needs --percent.'],
            ['canary promote', NEW, 'canary promote has no option --image.'],
            ['canary start', [...NEW, '--percent=95'], '--percent must be a number from 1 to 90.'],
            ['canary status', ['--colour'], "Unknown option '--colour'"],
        ] as const) {
            const { code, stdout, stderr } = await rollout(step, [...args]);
            expect([code, stdout]).to.equal([2, '']);
            expect(stderr).to.startWith(words);
            expect(stderr).to.contain('Usage: npm run rollout');
        }
    });

    it('refuses what does not fit the installation', async () => {
        const { rollout, store, changes } = await start('canary');
        expect(await rollout('blue-green deploy', NEW)).to.include({
            code: 1,
            stderr: 'Not done: The service api selects no colour: begin first, where this is a blue-green installation.\n',
        });
        store.delete('deployments', 'worker');
        const { code, stderr } = await rollout('canary start', [...NEW, '--percent=25']);
        expect([code, changes]).to.equal([1, []]);
        expect(stderr).to.contain('"worker" not found');
    });

    it('chooses no colour where a rollout was begun', async () => {
        const { rollout, store, changes } = await start('blue-green', { isDeployed: true });
        const { metadata, ...rest } = store.get('services', 'api') ?? {};
        const { color: _lost, ...selector } = rest.spec.selector;
        store.put('services', { ...rest, metadata, spec: { selector } });
        const { code, stderr } = await rollout('blue-green begin');
        expect([code, changes]).to.equal([1, []]);
        expect(stderr).to.startWith('Not done: A rollout was begun here');
    });

    it('says that there is no cluster, or no kubectl', async () => {
        const { rollout } = await start('canary');
        const nowhere = await rollout('canary status', ['--context=another']);
        expect([nowhere.code, nowhere.stdout]).to.equal([1, '']);
        expect(nowhere.stderr).to.contain('context "another" does not exist');
        const without = await rollout('canary status', [], { env: { PATH: '/nowhere' } });
        expect([without.code, without.stderr]).to.equal([1, 'Not done: There is no kubectl on the PATH.\n']);
    });
});
