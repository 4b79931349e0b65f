import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { backupEvents, readBackup } from '../../helpers/backups.ts';
import { startMailServer, type TestMailServer } from '../../helpers/mail.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser, type TestUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

describe('a backup that fails', () => {
    let app: TestApp;
    let mail: TestMailServer;
    let tenant: TestTenant;
    let second: TestUser;

    before(async () => {
        mail = await startMailServer();
        app = await startApp({ config: mail.config });
    });

    after(async () => {
        await app.stop();
        await mail.stop();
    });

    beforeEach(async () => {
        tenant = await newTenant(app);
        second = await newUser(app, tenant.tenantId, 'admin');
        await newUser(app, tenant.tenantId, 'user');
        mail.mails.length = 0;
    });

    const folder = () => join(app.config.BACKUP_DIR, tenant.tenantId);
    /** Nothing can be stored where a file is in the folder's place. */
    const breakStorage = () => {
        mkdirSync(dirname(folder()), { recursive: true });
        writeFileSync(folder(), 'in the way');
    };
    const operator = () => app.server.plugins.backups.operator;

    it('is told of with the reason, and the tenant can try again', async () => {
        breakStorage();
        const backup = await operator().backup(tenant.tenantId, 'full');
        expect(backup).to.include({ state: 'failed', error: 'BACKUP_STORAGE_UNAVAILABLE', bytes: null });
        const { type, data } = (await backupEvents(app, tenant.tenantId)).at(-1) ?? {};
        expect(type).to.equal('backup.failed');
        expect(data).to.include({ backupId: backup.id, error: 'BACKUP_STORAGE_UNAVAILABLE' });
        const audit = (await readAudit(app, tenant.tenantId)).at(-1);
        expect(audit).to.include({ action: 'backup.complete', result: 'BACKUP_STORAGE_UNAVAILABLE' });
        rmSync(folder());
        expect((await operator().backup(tenant.tenantId, 'full')).state).to.equal('completed');
        const { body } = await tenant.call('GET', '/api/backups/stats');
        expect(body.data.stats).to.include({ total: 1, completed: 1, failed: 1, successRate: 0.5 });
    });

    it('is mailed to the admins and to nobody else', async () => {
        breakStorage();
        const { id } = await operator().backup(tenant.tenantId, 'full');
        const mails = await mail.until(2);
        expect(mails.flatMap(({ to }) => to).toSorted()).to.equal([tenant.email, second.email].toSorted());
        for (const { text } of mails) {
            expect(text).to.contain('A backup failed');
            expect(text).to.contain(id);
        }
        rmSync(folder());
    });

    it('is deleted like any other', async () => {
        breakStorage();
        const { id } = await operator().backup(tenant.tenantId, 'full');
        rmSync(folder());
        expect((await tenant.call('DELETE', `/api/backups/${id}`)).status).to.equal(200);
        const { body } = await tenant.call('GET', '/api/backups/stats');
        expect(body.data.stats).to.include({ total: 0, totalBytes: 0, failed: 1 });
    });

    it('when it is verified keeps its record, and the admins are told', async () => {
        const { id, bytes } = await operator().backup(tenant.tenantId, 'full');
        const feature = app.server.plugins.backups;
        await feature.verify(tenant.tenantId, id);
        expect((await readBackup(tenant, id)).state).to.equal('verified');
        truncateSync(join(folder(), `${id}.archive`), Number(bytes) - 1);
        await feature.verify(tenant.tenantId, id);
        const backup = await readBackup(tenant, id);
        expect(backup.state).to.equal('completed');
        expect(backup.verification).to.include({ result: 'failed', error: 'BACKUP_DAMAGED' });
        const { type, data } = (await backupEvents(app, tenant.tenantId)).at(-1) ?? {};
        expect([type, data]).to.equal(['backup.failed', { backupId: id, error: 'BACKUP_DAMAGED', verification: true }]);
        expect(await mail.until(2)).to.have.length(2);
    });

    it('is not said of an archive that could not be looked at', async () => {
        const { id } = await operator().backup(tenant.tenantId, 'full');
        const feature = app.server.plugins.backups;
        rmSync(folder(), { recursive: true });
        breakStorage();
        await expect(feature.verify(tenant.tenantId, id)).to.reject();
        expect(await readBackup(tenant, id)).to.include({ state: 'completed', verification: null });
        rmSync(folder());
        await tenant.call('DELETE', `/api/backups/${id}`);
        await feature.verify(tenant.tenantId, id);
        expect(mail.mails).to.equal([]);
    });

    it('mails the end of a restore, whichever it is', async () => {
        const { id, bytes } = await operator().backup(tenant.tenantId, 'full');
        const order = { backupId: id, withPlan: false };
        expect((await operator().restore(tenant.tenantId, order)).state).to.equal('completed');
        for (const { text } of await mail.until(2)) expect(text).to.contain('A backup was restored');
        truncateSync(join(folder(), `${id}.archive`), Number(bytes) - 1);
        mail.mails.length = 0;
        expect((await operator().restore(tenant.tenantId, order)).state).to.equal('failed');
        for (const { text } of await mail.until(2)) expect(text).to.contain('BACKUP_DAMAGED');
    });

    it('is not held up by a mail server that refuses', async () => {
        breakStorage();
        const refusing = await startMailServer();
        refusing.refuse();
        const own = await startApp({ config: { ...refusing.config, BACKUP_DIR: app.config.BACKUP_DIR } });
        const { state } = await own.server.plugins.backups.operator.backup(tenant.tenantId, 'full');
        expect(state).to.equal('failed');
        expect(own.logs.some(({ msg }) => String(msg).startsWith('Admins could not be told'))).to.be.true();
        await own.stop();
        await refusing.stop();
        rmSync(folder());
    });
});

describe('the purge of a tenant', () => {
    it('removes its archives, and no other’s', async () => {
        const app = await startApp();
        const { operator } = app.server.plugins.backups;
        const [gone, kept] = [await newTenant(app), await newTenant(app)];
        for (const { tenantId } of [gone, kept]) await operator.backup(tenantId, 'full');
        await app.call('DELETE', `/api/admin/tenants/${gone.tenantId}`, { token: await platformToken(app) });
        await app.advance(31 * 86_400_000);
        await app.server.plugins.tenants.purge(gone.tenantId);
        const archives = (tenantId: string) => readdirSync(join(app.config.BACKUP_DIR, tenantId));
        expect(archives(gone.tenantId)).to.equal([]);
        expect(archives(kept.tenantId)).to.have.length(1);
        await app.stop();
    });
});
