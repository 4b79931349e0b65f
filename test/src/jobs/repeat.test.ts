import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openJobs, type Jobs } from '../../../src/jobs/jobs.ts';
import { startJobWorker, type JobWorker, type Processors } from '../../../src/jobs/worker.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const HOUR_MS = 3_600_000;
const OFTEN_MS = 40;

describe('a repeating job', () => {
    let redis: TestRedis;
    let jobs: Jobs;
    let test: TestQueue;
    const workers: JobWorker[] = [];

    const work = async (processors: Processors) => {
        const worker = await startJobWorker({ path: redis.path }, processors, silentLogger);
        workers.push(worker);
        return worker;
    };
    const until = async (isTrue: () => boolean) => {
        while (!isTrue()) await sleep(5);
    };
    const kept = () => test.queue.getJobCountByTypes('waiting', 'delayed', 'active', 'completed', 'failed');
    /** When an occurrence was due. */
    const dueAt = (id: string) => Number(id.split(':').at(-1));

    beforeEach(async () => {
        redis = await startRedis();
        jobs = openJobs({ path: redis.path }, silentLogger);
        test = await openQueue(redis.path);
    });

    afterEach(async () => {
        await Promise.all(workers.splice(0).map((worker) => worker.close(AbortSignal.timeout(1_000))));
        await Promise.all([jobs.close(), test.close()]);
        await redis.stop();
    });

    it('is done at once and then again and again, each time by one of several workers', async () => {
        const done: [data: unknown, id: string][] = [];
        const processors: Processors = { tick: async (data, { id }) => void done.push([data, id]) };
        await Promise.all([work(processors), work(processors), work(processors)]);
        await jobs.repeat('tick', OFTEN_MS);
        await until(() => done.length >= 6);
        const ids = done.map(([, id]) => id);
        expect(new Set(ids).size).to.equal(ids.length);
        const distances = ids.slice(1).map((id, at) => dueAt(id) - dueAt(ids[at] ?? ''));
        expect(distances.filter((distance) => distance % OFTEN_MS !== 0 || distance === 0)).to.equal([]);
        expect(done.every(([data]) => JSON.stringify(data) === '{"tenantId":"platform"}')).to.be.true();
    });

    it('is one, however many ask for it and however often', async () => {
        const others = Array.from({ length: 5 }, () => openJobs({ path: redis.path }, silentLogger));
        await Promise.all([...others, ...others].map((replica) => replica.repeat('tick', HOUR_MS)));
        expect(await test.queue.getJobSchedulersCount()).to.equal(1);
        expect(await kept()).to.equal(1);
        let done = 0;
        await work({ tick: async () => void done++ });
        await until(() => done === 1);
        await test.settled();
        const [next] = await test.delayed();
        await Promise.all([...others, ...others].map((replica) => replica.repeat('tick', HOUR_MS)));
        await test.settled();
        expect((await test.delayed()).map(({ id }) => id)).to.equal([next?.id]);
        expect(done).to.equal(1);
        await Promise.all(others.map((replica) => replica.close()));
    });

    it('takes another distance when it is asked for', async () => {
        await jobs.repeat('tick', HOUR_MS);
        await jobs.repeat('tick', 2 * HOUR_MS);
        const schedulers = await test.queue.getJobSchedulers();
        expect(schedulers.map(({ name, every }) => [name, every])).to.equal([['tick', 2 * HOUR_MS]]);
        expect(await kept()).to.equal(1);
    });

    it('that fails is tried again by its next occurrence only, and nothing of it is kept', async () => {
        const failed: string[] = [];
        const worker = await work({
            tick: async (_data, { id }) => {
                failed.push(id);
                throw new Error('Not this time');
            },
        });
        await jobs.repeat('tick', OFTEN_MS);
        await until(() => failed.length >= 4);
        await worker.close(new AbortController().signal);
        expect(new Set(failed).size).to.equal(failed.length);
        expect(await kept()).to.equal(1);
        const [next] = await test.queue.getJobs(['waiting', 'delayed']);
        expect(next?.opts).to.include({ attempts: 1, removeOnComplete: true, removeOnFail: true });
    });

    it('leaves the jobs that are kept as they are', async () => {
        let ticks = 0;
        await work({ greet: async () => undefined, tick: async () => void ticks++ });
        await jobs.add('greet', { tenantId: 't1' }, { id: 'greet-1' });
        await jobs.repeat('tick', OFTEN_MS);
        await until(() => ticks >= 3);
        await test.settled();
        expect(await test.queue.getCompleted()).to.have.length(1);
    });

    it('does not pile up while nobody works', async () => {
        const done: string[] = [];
        const processors: Processors = { tick: async (_data, { id }) => void done.push(id) };
        const worker = await work(processors);
        await jobs.repeat('tick', OFTEN_MS);
        await until(() => done.length >= 2);
        await worker.close(new AbortController().signal);
        done.length = 0;
        await sleep(10 * OFTEN_MS);
        expect(await kept()).to.equal(1);

        const resumedAt = Date.now();
        await jobs.repeat('tick', OFTEN_MS);
        await work(processors);
        await until(() => done.length >= 3);
        expect(done.filter((id) => dueAt(id) < resumedAt)).to.have.length(1);
    });

    it('cannot be asked for while Redis is away', async () => {
        const lost = openJobs({ path: `${redis.path}.none` }, silentLogger);
        await expect(lost.repeat('tick', HOUR_MS)).to.reject();
        await lost.close();
    });
});
