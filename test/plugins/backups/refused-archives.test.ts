import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { writeFile } from '../../../plugins/backups/archive/archive-file.ts';
import { SCHEMA_VERSION } from '../../../plugins/backups/archive/index.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { Vault } from '../../../src/security/vault.ts';
import { collect, headerOf, noise, streamOf } from '../../helpers/archive.ts';
import { backupEvents, newBackup, restore } from '../../helpers/backups.ts';
import { keysOf } from '../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { ErrorCode } from '../../../src/http/errors.ts';
import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

interface Place {
    tenantId: string;
    backupId: string;
    /** Where its archive is. */
    path: string;
}

/** What a restore says of an archive that is not the one that was written. */
interface Damage {
    error: ErrorCode;
    harm: (place: Place) => Promise<void> | void;
}

describe('a restore of an archive', () => {
    let program: AppWithWorker;
    let app: TestApp;
    let tenant: TestTenant;
    let other: TestTenant;
    let foreign: Place;
    let own: Place;

    before(async () => {
        program = await startWithWorker();
        app = program.app;
        tenant = await newTenant(app);
        other = await newTenant(app);
        foreign = await placeOf(other);
        own = await placeOf(tenant);
    });
    after(() => program.stop());

    const placeOf = async (one: TestTenant): Promise<Place> => {
        const { id: backupId } = await newBackup(app, one);
        const { tenantId } = one;
        return { tenantId, backupId, path: join(app.config.BACKUP_DIR, tenantId, `${backupId}.archive`) };
    };

    const change = (path: string, byteOf: (bytes: Buffer) => number, change: (byte: number) => number): void => {
        const bytes = readFileSync(path);
        const at = byteOf(bytes);
        bytes.writeUInt8(change(bytes.readUInt8(at)), at);
        writeFileSync(path, bytes);
    };
    /** Puts another archive there that is whole, of that schema; the backup's record says that it is the one. */
    const rewrite = async ({ tenantId, backupId, path }: Place, schemaVersion: number): Promise<void> => {
        const header = { ...headerOf(tenantId, backupId), schemaVersion };
        const { body } = writeFile(new Vault(app.config.VAULT_KEYS), header, streamOf(noise(2, 50)));
        const bytes = Buffer.concat(await collect(body));
        writeFileSync(path, bytes);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        await app.redis.hset(tenantKey(tenantId, 'backup', backupId), { sha256, bytes: bytes.length });
    };

    const DAMAGES: Record<string, Damage> = {
        'with one turned bit': {
            error: 'BACKUP_DAMAGED',
            harm: ({ path }) =>
                change(
                    path,
                    ({ length }) => length - 40,
                    (byte) => byte ^ 1,
                ),
        },
        'that is cut': {
            error: 'BACKUP_DAMAGED',
            harm: ({ path }) => truncateSync(path, readFileSync(path).length - 7),
        },
        'that is lost': { error: 'BACKUP_DAMAGED', harm: ({ path }) => rmSync(path) },
        'that is empty': { error: 'BACKUP_DAMAGED', harm: ({ path }) => truncateSync(path, 0) },
        'that is another whole one under its name': {
            error: 'BACKUP_DAMAGED',
            async harm(place) {
                await rewrite(place, SCHEMA_VERSION);
                const { tenantId, backupId } = place;
                await app.redis.hset(tenantKey(tenantId, 'backup', backupId), 'sha256', 'f'.repeat(64));
            },
        },
        'that is another backup of the tenant': {
            error: 'BACKUP_FOREIGN',
            harm: ({ path }) => copyFileSync(own.path, path),
        },
        'that is another tenant’s': {
            error: 'BACKUP_FOREIGN',
            harm: ({ path }) => copyFileSync(foreign.path, path),
        },
        'of a newer format': {
            error: 'BACKUP_TOO_NEW',
            harm: ({ path }) =>
                change(
                    path,
                    () => 8,
                    (byte) => byte + 1,
                ),
        },
        'of a newer schema': {
            error: 'BACKUP_TOO_NEW',
            harm: (place) => rewrite(place, SCHEMA_VERSION + 1),
        },
    };

    /** All that the tenant has, but what tells of backups and requests. */
    const everything = async () => {
        const told =
            /}:(backup.*|accounts:changed|events|audit.*|quota:.*|rate:.*|idempotency:.*|session:.*|user:[^:]+:audit)$/;
        const all = Object.entries(await keysOf(app.redis, tenant.tenantId));
        return new Map(all.filter(([key]) => !told.test(key)));
    };

    for (const [which, { error, harm }] of Object.entries(DAMAGES)) {
        it(`${which} is refused before anything changes`, async () => {
            const place = await placeOf(tenant);
            await harm(place);
            await newThread(tenant, `later, ${which}`);
            const before = await everything();
            expect(before.size).to.be.above(10);
            const ended = await restore(app, tenant, place.backupId);
            expect(ended).to.include({ state: 'failed', error, safetyBackupId: null });
            const told = await tenant.call('GET', `/api/backups/restores/${ended.id}`);
            expect(told.body.data.restore).to.include({ state: 'failed', error });
            const after = await everything();
            const changed = [...before, ...after].filter(([key]) => before.get(key) !== after.get(key));
            expect(changed.map(([key]) => key)).to.equal([]);
            expect((await backupEvents(app, tenant.tenantId)).at(-1)).to.include({ type: 'backup.restore_failed' });
            // And the tenant is free for the next one.
            expect((await tenant.call('GET', `/api/threads?q=later`)).status).to.equal(200);
        });
    }

    it('that is as it was written is taken after all of those', async () => {
        expect(await restore(app, tenant, own.backupId)).to.include({ state: 'completed', error: null });
    });
});
