import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { DAYS, openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { Backup } from '../../../plugins/backups/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const PATH = '/api/backups/schedule';
const HOUR_MS = 3_600_000;

describe('the sweep of backups, on two replicas', () => {
    let redis: TestRedis;
    let one: TestApp;
    let other: TestApp;
    let jobs: TestQueue;
    let tenant: TestTenant;
    let now = Date.now();

    before(async () => {
        redis = await startRedis();
        const config = { ACCESS_TOKEN_TTL: 1000 * DAYS };
        [one, other] = await startReplicas({ redisPath: redis.path, config });
        jobs = await openQueue(redis.path);
    });

    after(async () => {
        await jobs.close();
        await Promise.all([one.stop(), other.stop()]);
        await redis.stop();
    });

    beforeEach(async () => {
        tenant = await newTenant(one);
    });

    const forward = async (milliseconds: number) => {
        now += milliseconds;
        await Promise.all([one.advance(milliseconds), other.advance(milliseconds)]);
    };
    /** Each process at once, some times over: of one tenant several look at the same moment. */
    const sweep = async () => {
        const looks = [one, other, one, other].map((app) => app.server.plugins.backups.sweep());
        await Promise.all(looks);
    };
    const schedule = async (payload: object) => {
        const base = { name: 'Nightly', timezone: 'Europe/Berlin', type: 'config' };
        const { body, text } = await tenant.call('POST', PATH, { payload: { ...base, ...payload } });
        if (!body.data) throw new Error(text);
        return body.data.schedule;
    };
    /** The backups that schedules have begun, oldest first. */
    const runs = async (): Promise<Backup[]> => {
        const { body } = await tenant.call('GET', '/api/backups/list?limit=100&order=asc');
        return body.data.backups.filter(({ trigger }: Backup) => trigger === 'schedule');
    };
    const jobsOfTenant = async () => {
        const waiting = await jobs.queue.getJobs('waiting');
        return waiting.filter(({ data }) => data.tenantId === tenant.tenantId).map(({ name }) => name);
    };
    /** Does what was asked for, without a worker. */
    const work = async () => {
        const id = await one.redis.get(`tenant:{${tenant.tenantId}}:backups:running`);
        if (id !== null) await one.server.plugins.backups.write(tenant.tenantId, id);
    };
    const goTo = (time: string) => forward(Date.parse(time) - now);

    it('fires once per day over the day whose 02:00 comes twice and that without it', async () => {
        for (const [from, days] of [
            ['2027-03-26T12:00:00Z', ['2027-03-27', '2027-03-28', '2027-03-29', '2027-03-30']],
            ['2027-10-29T12:00:00Z', ['2027-10-30', '2027-10-31', '2027-11-01', '2027-11-02']],
        ] as const) {
            await goTo(from);
            tenant = await newTenant(one);
            await schedule({ cron: '0 2 * * *' });
            // By quarters of an hour through four days.
            for (let step = 0; step < 4 * 24 * 4; step++) {
                await forward(HOUR_MS / 4);
                await sweep();
                await work();
            }
            const ids = (await runs()).map(({ id }) => id);
            expect(ids.map((id) => id.slice(7, 17))).to.equal([...days].map((day) => day));
            const hours = ids.map((id) => Number(id.slice(18, 20)));
            for (const hour of hours) expect([0, 1]).to.include(hour);
        }
    });

    it('makes up once for what a downtime has missed', async () => {
        const { id } = await schedule({ cron: '0 2 * * *' });
        await forward(10 * 24 * HOUR_MS);
        await sweep();
        await work();
        await forward(60_000);
        await sweep();
        expect(await runs()).to.have.length(1);
        const { body } = await tenant.call('GET', PATH);
        const fired = body.data.schedules.find((found: { id: string }) => found.id === id);
        expect(Date.parse(fired.lastRunAt)).to.be.above(now - 120_000);
        expect(Date.parse(fired.nextRunAt)).to.be.above(now);
    });

    it('does not fire what is switched off or deleted', async () => {
        const off = await schedule({ cron: '0 2 * * *' });
        await tenant.call('PUT', `${PATH}/${off.id}`, { payload: { enabled: false } });
        const gone = await schedule({ cron: '0 3 * * *' });
        await tenant.call('DELETE', `${PATH}/${gone.id}`);
        await forward(48 * HOUR_MS);
        await sweep();
        expect(await runs()).to.equal([]);
    });

    it('fires later what falls into another backup', async () => {
        await schedule({ cron: '0 2 * * *' });
        await schedule({ cron: '0 2 * * *', type: 'database' });
        await forward(24 * HOUR_MS);
        await sweep();
        expect(await runs()).to.have.length(1);
        await work();
        await forward(60_000);
        await sweep();
        await work();
        const types = (await runs()).map(({ type }) => type);
        expect(types.toSorted()).to.equal(['config', 'database']);
    });

    it('neither fires nor removes anything by the wrong clock of one process', async () => {
        await schedule({ cron: '0 2 * * *' });
        await tenant.call('POST', '/api/backups/create', { payload: { type: 'config' } });
        await work();
        one.errs(400 * DAYS);
        await sweep();
        one.errs(0);
        expect(await runs()).to.equal([]);
        const { body } = await tenant.call('GET', '/api/backups/list');
        expect(body.data.backups).to.have.length(1);
    });

    it('asks again for a backup whose job is lost, once in a minute', async () => {
        await tenant.call('POST', '/api/backups/create', { payload: { type: 'config' } });
        await jobs.queue.obliterate({ force: true });
        await sweep();
        expect(await jobsOfTenant()).to.equal([]);
        await forward(90_000);
        await sweep();
        expect(await jobsOfTenant()).to.equal(['create-backup']);
        await work();
        await jobs.queue.obliterate({ force: true });
        await forward(90_000);
        await sweep();
        expect(await jobsOfTenant()).to.equal([]);
    });

    it('deletes backups and their archives when their time is over', async () => {
        await schedule({ cron: '0 2 * * *', retentionDays: 2 });
        await forward(24 * HOUR_MS);
        await sweep();
        await work();
        const [first] = await runs();
        const id = String(first?.id);
        await forward(24 * HOUR_MS);
        await sweep();
        await work();
        expect((await tenant.call('GET', `/api/backups/${id}/details`)).status).to.equal(200);
        await forward(24 * HOUR_MS + 60_000);
        await sweep();
        expect((await tenant.call('GET', `/api/backups/${id}/details`)).status).to.equal(404);
        const expired = (await readAudit(one, tenant.tenantId)).filter(({ action }) => action === 'backup.expire');
        expect(expired.map(({ resourceId }) => resourceId)).to.equal([id]);
    });

    it('goes on with a deletion that was interrupted', async () => {
        await tenant.call('POST', '/api/backups/create', { payload: { type: 'config' } });
        await work();
        const { body } = await tenant.call('GET', '/api/backups/list');
        const { id } = body.data.backups[0];
        const [key, list] = [
            `tenant:{${tenant.tenantId}}:backup:${id}`,
            `tenant:{${tenant.tenantId}}:backups:deleting`,
        ];
        await one.redis.multi().hset(key, 'state', 'deleting').zadd(list, 1, id).exec();
        await forward(60_000);
        await sweep();
        expect(await one.redis.exists(key, list)).to.equal(0);
    });

    it('forgets a tenant that has neither backups nor schedules, and no other', async () => {
        const due = () => one.redis.zscore('tenant:{platform}:backup-tenants', tenant.tenantId);
        const { id } = await schedule({ cron: '0 2 * * *' });
        await forward(600_000);
        await sweep();
        expect(await due()).to.not.be.null();
        await tenant.call('DELETE', `${PATH}/${id}`);
        await forward(600_000);
        await sweep();
        expect(await due()).to.be.null();
    });
});
