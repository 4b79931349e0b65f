import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { backupEvents } from '../../helpers/backups.ts';
import { Death, restoringProcess } from '../../helpers/restore-steps.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';

import type { Backup, Restore } from '../../../plugins/backups/api.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const OLD = ['later', 'renamed'];
const NEW = ['first', 'second'];

describe('RestoreWork', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    const titles = async (tenant: TestTenant): Promise<string[]> => {
        const { body, text } = await tenant.call('GET', '/api/threads');
        if (!body.data) throw new Error(text);
        return body.data.threads.map(({ title }: { title: string }) => title).toSorted();
    };

    /** A tenant whose threads have changed since its backup, and a restore of that which waits. */
    const begun = async (): Promise<{ tenant: TestTenant; restoreId: string }> => {
        const tenant = await newTenant(app);
        const first = await newThread(tenant, 'first');
        await newThread(tenant, 'second');
        const { id } = await app.server.plugins.backups.operator.backup(tenant.tenantId, 'database');
        await tenant.call('PATCH', `/api/threads/${first}/title`, { payload: { title: 'renamed' } });
        const { body } = await tenant.call('GET', '/api/threads?q=second');
        await tenant.call('DELETE', `/api/threads/${body.data.threads[0].id}`);
        await newThread(tenant, 'later');
        const payload = { components: ['database'] };
        const asked = await tenant.call('POST', `/api/backups/${id}/restore`, { payload });
        return { tenant, restoreId: asked.body.data.restore.id };
    };
    const read = async (tenant: TestTenant, restoreId: string): Promise<Restore> =>
        (await tenant.call('GET', `/api/backups/restores/${restoreId}`)).body.data.restore;
    const safetyBackups = async (tenant: TestTenant): Promise<Backup[]> =>
        (await tenant.call('GET', '/api/backups/list')).body.data.backups.filter(
            ({ trigger }: Backup) => trigger === 'safety',
        );

    it('has a restore that is killed before or after any step end in the new state, by another process', async () => {
        const living = new Death();
        const whole = await begun();
        await restoringProcess(app, living).run(whole.tenant.tenantId, whole.restoreId);
        expect(await titles(whole.tenant)).to.equal(NEW);
        expect(living.reached).to.include(['after verify', 'before stage', 'after swap', 'before finish']);

        for (const at of living.reached.keys()) {
            const { tenant, restoreId } = await begun();
            const death = new Death(at);
            await Promise.race([restoringProcess(app, death).run(tenant.tenantId, restoreId), death.died]);
            const point = String(death.reached.at(-1));
            const isSwapped = death.reached.includes('after swap');
            expect(await titles(tenant), `killed ${point}`).to.equal(isSwapped ? NEW : OLD);
            await app.advance(60_000);
            await restoringProcess(app, new Death()).run(tenant.tenantId, restoreId);
            expect(await titles(tenant), `after ${point}`).to.equal(NEW);
            const { state, safetyBackupId } = await read(tenant, restoreId);
            expect(state, point).to.equal('completed');
            const safety = await safetyBackups(tenant);
            expect(safety.map(({ id, state: end }) => [id, end])).to.equal([[String(safetyBackupId), 'completed']]);
            const types = (await backupEvents(app, tenant.tenantId)).map(({ type }) => type);
            expect(
                types.filter((type) => type === 'backup.restored'),
                point,
            ).to.have.length(1);
        }
    });

    it('leaves a restore alone that another process works on', async () => {
        const { tenant, restoreId } = await begun();
        const death = new Death(0);
        void restoringProcess(app, death).run(tenant.tenantId, restoreId);
        await death.died;
        const second = restoringProcess(app, new Death()).run(tenant.tenantId, restoreId);
        await expect(second).to.reject('Another process works on it');
        expect((await read(tenant, restoreId)).state).to.equal('verifying');
    });

    it('does nothing for one that has ended', async () => {
        const { tenant, restoreId } = await begun();
        await restoringProcess(app, new Death()).run(tenant.tenantId, restoreId);
        await newThread(tenant, 'after it');
        await restoringProcess(app, new Death()).run(tenant.tenantId, restoreId);
        expect(await titles(tenant)).to.equal([...NEW, 'after it'].toSorted());
    });

    it('gives a restore up that fails before the swap, and everything is as it was', async () => {
        const { tenant, restoreId } = await begun();
        const work = restoringProcess(app, new Death(), (data) => ({
            ...data,
            stage: () => Promise.reject(new Error('a fault while staging')),
        }));
        await work.run(tenant.tenantId, restoreId);
        expect(await read(tenant, restoreId)).to.include({ state: 'failed', error: 'INTERNAL_ERROR' });
        expect(await titles(tenant)).to.equal(OLD);
        const { type, data } = (await backupEvents(app, tenant.tenantId)).at(-1) ?? {};
        expect(type).to.equal('backup.restore_failed');
        expect(data).to.include({ restoreId, error: 'INTERNAL_ERROR' });
        expect((await safetyBackups(tenant)).map(({ state }) => state)).to.equal(['completed']);
    });

    it('fails when what is there cannot be backed up, before anything is staged', async () => {
        const { tenant, restoreId } = await begun();
        const work = restoringProcess(app, new Death(), (data) => ({
            ...data,
            // oxlint-disable-next-line require-yield -- it fails before the first
            async *read() {
                throw new Error('a fault while reading');
            },
        }));
        await work.run(tenant.tenantId, restoreId);
        const ended = await read(tenant, restoreId);
        expect(ended).to.include({ state: 'failed', error: 'SAFETY_BACKUP_FAILED' });
        expect(ended.errorDetails).to.equal({ error: 'INTERNAL_ERROR' });
        expect(await titles(tenant)).to.equal(OLD);
    });

    it('does not give a swap up that was broken off', async () => {
        const { tenant, restoreId } = await begun();
        const work = restoringProcess(app, new Death(), (data) => ({
            ...data,
            swap: () => Promise.reject(new Error('a fault while swapping')),
        }));
        await expect(work.run(tenant.tenantId, restoreId)).to.reject('a fault while swapping');
        expect((await read(tenant, restoreId)).state).to.equal('swapping');
        await app.advance(60_000);
        await restoringProcess(app, new Death()).run(tenant.tenantId, restoreId);
        expect(await titles(tenant)).to.equal(NEW);
    });
});
