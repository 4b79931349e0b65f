import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';

import { temporaryFolder } from './folder.ts';
import { openArchives } from '../../plugins/backups/archive/index.ts';
import { openStorage } from '../../plugins/backups/storage/index.ts';
import { isApiError, type ErrorCode } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { Keyring, type Key } from '../../src/security/keyring.ts';
import { Vault } from '../../src/security/vault.ts';

import type { ArchiveHeader, Archives } from '../../plugins/backups/api.ts';
import type { BackupStorage } from '../../plugins/backups/storage/index.ts';
import type { Aggregate } from '../../src/redis/aggregate.ts';

export const newKey = (id: string): Key => ({ id, secret: randomBytes(32) });
export const newVault = (): Vault => new Vault(new Keyring([newKey('k1')]));

export const BACKUP_ID = 'backup_2025-12-22_14-30-00';
export const OTHER_BACKUP_ID = 'backup_2025-12-22_14-30-00-2';

export const headerOf = (tenantId: string, backupId = BACKUP_ID): ArchiveHeader => ({
    schemaVersion: 1,
    backupId,
    tenantId,
    type: 'full',
    components: ['database', 'config', 'deployment'],
    createdAt: '2025-12-22T14:30:00.000Z',
    appVersion: '1.2.3',
});

/** Archives in a directory of their own, for a tenant of their own. */
export interface TestArchives {
    archives: Archives;
    storage: BackupStorage;
    vault: Vault;
    folder: string;
    tenantId: string;
    /** Where the archive of a backup is. */
    path: (backupId?: string, tenantId?: string) => string;
    bytes: (backupId?: string) => Buffer;
    /** Puts other bytes in its place. */
    put: (bytes: Buffer, backupId?: string) => void;
}

export function testArchives(vault = newVault()): TestArchives {
    const folder = join(temporaryFolder(), 'backups');
    const storage = openStorage({ BACKUP_DIR: folder, BACKUP_S3_PREFIX: '' });
    const tenantId = newId('tenant');
    const path = (backupId = BACKUP_ID, tenant = tenantId) => join(folder, tenant, `${backupId}.archive`);
    return {
        archives: openArchives({ storage, vault }),
        storage,
        vault,
        folder,
        tenantId,
        path,
        bytes: (backupId) => readFileSync(path(backupId)),
        put: (bytes, backupId) => writeFileSync(path(backupId), bytes),
    };
}

/** A storage of one file, with other bytes each time it is read. */
export function storageOf(...passes: (() => AsyncIterable<Buffer>)[]): BackupStorage {
    const { storage } = testArchives();
    storage.read = () => passes.shift()?.() ?? streamOf([]);
    return storage;
}

/** With a value of every type, bytes that are no text, characters of four bytes, and names in no order. */
export const SAMPLE: Aggregate[] = [
    {
        kind: 'thread',
        id: 'thread_1',
        values: {
            'thread:thread_1': {
                type: 'hash',
                fields: [
                    ['title', 'Grüße 🦜 \u{10FFFF} "quoted" \\ \n\u2028\u0000'],
                    ['raw', { base64: '/wD+gA==' }],
                ],
            },
            'thread:thread_1:model:m:messages': {
                type: 'stream',
                entries: [
                    ['1-0', ['text', 'one', 'image', { base64: 'gA==' }]],
                    ['2-0', ['text', '']],
                ],
                lastId: '2-0',
            },
        },
    },
    {
        kind: 'user',
        id: 'user_1',
        values: {
            z: { type: 'string', value: { base64: '//79' } },
            a: { type: 'set', members: ['x', 'ÿ', '𝄞'] },
            10: {
                type: 'zset',
                members: [
                    ['m', '1.7976931348623157e+308'],
                    [{ base64: 'wA==' }, '-inf'],
                ],
            },
            9: { type: 'list', items: ['', 'б'] },
        },
    },
    { kind: 'user', id: 'user_2', values: {} },
];

export async function* streamOf<T>(items: Iterable<T>): AsyncGenerator<T> {
    yield* items;
}

/** As many aggregates, each with that many bytes that no compression makes less. */
export function* noise(count: number, bytes: number, kind = 'thread'): Generator<Aggregate> {
    const text = randomBytes(Math.ceil(bytes * 0.75)).toString('base64');
    for (let index = 0; index < count; index++) {
        const shift = (index * 7_919) % text.length;
        const value = text.slice(shift) + text.slice(0, shift);
        yield { kind, id: `${kind}_${index}`, values: { [`${kind}:${index}`]: { type: 'string', value } } };
    }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
    const all: T[] = [];
    for await (const item of items) all.push(item);
    return all;
}

/** Says that it fails with that code of the catalogue, and gives `details.reason`. */
export async function refusal(act: Promise<unknown>, code: ErrorCode): Promise<unknown> {
    const error = await act.then(
        () => null,
        (failure: unknown) => failure,
    );
    if (!isApiError(error)) throw error ?? new Error(`It succeeded, and ${code} was expected`);
    expect(error.data?.code).to.equal(code);
    return error.data?.details?.['reason'];
}
