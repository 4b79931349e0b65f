import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { readAudit } from '../../helpers/audit.ts';
import { askRestore, backupEvents, newBackup, NOBODYS_BACKUP, readBackup, restore } from '../../helpers/backups.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread, parseEvents } from '../../helpers/thread.ts';
import { newUser, setUserField } from '../../helpers/user.ts';
import { newProject } from '../../helpers/vm.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

describe('POST /api/backups/{backupId}/restore', () => {
    let program: AppWithWorker;
    let app: TestApp;
    let tenant: TestTenant;

    before(async () => {
        program = await startWithWorker();
        app = program.app;
    });

    after(() => program.stop());

    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    const titles = async (): Promise<string[]> => {
        const { body } = await tenant.call('GET', '/api/threads');
        return body.data.threads.map(({ title }: { title: string }) => title).toSorted();
    };
    const eventTypes = async () => (await backupEvents(app, tenant.tenantId)).map(({ type }) => type);

    it('puts what the backup has in the place of what is there', async () => {
        const kept = await newThread(tenant, 'kept');
        await newThread(tenant, 'deleted');
        const backup = await newBackup(app, tenant);
        const { body } = await tenant.call('GET', '/api/threads?q=deleted');
        await tenant.call('DELETE', `/api/threads/${body.data.threads[0].id}`);
        await tenant.call('PATCH', `/api/threads/${kept}/title`, { payload: { title: 'changed' } });
        await newThread(tenant, 'later');
        const ended = await restore(app, tenant, backup.id);
        expect(ended).to.include({ state: 'completed', error: null, backupId: backup.id });
        expect(await titles()).to.equal(['deleted', 'kept']);
        const found = await tenant.call('GET', '/api/threads?q=deleted');
        expect(found.body.data.threads).to.have.length(1);
        const after = await newBackup(app, tenant);
        expect(after.contentSha256).to.equal(backup.contentSha256);
    });

    it('keeps what was there as a backup that can be restored', async () => {
        const backup = await newBackup(app, tenant, 'database');
        await newThread(tenant, 'later');
        const { safetyBackupId } = await restore(app, tenant, backup.id, ['database']);
        expect(await titles()).to.equal([]);
        const safety = await readBackup(tenant, String(safetyBackupId));
        expect(safety).to.include({ state: 'completed', trigger: 'safety', type: 'database' });
        expect(Date.parse(safety.expiresAt) - Date.parse(safety.createdAt)).to.be.at.least(7 * 86_400_000 - 5_000);
        await restore(app, tenant, safety.id, ['database']);
        expect(await titles()).to.equal(['later']);
    });

    it('leaves other components and other tenants as they are', async () => {
        const other = await newTenant(app);
        await newThread(other, 'another tenant’s');
        const backup = await newBackup(app, tenant);
        await newThread(tenant, 'later');
        const { body } = await tenant.call('GET', '/api/backups/schedule');
        const [daily] = body.data.schedules;
        await tenant.call('PUT', `/api/backups/schedule/${daily.id}`, { payload: { enabled: true } });
        await restore(app, tenant, backup.id, ['deployment']);
        expect(await titles()).to.equal(['later']);
        const { body: restored } = await tenant.call('GET', '/api/backups/schedule');
        expect(restored.data.schedules.map(({ enabled }: { enabled: boolean }) => enabled)).to.equal([false, false]);
        expect((await other.call('GET', '/api/threads')).body.data.threads).to.have.length(1);
    });

    it('switches schedules on again at their next time, not at the one that has passed', async () => {
        const { body } = await tenant.call('GET', '/api/backups/schedule');
        const { id } = body.data.schedules[0];
        const path = `/api/backups/schedule/${id}`;
        await tenant.call('PUT', path, { payload: { enabled: true } });
        const backup = await newBackup(app, tenant);
        await tenant.call('DELETE', path);
        await app.advance(3 * 86_400_000);
        await restore(app, tenant, backup.id, ['deployment']);
        const again = await tenant.call('GET', '/api/backups/schedule');
        const schedule = again.body.data.schedules.find((found: { id: string }) => found.id === id);
        expect(schedule.enabled).to.be.true();
        expect(Date.parse(schedule.nextRunAt)).to.be.above(Date.now() + 3 * 86_400_000);
        const due = await app.redis.zscore(`tenant:{${tenant.tenantId}}:backup-schedules:due`, id);
        expect(Number(due)).to.equal(Date.parse(schedule.nextRunAt));
    });

    it('tells of each end in events and audit', async () => {
        const backup = await newBackup(app, tenant, 'database');
        const { id } = await restore(app, tenant, backup.id, ['database']);
        const told = (await eventTypes()).slice(2);
        expect(told).to.equal(['backup.restore_started', 'backup.started', 'backup.completed', 'backup.restored']);
        const audit = (await readAudit(app, tenant.tenantId)).filter(({ resourceId }) => resourceId === id);
        expect(audit.map(({ action, result }) => [action, result])).to.equal([
            ['backup.restore_start', 'success'],
            ['backup.restore', 'success'],
        ]);
    });

    it('refuses to take away whose projects would go on without them, and tells who', async () => {
        const backup = await newBackup(app, tenant);
        const { userId, call } = await newUser(app, tenant.tenantId, 'user');
        await newProject({ ...tenant, call }, 'going-on');
        const ended = await restore(app, tenant, backup.id);
        expect(ended).to.include({ state: 'failed', error: 'RESTORE_WOULD_ORPHAN' });
        expect(ended.errorDetails).to.equal({ userIds: [userId] });
        expect((await call('GET', '/api/threads')).status).to.equal(200);
        const { body } = await tenant.call('GET', `/api/backups/restores/${ended.id}`);
        expect(body.data.restore).to.include({ error: 'RESTORE_WOULD_ORPHAN', errorDetails: { userIds: [userId] } });
    });

    it('refuses to leave nobody who could administer the tenant', async () => {
        const { tenantId, userId } = tenant;
        await setUserField(app, tenantId, userId, 'role', 'user');
        const { id } = await app.server.plugins.backups.operator.backup(tenantId, 'database');
        await setUserField(app, tenantId, userId, 'role', 'admin');
        const ended = await restore(app, tenant, id, ['database']);
        const { body } = await tenant.call('GET', `/api/backups/restores/${ended.id}`);
        expect(body.data.restore).to.include({ state: 'failed', error: 'RESTORE_WITHOUT_ADMIN' });
    });

    it('lets one of two at once win, and no backup beside it', async () => {
        const backup = await newBackup(app, tenant);
        await app.advance(60_000);
        const url = `/api/backups/${backup.id}/restore`;
        const payload = { components: ['database'] };
        const answers = await Promise.all([1, 2].map(() => tenant.call('POST', url, { payload })));
        const [won, lost] = answers.toSorted((one, other) => one.status - other.status);
        expect(won?.status).to.equal(202);
        expect(['RESTORE_IN_PROGRESS', 'TENANT_RESTORING']).to.include(lost?.body.error.code);
        await program.jobs.settled();
    });

    it('needs a backup that is complete and has the components', async () => {
        const backup = await newBackup(app, tenant, 'config');
        const lacking = await askRestore(app, tenant, backup.id, ['database', 'config']);
        expect(expectError(lacking, 'BACKUP_COMPONENT_MISSING').details).to.equal({ missing: ['database'] });
        expectError(await askRestore(app, tenant, NOBODYS_BACKUP, ['config']), 'BACKUP_NOT_FOUND');
        await app.redis.hset(`tenant:{${tenant.tenantId}}:backup:${backup.id}`, 'state', 'failed');
        expectError(await askRestore(app, tenant, backup.id, ['config']), 'INVALID_STATE');
        const url = `/api/backups/${backup.id}/restore`;
        for (const payload of [{}, { components: [] }, { components: ['credits'] }]) {
            const { status } = await tenant.call('POST', url, { payload });
            expect([400, 429]).to.include(status);
        }
        await app.advance(60_000);
        const payload = { components: ['config'], withPlan: true };
        expectFaults(await tenant.call('POST', url, { payload }), ['withPlan']);
    });

    it('asks for the permission, in one’s own tenant', async () => {
        const backup = await newBackup(app, tenant, 'config');
        const url = `/api/backups/${backup.id}/restore`;
        const payload = { components: ['config'] };
        const user = await newUser(app, tenant.tenantId, 'user');
        expectError(await user.call('POST', url, { payload }), 'FORBIDDEN');
        expectError(await app.call('POST', url, { payload }), 'UNAUTHENTICATED');
        expectError(await (await newTenant(app)).call('POST', url, { payload }), 'BACKUP_NOT_FOUND');
    });

    describe('GET /api/backups/restores/{restoreId}', () => {
        it('is followed while the tenant is locked, which nothing else of it is', async () => {
            const backup = await newBackup(app, tenant, 'database');
            const { body } = await askRestore(app, tenant, backup.id, ['database']);
            const { id } = body.data.restore;
            await program.jobs.settled();
            const info = `tenant:{${tenant.tenantId}}:info`;
            await app.redis.hset(info, 'restoring', id);
            const url = `/api/backups/restores/${id}`;
            expect((await tenant.call('GET', url)).body.data.restore).to.include({ id, state: 'completed' });
            const stream = await tenant.call('GET', `${url}/stream`);
            expect(String(stream.headers['content-type'])).to.startWith('text/event-stream');
            const [event, ...others] = parseEvents(stream.text);
            expect(others).to.equal([]);
            expect(event?.event).to.equal('complete');
            expect(event?.data.restore).to.include({ id, state: 'completed' });
            expectError(await tenant.call('GET', '/api/backups/list'), 'TENANT_RESTORING');
            await app.redis.hdel(info, 'restoring');
        });

        it('gives each step to who follows from the beginning', async () => {
            await newThread(tenant);
            const backup = await newBackup(app, tenant);
            const { body } = await askRestore(app, tenant, backup.id, ['database']);
            const { text } = await tenant.call('GET', `/api/backups/restores/${body.data.restore.id}/stream`);
            const events = parseEvents(text);
            expect(events.at(-1)?.event).to.equal('complete');
            const revisions = events.map(({ id }) => Number(id));
            expect(revisions).to.equal(revisions.toSorted((one, other) => one - other));
        });

        it('is another tenant’s secret', async () => {
            const backup = await newBackup(app, tenant, 'config');
            const { id } = await restore(app, tenant, backup.id, ['config']);
            const other = await newTenant(app);
            for (const path of ['', '/stream']) {
                expectError(await other.call('GET', `/api/backups/restores/${id}${path}`), 'RESTORE_NOT_FOUND');
            }
        });
    });
});
