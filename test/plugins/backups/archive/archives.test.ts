import { createHash } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openArchives } from '../../../../plugins/backups/archive/index.ts';
import { newId } from '../../../../src/ids.ts';
import { Keyring } from '../../../../src/security/keyring.ts';
import { Vault } from '../../../../src/security/vault.ts';
import {
    BACKUP_ID,
    collect,
    headerOf,
    newKey,
    newVault,
    noise,
    OTHER_BACKUP_ID,
    refusal,
    SAMPLE,
    storageOf,
    streamOf,
    testArchives,
} from '../../../helpers/archive.ts';

import type { Aggregate } from '../../../../src/redis/aggregate.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('Archives.write', () => {
    it('tells counts, size and SHA-256 of what it wrote, as verify does', async () => {
        const { archives, tenantId, bytes } = testArchives();
        const header = headerOf(tenantId);
        const written = await archives.write(header, streamOf(SAMPLE));
        expect(written).to.include({ header, counts: { thread: 1, user: 2 }, bytes: bytes().length });
        expect(written.sha256).to.equal(sha256(bytes()));
        expect(await archives.verify(tenantId, BACKUP_ID)).to.equal(written);
    });

    it('gives equal data an equal contentSha256 and never an equal file', async () => {
        const { archives, tenantId } = testArchives();
        const [first, ...others] = structuredClone(SAMPLE);
        const turned = Object.fromEntries(Object.entries(first?.values ?? {}).toReversed());
        const inOtherOrder = { values: turned, id: first?.id, kind: first?.kind } as Aggregate;
        const one = await archives.write(headerOf(tenantId), streamOf(SAMPLE));
        const two = await archives.write(headerOf(tenantId, OTHER_BACKUP_ID), streamOf([inOtherOrder, ...others]));
        const less = await archives.write(headerOf(tenantId, OTHER_BACKUP_ID), streamOf(others));
        expect(two.contentSha256).to.equal(one.contentSha256);
        expect(two.sha256).to.not.equal(one.sha256);
        expect(less.contentSha256).to.not.equal(one.contentSha256);
    });

    it('shows nothing of what it holds', async () => {
        const { archives, tenantId, bytes } = testArchives();
        await archives.write(headerOf(tenantId), streamOf(SAMPLE));
        for (const word of ['thread_1', 'title', 'quoted', 'deployment']) expect(bytes().includes(word)).to.be.false();
    });

    it('throws what the aggregates throw, and leaves the archive that was there', async () => {
        const { archives, tenantId } = testArchives();
        const failure = new Error('Redis went away');
        async function* failing(): AsyncGenerator<Aggregate> {
            yield* noise(30, 100_000);
            throw failure;
        }
        await expect(archives.write(headerOf(tenantId), failing())).to.reject('Redis went away');
        expect(await refusal(archives.verify(tenantId, BACKUP_ID), 'BACKUP_DAMAGED')).to.equal('missing');
        const whole = await archives.write(headerOf(tenantId), streamOf(SAMPLE));
        expect(await archives.write(headerOf(tenantId), failing()).catch((error: unknown) => error)).to.shallow.equal(
            failure,
        );
        expect(await archives.verify(tenantId, BACKUP_ID)).to.equal(whole);
    });

    it('throws what the storage throws, and ends the aggregates', async () => {
        const { storage, vault, tenantId } = testArchives();
        let hasEnded: (value: boolean) => void = () => undefined;
        const ended = new Promise<boolean>((resolve) => (hasEnded = resolve));
        async function* watched(): AsyncGenerator<Aggregate> {
            try {
                yield* noise(1_000_000, 100_000);
            } finally {
                hasEnded(true);
            }
        }
        storage.write = async (_name, source) => {
            for await (const piece of source) if (piece.length > 60_000) throw new Error('The disk went away');
        };
        const writing = openArchives({ storage, vault }).write(headerOf(tenantId), watched());
        await expect(writing).to.reject('The disk went away');
        expect(await ended).to.be.true();
    });

    it('refuses ids that are none, and a schema that is not its own', async () => {
        const { archives, tenantId } = testArchives();
        const odd = ['', '..', '../x', '/etc/passwd', 'a\0b', `${BACKUP_ID}/../x`, `${BACKUP_ID}\n`, `${BACKUP_ID}.`];
        for (const id of odd) {
            await expect(archives.write(headerOf(tenantId, id), streamOf(SAMPLE))).to.reject(/id of a backup/);
            await expect(archives.write(headerOf(id), streamOf(SAMPLE))).to.reject(/id of a tenant/);
            await expect(archives.verify(tenantId, id)).to.reject(/id of a backup/);
            await expect(archives.delete(id, BACKUP_ID)).to.reject(/id of a tenant/);
        }
        const newer = { ...headerOf(tenantId), schemaVersion: 2 };
        await expect(archives.write(newer, streamOf(SAMPLE))).to.reject(/schema 1/);
    });
});

describe('Archives.read', () => {
    it('gives back what was written, of every type, with bytes and characters of any length', async () => {
        const { archives, tenantId } = testArchives();
        await archives.write(headerOf(tenantId), streamOf(SAMPLE));
        expect(await collect(archives.read(tenantId, BACKUP_ID))).to.equal(SAMPLE);
    });

    it('gives nothing of an empty archive', async () => {
        const { archives, tenantId } = testArchives();
        const written = await archives.write(headerOf(tenantId), streamOf([]));
        expect(written.counts).to.equal({});
        expect(await collect(archives.read(tenantId, BACKUP_ID))).to.equal([]);
    });

    it('gives lines of any length, wherever pieces end in them', async () => {
        const { archives, tenantId } = testArchives();
        const wide = '🦜'.repeat(50_000);
        const aggregates = [...noise(3, 700_000), ...noise(500, 13, 'user')].map((aggregate, index) => ({
            ...aggregate,
            values: { ...aggregate.values, wide: { type: 'string' as const, value: wide.slice(0, index * 2) } },
        }));
        await archives.write(headerOf(tenantId), streamOf([...aggregates, ...SAMPLE]));
        expect(await collect(archives.read(tenantId, BACKUP_ID))).to.equal([...aggregates, ...SAMPLE]);
    });

    it('may be ended early, and leaves no file open', async () => {
        const { archives, tenantId, vault } = testArchives();
        await archives.write(headerOf(tenantId), streamOf(noise(40, 100_000)));
        const ends: Promise<unknown>[] = [];
        const bytes = await collect((await archives.download(tenantId, BACKUP_ID)).body);
        async function* watched(): AsyncGenerator<Buffer> {
            let end: (value?: unknown) => void = () => undefined;
            ends.push(new Promise((resolve) => (end = resolve)));
            try {
                yield* bytes;
            } finally {
                end();
            }
        }
        const storage = storageOf(watched, watched);
        for await (const { id } of openArchives({ storage, vault }).read(tenantId, BACKUP_ID)) {
            expect(id).to.equal('thread_0');
            break;
        }
        await Promise.all(ends);
        expect(ends.length).to.equal(2);
    });

    it('hands on nothing of an archive whose last byte is wrong', async () => {
        const { archives, tenantId, bytes, put } = testArchives();
        await archives.write(headerOf(tenantId), streamOf(noise(30, 100_000)));
        const altered = bytes();
        altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1);
        put(altered);
        const read = archives.read(tenantId, BACKUP_ID)[Symbol.asyncIterator]();
        expect(await refusal(read.next(), 'BACKUP_DAMAGED')).to.equal('altered');
    });

    it('refuses a file that is replaced after it was verified, though it is whole too', async () => {
        const { archives, tenantId, storage, vault } = testArchives();
        const header = headerOf(tenantId);
        await archives.write(header, streamOf(SAMPLE));
        const first = await collect(storage.read(`${tenantId}/${BACKUP_ID}.archive`));
        await archives.write(header, streamOf(SAMPLE));
        const second = await collect(storage.read(`${tenantId}/${BACKUP_ID}.archive`));
        const replaced = storageOf(
            () => streamOf(first),
            () => streamOf(second),
        );
        const reading = openArchives({ storage: replaced, vault }).read(tenantId, BACKUP_ID);
        expect(await refusal(collect(reading), 'BACKUP_DAMAGED')).to.equal('replaced');
    });

    it('ends with an error when the file is cut after it was verified', async () => {
        const { archives, tenantId, storage, vault } = testArchives();
        await archives.write(headerOf(tenantId), streamOf(noise(10, 100_000)));
        const whole = Buffer.concat(await collect(storage.read(`${tenantId}/${BACKUP_ID}.archive`)));
        const cut = storageOf(
            () => streamOf([whole]),
            () => streamOf([whole.subarray(0, -1)]),
        );
        const reading = openArchives({ storage: cut, vault }).read(tenantId, BACKUP_ID);
        expect(await refusal(collect(reading), 'BACKUP_DAMAGED')).to.equal('altered');
    });
});

describe('Archives.verify', () => {
    it('refuses an archive under the name of another backup, and that of another tenant', async () => {
        const { archives, tenantId, path } = testArchives();
        const stranger = newId('tenant');
        await archives.write(headerOf(tenantId), streamOf(SAMPLE));
        await archives.write(headerOf(stranger), streamOf(SAMPLE));
        renameSync(path(), path(OTHER_BACKUP_ID));
        await refusal(archives.verify(tenantId, OTHER_BACKUP_ID), 'BACKUP_FOREIGN');
        renameSync(path(BACKUP_ID, stranger), path());
        await refusal(archives.verify(tenantId, BACKUP_ID), 'BACKUP_FOREIGN');
        await refusal(collect(archives.read(tenantId, BACKUP_ID)), 'BACKUP_FOREIGN');
    });

    it('says when there is none', async () => {
        const { archives, tenantId } = testArchives();
        expect(await refusal(archives.verify(tenantId, BACKUP_ID), 'BACKUP_DAMAGED')).to.equal('missing');
        expect(await refusal(archives.download(tenantId, BACKUP_ID), 'BACKUP_DAMAGED')).to.equal('missing');
    });

    it('opens what an older master key sealed, as long as it is known', async () => {
        const [old, young] = [newKey('old'), newKey('young')];
        const before = testArchives(new Vault(new Keyring([old])));
        const written = await before.archives.write(headerOf(before.tenantId), streamOf(SAMPLE));
        const { storage, tenantId } = before;
        const rotated = openArchives({ storage, vault: new Vault(new Keyring([young, old])) });
        expect(await rotated.verify(tenantId, BACKUP_ID)).to.equal(written);
        for (const vault of [new Vault(new Keyring([young])), newVault()]) {
            const verified = openArchives({ storage, vault }).verify(tenantId, BACKUP_ID);
            expect(await refusal(verified, 'BACKUP_DAMAGED')).to.equal('unopened');
        }
    });
});

describe('Archives.download', () => {
    it('gives the file as it is stored, and its size', async () => {
        const { archives, tenantId, bytes } = testArchives();
        const written = await archives.write(headerOf(tenantId), streamOf(noise(20, 50_000)));
        const download = await archives.download(tenantId, BACKUP_ID);
        expect(download.bytes).to.equal(written.bytes);
        expect(sha256(Buffer.concat(await collect(download.body)))).to.equal(sha256(bytes()));
    });

    it('does not seem whole when the file has gone or changed since its size was told', async () => {
        const { archives, tenantId, path } = testArchives();
        await archives.write(headerOf(tenantId), streamOf(SAMPLE));
        const { body } = await archives.download(tenantId, BACKUP_ID);
        rmSync(path());
        await refusal(collect(body), 'BACKUP_STORAGE_UNAVAILABLE');
    });
});

describe('Archives.delete', () => {
    it('takes the archive away, and may be called again', async () => {
        const { archives, tenantId } = testArchives();
        await archives.write(headerOf(tenantId), streamOf(SAMPLE));
        await archives.write(headerOf(tenantId, OTHER_BACKUP_ID), streamOf(SAMPLE));
        await archives.delete(tenantId, BACKUP_ID);
        await archives.delete(tenantId, BACKUP_ID);
        expect(await refusal(archives.verify(tenantId, BACKUP_ID), 'BACKUP_DAMAGED')).to.equal('missing');
        expect((await archives.verify(tenantId, OTHER_BACKUP_ID)).counts).to.equal({ thread: 1, user: 2 });
    });
});
