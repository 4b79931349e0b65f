import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { BackupWork } from '../../../plugins/backups/backup-work.ts';
import { LeaseLost } from '../../../plugins/backups/lease.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { backupParts } from '../../helpers/restore-steps.ts';
import { tenantData } from '../../helpers/tenant-data.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('BackupWork', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });
    after(() => app.stop());

    it('leaves no archive of a tenant that is purged while it is written', async () => {
        const { tenantId } = await newTenant(app);
        const parts = backupParts(app);
        const data = tenantData(app);
        let backupId = '';
        async function* read(...asked: Parameters<typeof data.read>) {
            yield* data.read(...asked);
            await app.redis.unlink(parts.store.records.key(tenantId, backupId));
        }
        const work = new BackupWork({ ...parts, data: { read } });
        ({ id: backupId } = await work.begin(
            tenantId,
            { type: 'full', trigger: 'manual', createdBy: 'operator' },
            null,
        ));
        await expect(work.write(tenantId, backupId)).to.reject(LeaseLost);
        expect(existsSync(join(app.config.BACKUP_DIR, tenantId, `${backupId}.archive`))).to.be.false();
    });
});
