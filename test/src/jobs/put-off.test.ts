import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openJobs, type Jobs } from '../../../src/jobs/jobs.ts';
import { PutOff } from '../../../src/jobs/put-off.ts';
import { TenantShare } from '../../../src/jobs/tenant-share.ts';
import { startJobWorker, type JobWorker, type Processors } from '../../../src/jobs/worker.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('jobs', () => {
    let redis: TestRedis;
    let jobs: Jobs;
    let deliveries: TestQueue;
    let worker: JobWorker;
    /** Lets go what waits. */
    let release: () => void;
    let released: Promise<void>;

    const work = async (processors: Processors) => {
        worker = await startJobWorker({ path: redis.path }, processors, silentLogger);
    };

    beforeEach(async () => {
        redis = await startRedis();
        jobs = openJobs({ path: redis.path }, silentLogger);
        deliveries = await openQueue(redis.path, 'deliveries');
        released = new Promise((resolve) => (release = resolve));
    });

    afterEach(async () => {
        release();
        await worker.close(AbortSignal.timeout(1_000));
        await Promise.all([jobs.close(), deliveries.close()]);
        await redis.stop();
    });

    it('that are put off come again under the same id after that time, and no attempt is counted', async () => {
        const ids: string[] = [];
        await work({
            send: async (_data, { id }) => {
                ids.push(id);
                if (ids.length < 20) throw new PutOff(ids.length === 19 ? 3_600_000 : 1);
            },
        });
        await jobs.add('send', { tenantId: 't' }, { id: 'd1', queue: 'deliveries', attempts: 2 });
        await until(() => ids.length === 19);
        await deliveries.settled();
        const [waiting] = await deliveries.delayed();
        expect(waiting?.id).to.equal('d1');
        expect(waiting?.attemptsMade).to.equal(0);
        expect(waiting?.delay ?? 0).to.be.within(3_500_000, 3_600_000);
        await deliveries.promote();
        await until(() => ids.length === 20);
        expect(new Set(ids)).to.equal(new Set(['d1']));
    });

    it('of deliveries may be added again under their id when they are done', async () => {
        const ids: string[] = [];
        await work({ send: async (_data, { id }) => void ids.push(id) });
        for (let times = 1; times <= 2; times++) {
            await jobs.add('send', { tenantId: 't' }, { id: 'd1', queue: 'deliveries' });
            await until(() => ids.length === times);
            await deliveries.settled();
        }
        expect(ids).to.equal(['d1', 'd1']);
    });

    it('of deliveries that wait do not hold up those of another tenant, nor the platform’s own work', async () => {
        const done: string[] = [];
        let running = 0;
        let most = 0;
        const slow = async () => {
            most = Math.max(most, ++running);
            await released;
            running--;
        };
        const send = async ({ tenantId }: { tenantId: string }) => {
            if (tenantId === 'slow') await slow();
            done.push(tenantId);
        };
        await work({ send });
        const add = (tenantId: string) => jobs.add('send', { tenantId }, { queue: 'deliveries' });
        await Promise.all(Array.from({ length: 100 }, () => add('slow')));
        await until(() => running === 8);
        await Promise.all([add('quick'), jobs.add('send', { tenantId: 'own' })]);
        await until(() => done.length === 2);
        expect(done.toSorted()).to.equal(['own', 'quick']);
        expect(most).to.equal(8);
        release();
        await until(() => done.length === 102);
        expect(most).to.equal(8);
    });
});

describe('TenantShare', () => {
    const delayOf = async (work: Promise<unknown>) => ((await work.catch((error: unknown) => error)) as PutOff).delayMs;

    it('puts off what has no room in a line, 25 ms apart, and five minutes at most', async () => {
        const share = new TenantShare(1, () => 1_000);
        let finish = () => undefined as void;
        const running = share.run('t', () => new Promise<void>((resolve) => (finish = resolve)));
        const never = () => Promise.reject(new Error('It has no room'));
        expect(await delayOf(share.run('t', never))).to.equal(25);
        expect(await delayOf(share.run('t', never))).to.equal(50);
        for (let times = 0; times < 13_000; times++) await delayOf(share.run('t', never));
        expect(await delayOf(share.run('t', never))).to.equal(300_000);
        expect(await share.run('other', async () => 'done')).to.equal('done');
        finish();
        await running;
        expect(await share.run('t', async () => 'done')).to.equal('done');
    });

    it('gives the room back when the work fails', async () => {
        const share = new TenantShare(1, () => 1_000);
        for (let times = 0; times < 3; times++) {
            await expect(share.run('t', () => Promise.reject(new Error('It failed')))).to.reject('It failed');
        }
    });
});
