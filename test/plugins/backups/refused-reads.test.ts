import { copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { ErrorCode } from '../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

/** More than the limits of the routes let pass in a minute. */
const MINUTE_MS = 60_000;

describe('a download or a comparison of a backup', () => {
    let app: TestApp;
    let tenant: TestTenant;
    let id: string;
    let path: string;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    const newBackup = async (of: TestTenant) =>
        (await app.server.plugins.backups.operator.backup(of.tenantId, 'config')).id;
    const fileOf = (of: TestTenant, backup: string) => join(app.config.BACKUP_DIR, of.tenantId, `${backup}.archive`);

    beforeEach(async () => {
        await app.advance(MINUTE_MS);
        tenant = await newTenant(app);
        id = await newBackup(tenant);
        path = fileOf(tenant, id);
    });

    const turn = (at: number, change: (byte: number) => number) => {
        const bytes = readFileSync(path);
        const place = at < 0 ? bytes.length + at : at;
        bytes.writeUInt8(change(bytes.readUInt8(place)), place);
        writeFileSync(path, bytes);
    };
    const harms: [what: string, code: ErrorCode, harm: () => Promise<void> | void][] = [
        ['is not as it was written', 'BACKUP_DAMAGED', () => turn(-40, (byte) => byte ^ 1)],
        ['is of a newer format', 'BACKUP_TOO_NEW', () => turn(8, (byte) => byte + 1)],
        [
            'is another tenant’s',
            'BACKUP_FOREIGN',
            async () => {
                const other = await newTenant(app);
                copyFileSync(fileOf(other, await newBackup(other)), path);
            },
        ],
        [
            'cannot be read',
            'BACKUP_STORAGE_UNAVAILABLE',
            () => {
                rmSync(path);
                // It leads to itself, without an end.
                symlinkSync(path, path);
            },
        ],
    ];
    const compare = () => tenant.call('GET', `/api/backups/${id}/compare/${id}?contents=true`);
    const download = () => tenant.call('GET', `/api/backups/${id}/download`);

    for (const [what, code, harm] of harms) {
        it(`tells ${code} of an archive that ${what}`, async () => {
            expect((await compare()).status).to.equal(200);
            await harm();
            expectError(await compare(), code);
            // What is in it is for whoever opens it.
            if (code === 'BACKUP_STORAGE_UNAVAILABLE') expectError(await download(), code);
        });
    }

    it('tells BACKUP_DAMAGED of an archive that is lost', async () => {
        rmSync(path);
        expectError(await download(), 'BACKUP_DAMAGED');
    });

    it('tells INVALID_STATE of one that is being made, beside which there is no other and no restore', async () => {
        const create = () => tenant.call('POST', '/api/backups/create', { payload: { type: 'config' } });
        const { body } = await create();
        const { id: running } = body.data.backup;
        expectError(await tenant.call('GET', `/api/backups/${id}/compare/${running}`), 'INVALID_STATE');
        expectError(await tenant.call('GET', `/api/backups/${running}/download`), 'INVALID_STATE');
        const payload = { components: ['config'] };
        expectError(await tenant.call('POST', `/api/backups/${id}/restore`, { payload }), 'BACKUP_IN_PROGRESS');
    });

    it('tells RESTORE_IN_PROGRESS to who would make or remove one meanwhile', async () => {
        const payload = { components: ['config'] };
        expect((await tenant.call('POST', `/api/backups/${id}/restore`, { payload })).status).to.equal(202);
        const create = await tenant.call('POST', '/api/backups/create', { payload: { type: 'config' } });
        expectError(create, 'RESTORE_IN_PROGRESS');
        expectError(await tenant.call('DELETE', `/api/backups/${id}`), 'RESTORE_IN_PROGRESS');
    });
});
