import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openJobs, PREFIX, type Jobs } from '../../../src/jobs/jobs.ts';
import { startJobWorker, type JobWorker, type Processors } from '../../../src/jobs/worker.ts';
import { connectRedis } from '../../../src/redis/client.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('jobs', () => {
    let redis: TestRedis;
    let jobs: Jobs;
    let test: TestQueue;
    let logs: Record<string, unknown>[];
    const workers: JobWorker[] = [];

    const work = async (processors: Processors) => {
        const destination = { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) };
        const logger = createLogger({ level: 'info', pretty: false, destination });
        const worker = await startJobWorker({ path: redis.path }, processors, logger);
        workers.push(worker);
        return worker;
    };
    const until = async (isTrue: () => boolean) => {
        while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
    };

    beforeEach(async () => {
        redis = await startRedis();
        jobs = openJobs({ path: redis.path }, silentLogger);
        test = await openQueue(redis.path);
        logs = [];
    });

    afterEach(async () => {
        await Promise.all(workers.splice(0).map((worker) => worker.close(AbortSignal.timeout(1_000))));
        await Promise.all([jobs.close(), test.close()]);
        await redis.stop();
    });

    it('are done by a worker, with the data and the id that they were added with', async () => {
        const done: unknown[] = [];
        await work({ greet: async (data, { id }) => void done.push([data, id]) });
        await jobs.add('greet', { tenantId: 't1', userId: 'u1' }, { id: 'greet-1' });
        await until(() => done.length === 1);
        expect(done).to.equal([[{ tenantId: 't1', userId: 'u1' }, 'greet-1']]);
        await until(() => logs.some(({ msg, jobId }) => msg === 'job done' && jobId === 'greet-1'));
    });

    it('have all their keys in the slot of the platform', async () => {
        await work({ greet: async () => undefined });
        await jobs.add('greet', { tenantId: 't1' });
        await test.settled();
        const client = await connectRedis({ path: redis.path }, silentLogger);
        const keys = await client.keys('*');
        client.disconnect();
        expect(keys.length).to.be.above(1);
        expect(keys.filter((key) => !/^tenant:\{platform\}:jobs:(maintenance|deliveries):/.test(key))).to.equal([]);
        expect(PREFIX).to.equal('tenant:{platform}:jobs');
    });

    it('wait for their time', async () => {
        const done: string[] = [];
        await work({ greet: async ({ tenantId }) => void done.push(tenantId) });
        await jobs.add('greet', { tenantId: 'later' }, { delay: 3_600_000 });
        await jobs.add('greet', { tenantId: 'now' });
        await test.settled();
        expect(done).to.equal(['now']);
        expect(await test.delayed()).to.have.length(1);
        await test.promote();
        await until(() => done.length === 2);
    });

    it('of one id are kept once, of 20 added at once as well', async () => {
        await Promise.all(Array.from({ length: 20 }, () => jobs.add('greet', { tenantId: 't' }, { id: 'the-one' })));
        expect(await test.queue.getWaitingCount()).to.equal(1);
        await jobs.add('greet', { tenantId: 't' }, { id: 'another' });
        expect(await test.queue.getWaitingCount()).to.equal(2);
    });

    it('are each done by one of several workers', async () => {
        const done: string[] = [];
        const processors = { greet: async ({ n = '' }) => void done.push(n) } satisfies Processors;
        await Promise.all([work(processors), work(processors), work(processors)]);
        const all = Array.from({ length: 50 }, (_, n) => String(n));
        await Promise.all(all.map((n) => jobs.add('greet', { tenantId: 't', n })));
        await until(() => done.length >= 50);
        await test.settled();
        expect(done.toSorted()).to.equal(all.toSorted());
    });

    it('that fail are logged with their id and tried again later', async () => {
        let tries = 0;
        const fail = async () => {
            tries++;
            if (tries === 1) throw new Error('Not yet');
        };
        await work({ fail });
        await jobs.add('fail', { tenantId: 't1' }, { id: 'f1' });
        await until(() => logs.some(({ msg }) => msg === 'job failed'));
        const line = logs.find(({ msg }) => msg === 'job failed');
        expect(line).to.include({ module: 'jobs', jobId: 'f1', job: 'fail', attempt: 1 });
        expect(line?.err).to.include({ message: 'Not yet' });
        const [delayed] = await test.delayed();
        expect(delayed?.id).to.equal('f1');
        expect(delayed?.opts).to.include({ attempts: 16, removeOnComplete: { age: 86_400, count: 1_000 } });
        expect(delayed?.delay ?? 0).to.be.within(3_000, 6_000);
        await test.promote();
        await until(() => tries === 2);
    });

    it('that nobody does fail and stay', async () => {
        await work({});
        await jobs.add('unknown', { tenantId: 't' }, { id: 'u1' });
        await until(() => logs.some(({ msg, jobId }) => msg === 'job failed' && jobId === 'u1'));
        expect(await test.delayed()).to.have.length(1);
    });

    it('that run are finished before their worker closes, and none is begun afterwards', async () => {
        let finish = () => undefined as void;
        const begun: string[] = [];
        const finished: string[] = [];
        const worker = await work({
            slow: async ({ tenantId }) => {
                begun.push(tenantId);
                await new Promise<void>((resolve) => (finish = resolve));
                finished.push(tenantId);
            },
        });
        await jobs.add('slow', { tenantId: 'one' });
        await until(() => begun.length === 1);
        const closed = worker.close(new AbortController().signal);
        finish();
        await closed;
        await jobs.add('slow', { tenantId: 'two' });
        expect([begun, finished]).to.equal([['one'], ['one']]);
        expect(await test.queue.getWaitingCount()).to.equal(1);
    });

    it('that do not end in time are taken over by another worker', async () => {
        let hasBegun = false;
        const worker = await work({
            slow: () => {
                hasBegun = true;
                return new Promise<void>(() => undefined);
            },
        });
        await jobs.add('slow', { tenantId: 'one' }, { id: 's1' });
        await until(() => hasBegun);
        await worker.close(AbortSignal.timeout(50));
        const done: string[] = [];
        await work({ slow: async (_data, { id }) => void done.push(id) });
        await until(() => done.length === 1);
        expect(done).to.equal(['s1']);
        expect(logs.some(({ jobId, msg }) => jobId === 's1' && String(msg).includes('takes it over'))).to.be.true();
    });

    it('cannot be added while Redis is away, and can when it is there', async () => {
        const lost = openJobs({ path: `${redis.path}.none` }, silentLogger);
        await expect(lost.add('greet', { tenantId: 't' })).to.reject();
        await expect(lost.add('greet', { tenantId: 't' })).to.reject();
        await lost.close();
        await jobs.add('greet', { tenantId: 't' });
        expect(await test.queue.getWaitingCount()).to.equal(1);
    });
});
