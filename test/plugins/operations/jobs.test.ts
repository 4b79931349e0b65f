import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openJobs, type JobQueues } from '../../../src/jobs/jobs.ts';
import { startJobWorker } from '../../../src/jobs/worker.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { Processors } from '../../../src/jobs/worker.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/admin/jobs';
const BROKEN = 'GET https://u:secret@example.com/x failed\nand more';

describe('The jobs, on two replicas', () => {
    let redis: TestRedis;
    let one: TestApp;
    let two: TestApp;
    let token: string;
    let ada: TestTenant;
    let jobs: JobQueues;
    let queues: TestQueue[];

    before(async () => {
        redis = await startRedis();
        [one, two] = await startReplicas({ redisPath: redis.path });
        token = await platformToken(one);
        ada = await newTenant(one);
        jobs = openJobs({ path: redis.path }, silentLogger);
        queues = [await openQueue(redis.path), await openQueue(redis.path, 'deliveries')];
    });

    beforeEach(() => Promise.all(queues.map(({ queue }) => queue.obliterate({ force: true }))));

    after(async () => {
        await jobs.close();
        await Promise.all([one.stop(), two.stop(), ...queues.map((queue) => queue.close())]);
        await redis.stop();
    });

    const list = async (query = '', on = one) => {
        const { status, body, text } = await on.call('GET', `${ROUTE}${query}`, { token });
        expect(status, text).to.equal(200);
        return { ...body.data, pagination: body.pagination };
    };
    const retry = (id: string, options: object = {}, on = one) =>
        on.call('POST', `${ROUTE}/${id}/retry`, { token, ...options });
    const add = (name: string, id: string, options: object = {}) =>
        jobs.add(name, { tenantId: ada.tenantId }, { id, attempts: 1, ...options });
    /** Has all jobs that wait done by a worker. */
    const work = async (processors: Processors) => {
        const worker = await startJobWorker({ path: redis.path }, processors, silentLogger);
        await queues[0]?.settled();
        await worker.close(AbortSignal.timeout(5_000));
    };
    const fails: Processors = {
        break: async () => {
            throw new TypeError(BROKEN);
        },
        work: async () => undefined,
    };

    it('are shown by their state, with how many there are in each', async () => {
        await add('break', 'b1');
        await add('work', 'w1');
        await work(fails);
        await add('work', 'w2');
        await add('work', 'later', { delay: 60_000 });
        const { jobs: failed, counts, pagination } = await list();
        expect(counts).to.equal({ waiting: 1, active: 0, delayed: 1, failed: 1, completed: 1 });
        expect(pagination).to.equal({ cursor: null, limit: 20, hasMore: false, totalCount: 1 });
        const [{ addedAt, finishedAt, ...job }] = failed;
        expect(job).to.equal({
            id: 'maintenance:b1',
            queue: 'maintenance',
            name: 'break',
            tenantId: ada.tenantId,
            state: 'failed',
            attempts: 1,
            error: 'TypeError: GET [url] failed',
        });
        expect(Date.parse(finishedAt)).to.be.at.least(Date.parse(addedAt));
        for (const [state, id] of [
            ['waiting', 'w2'],
            ['completed', 'w1'],
            ['delayed', 'later'],
        ]) {
            const found = (await list(`?state=${state}`)).jobs;
            expect(found.map((each: { id: string; state: string }) => [each.id, each.state])).to.equal([
                [`maintenance:${id}`, state],
            ]);
        }
    });

    it('come in pages over all queues, the newest first', async () => {
        const expected: string[] = [];
        for (let n = 0; n < 7; n++) {
            const queue = n % 3 === 0 ? 'deliveries' : 'maintenance';
            await add('work', `n${n}`, { queue });
            expected.unshift(`${queue}:n${n}`);
            // Jobs of one millisecond are in no order.
            await new Promise((resolve) => setTimeout(resolve, 3));
        }
        const found: string[] = [];
        let cursor: string | null = '';
        let pages = 0;
        for (; cursor !== null; pages++) {
            const page = await list(
                `?state=waiting&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
                pages % 2 ? two : one,
            );
            found.push(...page.jobs.map(({ id }: { id: string }) => id));
            expect(page.pagination.totalCount).to.equal(7);
            ({ cursor } = page.pagination);
        }
        expect([pages, found]).to.equal([3, expected]);
        const [first] = [await list('?state=waiting&limit=3')];
        const foreign = await one.call('GET', `${ROUTE}?state=failed&cursor=${first.pagination.cursor}`, { token });
        expectError(foreign, 'INVALID_CURSOR');
    });

    it('cost as many commands however many there are', async () => {
        await list();
        await add('work', 'first');
        const few = await countCommands(one.redis, () => list('?state=waiting&limit=100'));
        for (let n = 0; n < 60; n++) await add('work', `m${n}`);
        const many = await countCommands(one.redis, () => list('?state=waiting&limit=100'));
        expect(many.toSorted()).to.equal(few.toSorted());
        expect(many.length).to.be.below(10);
    });

    it('are not listed as failed when they repeat', async () => {
        await jobs.repeat('break', 60_000);
        await work(fails);
        const { counts } = await list();
        expect(counts).to.include({ failed: 0, delayed: 1 });
    });

    it('are tried again when they have failed, told in both audits', async () => {
        await add('break', 'b1');
        await work(fails);
        const { status, body } = await retry('maintenance:b1');
        expect(status).to.equal(202);
        expect(body.data.job).to.include({ id: 'maintenance:b1', state: 'waiting', attempts: 0, error: null });
        expect((await list()).counts).to.include({ failed: 0, waiting: 1 });
        await work({ ...fails, break: async () => undefined });
        expect((await list('?state=completed')).jobs[0]).to.include({ id: 'maintenance:b1', attempts: 1, error: null });
        for (const [tenantId, results] of [
            [ada.tenantId, ['success']],
            ['platform', ['intended', 'success']],
        ] as const) {
            const told = (await readAudit(one, tenantId)).filter((entry) => entry.correlationId === body.requestId);
            expect(told.map(({ result }) => result)).to.equal([...results]);
            for (const entry of told) expect(entry).to.include({ action: 'job.retry', resourceId: 'maintenance:b1' });
        }
    });

    it('are tried again once, by however many at once', async () => {
        await add('break', 'b1');
        await work(fails);
        const answers = await Promise.all([one, two, one, two, one].map((on) => retry('maintenance:b1', {}, on)));
        expect(answers.filter(({ status }) => status === 202)).to.have.length(1);
        for (const answer of answers) if (answer.status !== 202) expectError(answer, 'JOB_NOT_FAILED');
        expect((await list()).counts).to.include({ failed: 0, waiting: 1 });
    });

    it('are not tried again when they have not failed, or are not there', async () => {
        await add('work', 'w1');
        expectError(await retry('maintenance:w1'), 'JOB_NOT_FAILED');
        expectError(await retry('deliveries:w1'), 'JOB_NOT_FOUND');
        expectError(await retry('maintenance:gone'), 'JOB_NOT_FOUND');
        expectFaults(await retry('elsewhere:w1'), ['jobId']);
    });

    it('are seen by platform admins, and tried again by support and superadmins', async () => {
        const as = async (role: 'support' | 'finance') => (await newUser(one, 'platform', role)).accessToken;
        const [support, finance] = [await as('support'), await as('finance')];
        for (const role of [support, finance]) {
            expect((await one.call('GET', ROUTE, { token: role })).status).to.equal(200);
        }
        await add('break', 'b1');
        await work(fails);
        expectError(await retry('maintenance:b1', { token: finance }), 'FORBIDDEN');
        expect((await retry('maintenance:b1', { token: support })).status).to.equal(202);
        const foreign = { token: ada.accessToken };
        expectError(await one.call('GET', ROUTE, foreign), 'FORBIDDEN');
        expectError(await retry('maintenance:b1', foreign), 'FORBIDDEN');
        expectError(await one.call('GET', ROUTE), 'UNAUTHENTICATED');
        expectFaults(await one.call('GET', `${ROUTE}?state=odd&limit=0&color=red`, { token }), [
            'state',
            'limit',
            'color',
        ]);
    });
});
