import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { backupEvents } from '../../helpers/backups.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const PATH = '/api/backups/schedule';
const NIGHTLY = { name: 'Every night', cron: '0 2 * * *', timezone: 'Europe/Berlin', type: 'full' };

describe('/api/backups/schedule', () => {
    let app: TestApp;
    let tenant: TestTenant;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    const list = async () => (await tenant.call('GET', PATH)).body.data.schedules;
    const create = async (payload: object = {}) => {
        await app.advance(60_000);
        return tenant.call('POST', PATH, { payload: { ...NIGHTLY, ...payload } });
    };
    const inFuture = (time: string) => Date.parse(time) > Date.now();

    it('has two schedules of every tenant, switched off', async () => {
        const [daily, weekly, ...others] = await list();
        expect(others).to.equal([]);
        const off = { timezone: 'UTC', retentionDays: 30, enabled: false, lastRunAt: null, nextRunAt: null };
        expect(daily).to.include({ name: 'Daily backup', cron: '0 2 * * *', type: 'full', ...off });
        expect(weekly).to.include({ cron: '0 3 * * 0', type: 'database', ...off });
    });

    it('makes these two once, however many look first, on two replicas', async () => {
        const [one, other] = await startReplicas();
        const fresh = await newTenant(one);
        const looks = Array.from({ length: 8 }, (_, n) =>
            (n % 2 === 0 ? one : other).call('GET', PATH, { token: fresh.accessToken }),
        );
        const found = (await Promise.all(looks)).map(({ body }) => JSON.stringify(body.data.schedules));
        await Promise.all([one.stop(), other.stop()]);
        expect(new Set(found).size).to.equal(1);
        expect(JSON.parse(found[0] ?? '[]')).to.have.length(2);
    });

    it('creates one that knows when it fires next', async () => {
        const { status, body } = await create();
        expect(status).to.equal(201);
        const { schedule } = body.data;
        expect(schedule).to.include({ ...NIGHTLY, retentionDays: 30, enabled: true, lastRunAt: null, revision: 1 });
        expect(inFuture(schedule.nextRunAt)).to.be.true();
        expect(await list()).to.have.length(3);
        const [event] = await backupEvents(app, tenant.tenantId);
        expect(event?.type).to.equal('schedule.created');
        const audit = await readAudit(app, tenant.tenantId);
        expect(audit.at(-1)).to.include({ action: 'schedule.create', resourceId: schedule.id, userId: tenant.userId });
    });

    it('takes ten, and of more at once none too many', async () => {
        const answers = await Promise.all(
            Array.from({ length: 10 }, (_, n) => tenant.call('POST', PATH, { payload: { ...NIGHTLY, name: `n${n}` } })),
        );
        const refused = answers.filter(({ status }) => status !== 201);
        expect(refused).to.have.length(2);
        for (const answer of refused) {
            const { details } = expectError(answer, 'QUOTA_EXCEEDED');
            expect(details).to.include({ quota: 'backupSchedules', used: 10, limit: 10 });
        }
        expect(await list()).to.have.length(10);
    });

    it('refuses what fires never, too often or nowhere', async () => {
        for (const cron of ['0 2 * *', '0 0 2 * * *', '* * * * *', '0,30 2 * * *', '0 2 30 2 *', '@daily']) {
            expectFaults(await create({ cron }), ['cron']);
        }
        for (const retentionDays of [0, 366, 1.5]) expectFaults(await create({ retentionDays }), ['retentionDays']);
        const payload = { timezone: 'Mars/Phobos', type: 'all', lastRunAt: null };
        expectFaults(await create(payload), ['timezone', 'type', 'lastRunAt']);
    });

    it('changes what is named, by either form of the id', async () => {
        const { id } = (await create()).body.data.schedule;
        const off = await tenant.call('PUT', `${PATH}/${id}`, { payload: { enabled: false } });
        expect(off.body.data.schedule).to.include({ ...NIGHTLY, enabled: false, nextRunAt: null, revision: 2 });
        const on = await tenant.call('PUT', `${PATH}?id=${id}`, { payload: { enabled: true, cron: '0  4 * * *' } });
        expect(on.body.data.schedule).to.include({ cron: '0 4 * * *', enabled: true, revision: 3 });
        expect(inFuture(on.body.data.schedule.nextRunAt)).to.be.true();
        const stale = { payload: { name: 'late' }, headers: { 'if-match': '"2"' } };
        expectError(await tenant.call('PUT', `${PATH}/${id}`, stale), 'REVISION_MISMATCH');
        expectFaults(await tenant.call('PUT', PATH, { payload: { name: 'nobody' } }), ['id']);
        const { type, data } = (await backupEvents(app, tenant.tenantId)).at(-1) ?? {};
        expect([type, data]).to.equal(['schedule.updated', { scheduleId: id, type: 'full', enabled: true }]);
    });

    it('keeps all of several changes at once', async () => {
        const { id } = (await create()).body.data.schedule;
        const changes = [{ name: 'a' }, { type: 'config' }, { retentionDays: 7 }];
        await Promise.all(changes.map((payload) => tenant.call('PUT', `${PATH}/${id}`, { payload })));
        const after = (await list()).find((schedule: { id: string }) => schedule.id === id);
        expect(after).to.include({ name: 'a', type: 'config', retentionDays: 7, revision: 4 });
    });

    it('deletes one, by either form of the id', async () => {
        const [daily, weekly] = await list();
        expect((await tenant.call('DELETE', `${PATH}?id=${daily.id}`)).body.data.schedule).to.include({
            deleted: true,
        });
        expect((await tenant.call('DELETE', `${PATH}/${weekly.id}`)).status).to.equal(200);
        expectError(await tenant.call('DELETE', `${PATH}/${weekly.id}`), 'SCHEDULE_NOT_FOUND');
        expect(await list()).to.equal([]);
        const types = (await backupEvents(app, tenant.tenantId)).map(({ type }) => type);
        expect(types).to.equal(['schedule.deleted', 'schedule.deleted']);
    });

    it('asks for the permission, and knows no other tenant’s', async () => {
        const { id } = (await create()).body.data.schedule;
        const user = await newUser(app, tenant.tenantId, 'user');
        const other = await newTenant(app);
        for (const [method, path] of [
            ['GET', PATH],
            ['POST', PATH],
            ['PUT', `${PATH}/${id}`],
            ['DELETE', `${PATH}/${id}`],
        ] as const) {
            expectError(await user.call(method, path), 'FORBIDDEN');
            expectError(await app.call(method, path), 'UNAUTHENTICATED');
        }
        const change = { payload: { name: 'mine' } };
        expectError(await other.call('PUT', `${PATH}/${id}`, change), 'SCHEDULE_NOT_FOUND');
        expectError(await other.call('DELETE', `${PATH}?id=${id}`), 'SCHEDULE_NOT_FOUND');
    });
});
