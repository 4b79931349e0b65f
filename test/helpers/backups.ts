import { setTimeout as sleep } from 'node:timers/promises';

import { tenantKey } from '../../src/redis/keys.ts';

import type { Answer, TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';
import type { Backup, BackupType, Restore } from '../../plugins/backups/api.ts';
import type { Component } from '../../src/redis/aggregate.ts';

/** Longer than the limits of the routes are spent. */
const MINUTE_MS = 60_000;
export const NOBODYS_BACKUP = 'backup_2020-01-01_00-00-00';

export async function readBackup({ call }: TestTenant, id: string): Promise<Backup> {
    const { body } = await call('GET', `/api/backups/${id}/details`);
    return body.data.backup as Backup;
}

/** Begins a backup, without waiting for its end. */
export async function begunBackup(app: TestApp, { call }: TestTenant, type: BackupType = 'full'): Promise<Backup> {
    await app.advance(MINUTE_MS);
    const { status, body, text } = await call('POST', '/api/backups/create', { payload: { type } });
    if (status !== 202) throw new Error(`No backup: ${text}`);
    return body.data.backup as Backup;
}

/** Makes a backup; there has to be a worker. */
export async function newBackup(app: TestApp, tenant: TestTenant, type: BackupType = 'full'): Promise<Backup> {
    const { id } = await begunBackup(app, tenant, type);
    await untilField(app, tenant.tenantId, ['backup', id], 'state', (state) => state !== 'in_progress');
    return readBackup(tenant, id);
}

export async function askRestore(
    app: TestApp,
    { call }: TestTenant,
    backupId: string,
    components: Component[],
): Promise<Answer> {
    await app.advance(MINUTE_MS);
    return call('POST', `/api/backups/${backupId}/restore`, { payload: { components } });
}

/** Restores a backup and waits for its end; there has to be a worker. */
export async function restore(
    app: TestApp,
    tenant: TestTenant,
    backupId: string,
    components: Component[] = ['database', 'config', 'deployment'],
): Promise<Restore> {
    const { body, text } = await askRestore(app, tenant, backupId, components);
    const id = body.data?.restore.id;
    if (id === undefined) throw new Error(`No restore: ${text}`);
    return restoreEnd(app, tenant.tenantId, String(id));
}

/** The restore as it is at its end, read behind the API's back: its user may be gone. */
export async function restoreEnd(app: TestApp, tenantId: string, id: string): Promise<Restore> {
    await untilField(app, tenantId, ['backup-restore', id], 'completedAt', (time) => time !== null);
    const found = await app.redis.hgetall(tenantKey(tenantId, 'backup-restore', id));
    const { state, error = null, safetyBackupId = null, backupId, errorDetails } = found;
    const details: unknown = errorDetails === undefined ? null : JSON.parse(errorDetails);
    return { id, state, error, safetyBackupId, backupId, errorDetails: details } as Restore;
}

async function untilField(
    app: TestApp,
    tenantId: string,
    key: string[],
    field: string,
    isEnough: (value: string | null) => boolean,
): Promise<void> {
    while (!isEnough(await app.redis.hget(tenantKey(tenantId, ...key), field))) await sleep(20);
}

/** The tenant's events about backups and schedules, oldest first: their types and data. */
export async function backupEvents(app: TestApp, tenantId: string) {
    const entries = await app.redis.xrange(tenantKey(tenantId, 'events'), '-', '+');
    return entries
        .map(([, [, type = '', , data = '{}']]) => ({ type, data: JSON.parse(data) as Record<string, unknown> }))
        .filter(({ type }) => /^(backup|schedule)\./.test(type));
}
